"""What the boxes offer, and the preferences behind them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from napari_adacs.app import choices, settings
from napari_adacs.errors import ModelError
from napari_adacs.models.library import FOLDER_VARIABLE
from tests.small_models import save_small_model


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a 2D and a 3D model, and nothing bundled."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(
        'napari_adacs.models.library._BUNDLED', tmp_path / 'none'
    )
    for ndim in (2, 3):
        save_small_model(tmp_path, ndim)
    return tmp_path


class TestModels:
    def test_auto_comes_first_and_says_what_it_takes(
        self, models: Path
    ) -> None:
        auto, only = choices.model_choices(2)
        assert (auto.value, auto.text) == ('auto', 'Automatic (small-2d)')
        assert (only.value, only.text) == ('small-2d', 'small-2d (user)')
        assert 'BSD-3-Clause' in auto.tooltip
        assert str(models) in only.tooltip

    def test_all_are_listed_while_the_axes_are_unknown(
        self, models: Path
    ) -> None:
        values = [choice.value for choice in choices.model_choices(None)]
        assert values == ['auto', 'small-2d', 'small-3d']

    def test_they_come_in_groups(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
        save_small_model(tmp_path, 2)
        found = choices.model_choices(2)
        groups = [choice.group for choice in found]
        assert groups[0] == ''
        assert list(dict.fromkeys(groups[1:])) == [
            'Echo',
            'Cine MRI',
            'Any image',
            'Your models',
            'No network',
        ]
        assert groups[1:] == sorted(groups[1:], key=groups.index)

    def test_none_is_said(
        self, models: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(FOLDER_VARIABLE, str(models / 'empty'))
        (auto,) = choices.model_choices(3)
        assert auto.text == 'Automatic (none for 3D)'

    def test_files_are_offered_by_path(
        self, models: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp('elsewhere')
        file = str(save_small_model(folder, 3))
        values = [c.value for c in choices.model_choices(3, [file])]
        assert values == ['auto', 'small-3d', file]
        assert file not in [c.value for c in choices.model_choices(2, [file])]
        gone = choices.model_choices(3, [str(folder / 'gone.safetensors')])
        assert len(gone) == 2

    def test_a_file_says_what_it_is(self, models: Path) -> None:
        file = models / 'small-3d.safetensors'
        assert choices.model_in_file(str(file)) == ('small-3d', 3)
        file.write_bytes(b'no bundle')
        with pytest.raises(ModelError):
            choices.model_in_file(str(file))

    def test_metrics_are_written_out(self) -> None:
        header = SimpleNamespace(
            name='m',
            title='M',
            description='',
            domain='3D echo',
            licence='',
            date='',
            metrics={'mitea': {'DSC': {'myocardium': 0.7512}}},
        )
        text = choices.describe(header)  # type: ignore[arg-type]
        assert text == 'M\nDomain: 3D echo\nmitea: DSC myocardium 0.751'


class TestDevices:
    def test_what_torch_knows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        torch = SimpleNamespace(
            cuda=SimpleNamespace(device_count=lambda: 2),
            backends=SimpleNamespace(
                mps=SimpleNamespace(is_available=lambda: True)
            ),
        )
        monkeypatch.setitem(sys.modules, 'torch', torch)
        assert choices.device_choices() == [
            'auto',
            'cpu',
            'cuda:0',
            'cuda:1',
            'mps',
        ]

    def test_drivers_tell_before_torch_is_loaded(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delitem(sys.modules, 'torch', raising=False)
        monkeypatch.setattr(choices, '_NVIDIA', tmp_path)
        monkeypatch.setattr(choices, '_likely_mps', lambda: False)
        (tmp_path / '0000:01:00.0').mkdir()
        for build, found in (
            ('2.13.0+cu130', ['auto', 'cpu', 'cuda:0']),
            ('2.13.0+cpu', ['auto', 'cpu']),
        ):
            monkeypatch.setattr(
                choices.metadata, 'version', lambda _, b=build: b
            )
            assert choices.device_choices() == found

    def test_the_preferred_one_is_always_offered(self) -> None:
        assert 'cuda:7' in choices.device_choices('cuda:7')


class TestSettings:
    def test_defaults_where_there_are_none(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def missing(name: str) -> None:
            raise KeyError(name)

        monkeypatch.setattr('napari.settings.get_plugin_settings', missing)
        assert settings.compute_settings() == settings.ComputeSettings()

    def test_stored_values_are_used_and_odd_ones_are_not(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored = SimpleNamespace(device='cuda:1', threads='many')
        monkeypatch.setattr(
            'napari.settings.get_plugin_settings',
            lambda name: SimpleNamespace(compute=stored),
        )
        assert settings.compute_settings() == settings.ComputeSettings(
            device='cuda:1'
        )

    def test_the_folder_of_models_follows_the_preference(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
        settings.use_model_folder('/one')
        settings.use_model_folder('/two')
        assert os.environ[FOLDER_VARIABLE] == '/two'
        settings.use_model_folder('')
        assert FOLDER_VARIABLE not in os.environ

    def test_the_environment_comes_first(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(FOLDER_VARIABLE, '/outside')
        settings.use_model_folder('/one')
        settings.use_model_folder('')
        assert os.environ[FOLDER_VARIABLE] == '/outside'
