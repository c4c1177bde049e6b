"""The eta slider of the Register dock: there for DiffuseMorph, live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from napari_adacs.app import session
from napari_adacs.app.layer_specs import Role
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.models.library import FOLDER_VARIABLE
from napari_adacs.networks.diffusion_unet import ScoreUNet
from napari_adacs.widgets.register_dock import RegisterDock
from tests.app.pairs import add_pair
from tests.small_models import save_small_diffusemorph, save_small_model


@pytest.fixture(scope='module')
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('models')
    save_small_model(folder, 2)
    save_small_diffusemorph(folder, 2)
    return folder


@pytest.fixture(autouse=True)
def only_small_models(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv(FOLDER_VARIABLE, str(model_folder))
    monkeypatch.setattr(
        'napari_adacs.models.library._BUNDLED', model_folder / 'none'
    )
    monkeypatch.setattr(session, '_RUNS', {})
    yield


@pytest.fixture
def dock(viewer_model: ViewerModel, qtbot: Any) -> RegisterDock:
    widget = RegisterDock(viewer_model)
    qtbot.addWidget(widget)
    add_pair(viewer_model, (24, 20))
    return widget


def _register(qtbot: Any, dock: RegisterDock, model: str) -> None:
    qtbot.wait(1)
    qtbot.waitUntil(lambda: not dock._debounce.isActive())
    combo = dock.form.model.combo
    names = [combo.itemText(i) for i in range(combo.count())]
    combo.setCurrentIndex(names.index(f'{model} (user)'))
    qtbot.waitUntil(lambda: not dock._debounce.isActive())
    qtbot.mouseClick(dock.run_bar.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dock.state.busy, timeout=30_000)


def _move_to(qtbot: Any, dock: RegisterDock, eta: float) -> None:
    dock.eta.slider.setValue(round(20 * eta))
    qtbot.waitUntil(
        lambda: (
            not dock.state.busy
            and dock.last_result is not None
            and dock.last_result.eta == eta
        ),
        timeout=30_000,
    )


def test_other_models_have_no_slider(dock: RegisterDock, qtbot: Any) -> None:
    assert dock.eta.isHidden()
    _register(qtbot, dock, 'small-2d')
    assert dock.last_result is not None
    assert dock.eta.isHidden()


def test_the_slider_moves_the_layers_without_the_score_network(
    dock: RegisterDock,
    viewer_model: ViewerModel,
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _register(qtbot, dock, 'small-diffusemorph-2d')
    assert not dock.eta.isHidden()
    assert dock.eta.value == 1.0
    group = ResultGroup(viewer_model, dock.last_run.group_id)
    layers = group.layers()
    before = np.array(layers[Role.WARPED].data)
    names = [layer.name for layer in viewer_model.layers]

    def never(*_: object) -> None:
        raise AssertionError('the score network ran again')

    monkeypatch.setattr(ScoreUNet, 'forward', never)
    _move_to(qtbot, dock, 0.5)
    assert group.layers()[Role.WARPED] is layers[Role.WARPED]
    after = np.array(layers[Role.WARPED].data)
    assert np.abs(after - before).max() > 1e-6
    assert [layer.name for layer in viewer_model.layers] == names
    run = session.recall(dock.last_run.group_id)
    assert run is not None
    assert run.record['config']['eta'] == 0.5
    assert '--eta=0.5' in run.record['command']
    assert 'eta=0.5' in run.record['python']
    # And back: the very same as at first.
    _move_to(qtbot, dock, 1.0)
    np.testing.assert_array_equal(layers[Role.WARPED].data, before)


def test_a_move_while_it_runs_is_followed_afterwards(
    dock: RegisterDock, qtbot: Any
) -> None:
    _register(qtbot, dock, 'small-diffusemorph-2d')
    for eta in (0.2, 0.4, 0.6):
        dock.rescale(eta)
    assert dock.state.busy
    qtbot.waitUntil(
        lambda: not dock.state.busy and dock.last_result.eta == 0.6,
        timeout=30_000,
    )


def test_the_slider_goes_with_the_results(
    dock: RegisterDock, qtbot: Any
) -> None:
    _register(qtbot, dock, 'small-diffusemorph-2d')
    dock.remove_results()
    qtbot.waitUntil(lambda: dock.eta.isHidden())


def test_another_model_hides_it_again(dock: RegisterDock, qtbot: Any) -> None:
    _register(qtbot, dock, 'small-diffusemorph-2d')
    _register(qtbot, dock, 'small-2d')
    assert dock.eta.isHidden()
