"""Choosing a model: fitting ones, files, bad files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_adacs.models.bundle import save_bundle
from napari_adacs.models.library import FOLDER_VARIABLE
from napari_adacs.training.train import new_model
from napari_adacs.widgets.parts.model_box import ModelBox
from tests.small_models import save_small_model
from tests.training.conftest import make_config
from tests.training.test_every_network import NETWORKS, options


@pytest.fixture
def box(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> ModelBox:
    """A box that knows a 2D model."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / 'mine'))
    monkeypatch.setattr(
        'napari_adacs.models.library._BUNDLED', tmp_path / 'none'
    )
    (tmp_path / 'mine').mkdir()
    save_small_model(tmp_path / 'mine', 2)
    widget = ModelBox()
    qtbot.addWidget(widget)
    return widget


def _texts(box: ModelBox) -> list[str]:
    return [box.combo.itemText(i) for i in range(box.combo.count())]


@pytest.mark.parametrize('network', sorted(NETWORKS))
@pytest.mark.parametrize('ndim', [2, 3])
def test_a_model_of_every_architecture_is_offered(
    box: ModelBox, tmp_path: Path, network: str, ndim: int
) -> None:
    chosen = make_config(
        name=f'mine-{network}',
        shape=[32] * ndim,
        network={'name': network, 'options': options(network, ndim)},
        scheme={'name': 'vanilla'},
    )
    path = tmp_path / 'mine' / f'{network}.safetensors'
    save_bundle(path, new_model(chosen))
    box.reload()
    box.show_for(ndim)
    assert f'mine-{network} (user)' in _texts(box)


def test_only_fitting_models_are_offered(box: ModelBox) -> None:
    box.show_for(2)
    assert _texts(box) == ['auto (small-2d)', 'small-2d (user)']
    box.show_for(3)
    assert _texts(box) == ['auto (none for 3D)']
    assert box.value() == 'auto'


def test_losing_the_chosen_model_is_a_change(
    box: ModelBox, qtbot: Any
) -> None:
    box.show_for(2)
    box.combo.setCurrentIndex(1)
    assert box.value() == 'small-2d'
    with qtbot.waitSignal(box.changed):
        box.show_for(3)


def test_new_models_are_found(box: ModelBox, tmp_path: Path) -> None:
    save_small_model(tmp_path / 'mine', 3)
    box.show_for(3)
    assert 'small-3d (user)' in _texts(box)


def test_a_file_can_be_loaded(
    box: ModelBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    box.show_for(3)
    file = str(save_small_model(tmp_path, 3))
    monkeypatch.setattr(QFileDialog, 'getOpenFileName', lambda *_: (file, ''))
    with qtbot.waitSignal(box.changed):
        box.load_button.click()
    assert box.value() == file
    assert box.combo.currentText() == 'small-3d (file)'
    assert file in box.combo.toolTip()


def test_a_file_for_other_images_is_kept_for_those(
    box: ModelBox, tmp_path: Path, qtbot: Any
) -> None:
    box.show_for(2)
    file = str(save_small_model(tmp_path, 3))
    with qtbot.waitSignal(box.refused) as blocker:
        box.add_file(file)
    assert 'is for 3D images' in blocker.args[0]
    box.show_for(3)
    assert 'small-3d (file)' in _texts(box)


@pytest.mark.parametrize('name', ['bad.safetensors', 'gone.safetensors'])
def test_a_bad_file_is_refused_in_a_sentence(
    box: ModelBox, tmp_path: Path, qtbot: Any, name: str
) -> None:
    (tmp_path / 'bad.safetensors').write_bytes(b'\xff' * 100)
    with qtbot.waitSignal(box.refused) as blocker:
        box.add_file(str(tmp_path / name))
    assert blocker.args[0].endswith('.')
    assert box.value() == 'auto'
