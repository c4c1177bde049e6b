"""The registrations of a session."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app import session
from napari_adacs.app.layer_specs import layer_specs
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.session import LayerRef, Run
from napari_adacs.spatial.grid import Grid
from tests.app.results import made_up_result

GRID = Grid.from_spacing((6, 7), 1.0)


@pytest.fixture(autouse=True)
def _no_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(session, '_RUNS', {})
    return


def _shown(viewer: ViewerModel, group: str) -> Run:
    """Remember a run and show its layers."""
    result = made_up_result(GRID)
    list(ResultGroup(viewer, group, group).show(layer_specs(result)[0]))
    side = LayerRef('id', 'ED')
    run = Run(group, group, side, side, result)
    session.remember(run)
    return run


def test_a_run_is_found_by_its_group(
    viewer_model: ViewerModel,
) -> None:
    run = _shown(viewer_model, 'a')
    assert session.recall('a') is run
    assert session.recall('b') is None


def test_the_newest_comes_first(viewer_model: ViewerModel) -> None:
    first, second = _shown(viewer_model, 'a'), _shown(viewer_model, 'b')
    assert session.runs_in(viewer_model) == [second, first]
    again = _shown(viewer_model, 'a')
    assert session.runs_in(viewer_model) == [again, second]
    assert session.latest(viewer_model) is again


def test_viewers_do_not_see_each_other(viewer_model: ViewerModel) -> None:
    other = ViewerModel()
    run = _shown(viewer_model, 'a')
    assert session.latest(other) is None
    assert session.latest(viewer_model) is run


def test_a_run_goes_with_its_last_layer(viewer_model: ViewerModel) -> None:
    _shown(viewer_model, 'a')
    kept = _shown(viewer_model, 'b')
    layers = list(ResultGroup(viewer_model, 'a').layers().values())
    for layer in layers:
        assert session.recall('a') is not None
        viewer_model.layers.remove(layer)
        session.forget_removed(viewer_model, layer)
    assert session.recall('a') is None
    assert session.recall('b') is kept


def test_the_group_depends_on_images_frames_and_model() -> None:
    one, two = LayerRef('1', 'x'), LayerRef('2', 'x')
    ids = {
        session.group_id(one, two, 'm'),
        session.group_id(two, one, 'm'),
        session.group_id(one, two, 'n'),
        session.group_id(one, LayerRef('2', 'x', 1), 'm'),
    }
    assert len(ids) == 4
    renamed = LayerRef('1', 'another name')
    assert session.group_id(renamed, two, 'm') in ids


def test_a_reference_finds_its_layer(viewer_model: ViewerModel) -> None:
    layer = viewer_model.add_image(np.zeros((3, 3)), name='x')
    ref = LayerRef(str(layer.unique_id), 'x', 4)
    assert ref.find(viewer_model) is layer
    assert str(ref) == 'x[4]'
    viewer_model.layers.clear()
    assert ref.find(viewer_model) is None
