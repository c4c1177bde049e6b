"""``napari-adacs models``."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_adacs.models.bundle import save_bundle
from napari_adacs.models.header import ModelHeader
from napari_adacs.models.model import build_model
from tests.cli.conftest import Run
from tests.small_models import SMALL


@pytest.fixture
def described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one model that has everything a header can say."""
    header = ModelHeader(
        name='described',
        ndim=2,
        network='voxelmorph',
        network_options=SMALL,
        scheme='heteroscedastic',
        auxiliaries={'variance': SMALL},
        title='A described model',
        description='Made for a test. ' * 8,
        domain='2D echo',
        licence='CC BY-NC-SA 4.0',
        date='2026-01-02',
        training={'steps': 100, 'stages': {'joint': 40}},
        metrics={'camus': {'dsc': 0.8123456}},
    )
    save_bundle(tmp_path / 'described.safetensors', build_model(header))
    monkeypatch.setenv('NAPARI_ADACS_MODELS', str(tmp_path))
    return tmp_path / 'described.safetensors'


def test_models_are_listed_in_columns(run: Run, described: Path) -> None:
    ran = run('models', 'list')
    assert ran.code == 0
    lines = ran.out.splitlines()
    (line,) = [line for line in lines if line.startswith('described ')]
    for word in ('2D', 'heteroscedastic', '2D echo', 'CC BY-NC-SA', 'user'):
        assert line.index(word) == lines[0].index(
            {
                '2D': 'AXES',
                'heteroscedastic': 'SCHEME',
                '2D echo': 'DOMAIN',
                'CC BY-NC-SA': 'LICENCE',
                'user': 'SOURCE',
            }[word]
        )


def test_a_folder_without_models_says_where_to_put_them(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('NAPARI_ADACS_MODELS', str(tmp_path))
    monkeypatch.setattr('napari_adacs.models.library._BUNDLED', tmp_path)
    ran = run('models', 'list')
    assert ran.code == 0
    assert str(tmp_path) in ran.out


@pytest.mark.parametrize('by_path', [False, True])
def test_a_model_is_shown(run: Run, described: Path, by_path: bool) -> None:
    name = described if by_path else 'described'
    ran = run('models', 'show', name, '--recipe')
    assert ran.code == 0
    for text in (
        'A described model',
        'heteroscedastic',
        'CC BY-NC-SA 4.0',
        '2026-01-02',
        'variance',
        '  stages\n    joint: 40',
        'Measured: camus\n  dsc: 0.812',
        'Intended use',
        str(described),
    ):
        assert text in ran.out, text


def test_an_unknown_model_is_one_sentence(run: Run, described: Path) -> None:
    ran = run('models', 'show', 'describes')
    assert ran.code == 2
    assert "Did you mean 'described'?" in ran.err
