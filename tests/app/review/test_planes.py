"""The plane that views compute is the plane that napari draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app.review.lazy import Key, LazyArray
from napari_adacs.app.review.planes import shown_plane, to_data, to_world

pytestmark = pytest.mark.filterwarnings('ignore:Non-orthogonal:UserWarning')

SHAPE = (8, 9, 10)


class Witness(LazyArray):
    """Remembers which part napari asked for last."""

    def __init__(self) -> None:
        super().__init__(SHAPE)
        self.asked: Key = ()

    def compose(self, key: Key) -> Any:
        self.asked = key
        return np.zeros(self.shape)[key]


PLACEMENTS: list[dict[str, Any]] = [
    {'scale': (3, 2, 1)},
    {'scale': (3, -2, 1), 'translate': (4, 20, -7)},
    {'scale': (3, 2, 1), 'rotate': (0, 25, 10), 'translate': (1, 2, 3)},
    {'scale': (0.003, 0.002, 0.001), 'units': ('m',) * 3},
    {
        'affine': [
            [3, 0.6, 0, 5],
            [-0.9, 2, 0, 9],
            [0, 0.2, -1, 1],
            [0, 0, 0, 1],
        ]
    },
]


def _witness(viewer: ViewerModel, **placement: Any) -> tuple[Any, Witness]:
    witness = Witness()
    placement = {'units': ('mm',) * 3, **placement}
    layer = viewer.add_image(
        witness, rgb=False, projection_mode='none', **placement
    )
    return layer, witness


@pytest.mark.parametrize('placement', PLACEMENTS)
@pytest.mark.parametrize('order', [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_the_plane_is_the_one_that_napari_reads(
    viewer_model: ViewerModel,
    placement: dict[str, Any],
    order: tuple[int, ...],
) -> None:
    layer, witness = _witness(viewer_model, **placement)
    dims = viewer_model.dims
    dims.order = order
    seen = 0
    for step in range(0, dims.nsteps[order[0]], 2):
        witness.asked = ()
        dims.set_current_step(order[0], step)
        plane = shown_plane(dims, layer, SHAPE)
        if witness.asked:
            assert plane is not None
            assert plane.key == witness.asked
            seen += 1
    assert seen
    assert plane is None or plane.axes == order[1:]


def test_time_before_space_does_not_matter(viewer_model: ViewerModel) -> None:
    viewer_model.add_image(np.zeros((5, *SHAPE)), units=('s', *['mm'] * 3))
    layer, witness = _witness(viewer_model, scale=(3, 2, 1))
    for order in ((0, 1, 2, 3), (0, 2, 1, 3), (1, 0, 2, 3)):
        viewer_model.dims.order = order
        viewer_model.dims.set_current_step(order[1], 1)
        plane = shown_plane(viewer_model.dims, layer, SHAPE)
        assert plane is not None
        assert plane.key == witness.asked


def test_there_is_no_plane_outside_or_in_3d(viewer_model: ViewerModel) -> None:
    viewer_model.add_image(np.zeros((30, 9, 10)), units=('mm',) * 3)
    layer, _ = _witness(viewer_model, scale=(1, 1, 1))
    viewer_model.dims.set_current_step(0, 20)
    assert shown_plane(viewer_model.dims, layer, SHAPE) is None
    viewer_model.dims.set_current_step(0, 2)
    assert shown_plane(viewer_model.dims, layer, SHAPE) is not None
    viewer_model.dims.ndisplay = 3
    assert shown_plane(viewer_model.dims, layer, SHAPE) is None


def test_positions_go_there_and_back_in_shared_units(
    viewer_model: ViewerModel,
) -> None:
    layer, _ = _witness(viewer_model, scale=(3, 2, 1), translate=(1, 2, 3))
    viewer_model.add_image(
        np.zeros(SHAPE), scale=(3000, 2000, 1000), units=('um',) * 3
    )
    dims = viewer_model.dims
    world = to_world((1, 2, 3), dims, layer)
    np.testing.assert_allclose(world, (4000, 6000, 6000))
    np.testing.assert_allclose(to_data(world, dims, layer), (1, 2, 3))


def test_points_of_a_plane_are_placed_in_array_order(
    viewer_model: ViewerModel,
) -> None:
    layer, _ = _witness(viewer_model)
    viewer_model.dims.order = (1, 2, 0)
    viewer_model.dims.set_current_step(1, 4)
    plane = shown_plane(viewer_model.dims, layer, SHAPE)
    assert plane is not None
    assert plane.axes == (2, 0)
    assert plane.kept == (0, 2)
    placed = plane.place(np.array([[1.5, 7.0]]))
    np.testing.assert_allclose(placed, [[1.5, 4, 7]])
