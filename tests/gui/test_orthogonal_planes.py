"""The orthogonal planes in a real window: opened, followed, let go of."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from napari.viewer import Viewer
from pytestqt.qtbot import QtBot

from napari_adacs.app.session import Run
from napari_adacs.widgets.parts.view_bar import ViewBar
from tests.app.review.pairs import add_run, state


@pytest.fixture
def run(viewer: Viewer) -> Run:
    """A registration with labels."""
    return add_run(viewer)


@pytest.fixture
def bar(viewer: Viewer, run: Run) -> Iterator[ViewBar]:
    """A view bar in the window."""
    made = ViewBar(viewer)
    viewer.window.add_dock_widget(made, name='Views')
    made.set_run(run)
    yield made
    made.close_views()


def test_planes_open_follow_and_leave_nothing(
    qtbot: QtBot, viewer: Viewer, bar: ViewBar
) -> None:
    before = state(viewer)
    docks = set(viewer.window.dock_widgets)
    bar.planes.click()
    planes = bar.planes.planes
    assert planes is not None
    assert len(set(viewer.window.dock_widgets) - docks) == 1
    bar.buttons['checkerboard'].click()
    names = [plane.views.name for plane in planes.planes]
    assert names == ['checkerboard', 'checkerboard']
    viewer.dims.set_point(0, 9)
    assert [p.model.dims.point[0] for p in planes.planes] == [9, 9]
    kept = [weakref.ref(planes)]
    kept += [weakref.ref(canvas) for canvas in planes.canvases]
    kept += [weakref.ref(plane.model) for plane in planes.planes]
    del planes
    bar.planes.click()
    assert set(viewer.window.dock_widgets) == docks

    def gone() -> bool:
        gc.collect()
        return not any(ref() is not None for ref in kept)

    qtbot.waitUntil(gone, timeout=10_000)
    bar.buttons['checkerboard'].click()
    assert state(viewer) == before


def test_the_cross_of_the_dock_closes_the_planes(
    qtbot: QtBot, viewer: Viewer, bar: ViewBar
) -> None:
    callbacks = len(viewer.mouse_drag_callbacks)
    bar.planes.click()
    assert len(viewer.mouse_drag_callbacks) == callbacks + 1
    dock = bar.planes.planes.parent()
    dock.destroyOnClose()
    qtbot.waitUntil(lambda: bar.planes.planes is None, timeout=10_000)
    assert not bar.planes.isChecked()
    assert len(viewer.mouse_drag_callbacks) == callbacks


def test_a_flat_pair_has_no_other_planes(viewer: Viewer) -> None:
    run = add_run(viewer, (20, 24))
    bar = ViewBar(viewer)
    viewer.window.add_dock_widget(bar, name='Views')
    bar.set_run(run)
    assert not bar.planes.isEnabled()
    for button in bar.buttons.values():
        button.click()
    bar.close_views()
