"""Choosing a model: fitting ones, files, bad files."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QFileDialog, QTextBrowser

from napari_adacs.errors import CancelledError
from napari_adacs.models.bundle import save_bundle
from napari_adacs.models.library import FOLDER_VARIABLE, find_model
from napari_adacs.networks.auxiliary import ScoringEstimator, VarianceEstimator
from napari_adacs.networks.voxelmorph import VoxelMorph
from napari_adacs.registration.choice import ModelChoice
from napari_adacs.training.train import new_model
from napari_adacs.widgets.parts.model_box import ModelBox
from napari_adacs.widgets.parts.start_box import StartBox
from tests.models.hub_server import serving
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
    assert _texts(box) == ['Automatic (small-2d)', 'small-2d (user)']
    box.show_for(3)
    assert _texts(box) == ['Automatic (none for 3D)']
    assert box.value() == 'auto'


def test_kinds_have_headings_that_cannot_be_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    save_small_model(tmp_path, 2)
    box = ModelBox()
    qtbot.addWidget(box)
    box.show_for(2)
    assert box.value() == 'auto'
    texts = _texts(box)
    headings = [
        i for i, t in enumerate(texts) if box.combo.itemData(i) is None
    ]
    assert [texts[i] for i in headings] == [
        'Echo',
        'Cine MRI',
        'Any image',
        'Your models',
        'No network',
    ]
    assert texts[headings[1] + 1].endswith('cine2d')
    # Keys step over them.
    box.combo.setCurrentIndex(headings[1] - 1)
    qtbot.keyClick(box.combo, Qt.Key.Key_Down)
    assert box.combo.currentIndex() == headings[1] + 1
    # What is chosen stays chosen.
    chosen = box.value()
    box.reload()
    assert box.value() == chosen


def test_what_to_start_from_begins_with_a_model(qtbot: Any) -> None:
    box = StartBox()
    qtbot.addWidget(box)
    box.show_for(2)
    texts = _texts(box)
    assert box.combo.itemData(0) is None  # a heading
    assert box.value() == box.combo.itemText(1) == box.combo.currentText()
    assert texts[-2:] == ['New network', 'from scratch']


def test_losing_the_chosen_model_is_a_change(
    box: ModelBox, qtbot: Any
) -> None:
    box.show_for(2)
    box.combo.setCurrentIndex(1)
    assert box.value() == 'small-2d'
    with qtbot.waitSignal(box.changed):
        box.show_for(3)


def test_the_card_of_the_chosen_model_is_shown(
    box: ModelBox, tmp_path: Path, qtbot: Any
) -> None:
    mine = tmp_path / 'mine'
    save_small_model(mine, 2, name='echo-2d', domain='2D echo')
    box.show_for(2)
    box.reload()
    box.show_automatic(ModelChoice(find_model('small-2d'), 'it suits them'))

    def shown() -> str:
        box.card_action.trigger()
        (window,) = box.findChildren(QDialog, 'model_card')
        text = window.findChild(QTextBrowser).toPlainText()
        with qtbot.waitSignal(window.destroyed):
            window.close()
        return str(text)

    card = shown()
    assert card.startswith('small-2d')
    assert 'Intended use' in card
    assert box.choose('echo-2d')
    assert 'domain: 2D echo' in shown()
    refused: list[str] = []
    box.refused.connect(refused.append)
    (mine / 'echo-2d.safetensors').unlink()
    box.card_action.trigger()
    assert 'echo-2d' in refused[0]


def test_new_models_are_found(box: ModelBox, tmp_path: Path) -> None:
    save_small_model(tmp_path / 'mine', 3)
    box.show_for(3)
    assert 'small-3d (user)' in _texts(box)


def _get(box: ModelBox, qtbot: Any, *files: Path) -> str:
    """Load files and return what was said, of success or refusal."""
    told: list[str] = []
    box.said.connect(told.append)
    box.refused.connect(told.append)
    box.add_files([str(file) for file in files])
    assert box.getter.isVisibleTo(box)
    assert not box.load_button.isEnabled()
    qtbot.waitUntil(lambda: not box.getter.busy, timeout=30_000)
    assert not box.getter.isVisibleTo(box)
    assert box.load_button.isEnabled()
    (sentence,) = told
    return sentence


def _checkpoint(folder: Path, ndim: int, kind: type = VoxelMorph) -> Path:
    path = folder / f'{kind.__name__}{ndim}D.pth.tar'
    network = kind(ndim, [4, 8], [8, 8, 4])
    torch.save({'epoch': 1, 'state_dict': network.state_dict()}, path)
    return path


def test_a_file_can_be_loaded(
    box: ModelBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    box.show_for(3)
    file = str(save_small_model(tmp_path, 3))
    monkeypatch.setattr(
        QFileDialog, 'getOpenFileNames', lambda *_: ([file], '')
    )
    with qtbot.waitSignal(box.changed, timeout=30_000):
        box.load_action.trigger()
    assert box.value() == file
    assert box.combo.currentText() == 'small-3d (file)'
    assert file in box.combo.toolTip()


def test_a_checkpoint_becomes_a_model_of_the_user(
    box: ModelBox, tmp_path: Path, qtbot: Any
) -> None:
    box.show_for(2)
    file = _checkpoint(tmp_path, 2)
    said = _get(box, qtbot, file)
    assert 'VoxelMorph 0.2, 2D: a displacement network' in said
    assert 'voxelmorph2d.safetensors' in said
    assert box.value() == 'voxelmorph2d'
    assert box.combo.currentText() == 'voxelmorph2d (user)'
    # the same again is the same model
    _get(box, qtbot, file)
    assert len(list((tmp_path / 'mine').iterdir())) == 2


def test_estimators_come_along(
    box: ModelBox, tmp_path: Path, qtbot: Any
) -> None:
    box.show_for(2)
    scoring = _checkpoint(tmp_path, 2, ScoringEstimator)
    assert 'estimates no displacement' in _get(box, qtbot, scoring)
    assert box.value() == 'auto'
    _get(box, qtbot, scoring, _checkpoint(tmp_path, 2))
    assert find_model(box.value()).header.scheme == 'adacs'


def test_a_file_for_other_images_is_kept_for_those(
    box: ModelBox, tmp_path: Path, qtbot: Any
) -> None:
    box.show_for(2)
    file = save_small_model(tmp_path, 3)
    assert 'is for 3D images' in _get(box, qtbot, file)
    assert 'is for 3D images' in _get(box, qtbot, _checkpoint(tmp_path, 3))
    box.show_for(3)
    assert 'small-3d (file)' in _texts(box)
    assert 'voxelmorph3d (user)' in _texts(box)


@pytest.mark.parametrize(
    ('name', 'content', 'sentence'),
    [
        ('bad.safetensors', b'\xff' * 100, 'not a napari-adacs model'),
        ('gone.safetensors', None, 'no model called'),
        ('evil.pt', b'\x80\x04cos\nsystem\n.', 'a pickle that PyTorch'),
        ('notes.h5', b'notes', 'not a napari-adacs model'),
    ],
)
def test_a_bad_file_is_refused_in_a_sentence(
    box: ModelBox,
    tmp_path: Path,
    qtbot: Any,
    name: str,
    content: bytes | None,
    sentence: str,
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    said = _get(box, qtbot, tmp_path / name)
    assert sentence in said
    assert said.endswith('.')
    assert box.value() == 'auto'


def test_a_model_is_downloaded_from_the_menu(
    box: ModelBox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: Any,
) -> None:
    name = 'voxelmorph-heteroscedastic-acdc'
    box.show_for(2)
    with serving() as hub:
        monkeypatch.setenv('HF_ENDPOINT', hub.url)
        monkeypatch.setenv('HF_HUB_CACHE', str(tmp_path / 'cache'))
        for kind, network in (
            ('motion', VoxelMorph),
            ('variance', VarianceEstimator),
        ):
            file = _checkpoint(tmp_path, 2, network)
            key = ('Voldemort108X/hetero_uncertainty', f'vxm_ACDC_{kind}.pt')
            hub.files[key] = file.read_bytes()
        box.menu.aboutToShow.emit()
        actions = box.download_menu.actions()
        assert len(actions) == 4
        assert hub.asked == []
        (action,) = [
            a
            for a in actions
            if a.text().startswith('VoxelMorph, heteroscedastic, ACDC')
        ]
        with qtbot.waitSignal(box.said, timeout=30_000):
            action.trigger()
    assert box.value() == name
    box.menu.aboutToShow.emit()
    assert len(box.download_menu.actions()) == 3
    box.show_for(3)
    box.menu.aboutToShow.emit()
    assert not box.download_menu.isEnabled()


def test_a_download_can_be_cancelled(
    box: ModelBox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: Any,
) -> None:
    release = Event()

    def slow(name: str, progress: Any, cancel: Event) -> None:
        progress(0.5, 'Downloading')
        assert cancel.wait(20)
        release.set()
        raise CancelledError

    monkeypatch.setattr(
        'napari_adacs.widgets.parts.model_box.get_from_hub', slow
    )
    told: list[str] = []
    box.refused.connect(told.append)
    box.download('anything')
    qtbot.waitUntil(lambda: 'Downloading' in box.getter.progress.format())
    box.getter.cancel_button.click()
    qtbot.waitUntil(lambda: not box.getter.busy, timeout=20_000)
    assert release.is_set()
    assert told == []
    assert box.load_button.isEnabled()
