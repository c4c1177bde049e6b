"""Views compose, voxel by voxel, what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app.review.view_switch import ViewSwitch
from tests.app.review.pairs import (
    SCALE,
    SHAPE,
    add_run,
    image_of_view,
)

pytestmark = pytest.mark.filterwarnings('ignore:Non-orthogonal:UserWarning')

ORDERS = [(0, 1, 2), (1, 0, 2), (2, 1, 0)]
PLACEMENTS: list[dict[str, Any]] = [
    {},
    {'scale': (3, 2, -1), 'translate': (5, 6, 7)},
    {'rotate': (0, 20, 5), 'translate': (1, 2, 3)},
]


def _drawn(viewer: ViewerModel) -> tuple[np.ndarray, tuple[int, ...], Any]:
    """Return the slice that napari draws, its axes and its index."""
    layer = image_of_view(viewer)
    order = [a for a in viewer.dims.order if a >= viewer.dims.ndim - 3]
    down, across = (a - (viewer.dims.ndim - 3) for a in order[-2:])
    index = [slice(None)] * 3
    (hidden,) = {0, 1, 2} - {down, across}
    seen: np.ndarray = layer._slice.image.raw
    for number in range(SHAPE[hidden]):
        index[hidden] = number
        full = layer.data[tuple(index)]
        if down > across:
            full = full.T
        if np.array_equal(full, seen):
            return seen, (down, across), tuple(index)
    raise AssertionError('napari draws no slice of the data')


def _sides(run: Any, viewer: ViewerModel, axes: Any, index: Any) -> Any:
    fixed = viewer.layers['ES'].data[index].astype(np.float32)
    other = run.result.warped[index] * np.float32(200 / 255)
    if axes[0] > axes[1]:
        return fixed.T, other.T
    return fixed, other


@pytest.fixture(params=PLACEMENTS)
def shown(request: Any, viewer_model: ViewerModel) -> tuple[Any, ViewSwitch]:
    """A registration in some place, and its views."""
    run = add_run(viewer_model, **request.param)
    switch = ViewSwitch(viewer_model)
    switch.set_run(run)
    return run, switch


def _move(viewer: ViewerModel, order: tuple[int, ...]) -> None:
    viewer.dims.order = order
    viewer.dims.set_current_step(order[0], viewer.dims.nsteps[order[0]] // 2)


@pytest.mark.parametrize('order', ORDERS)
def test_checkerboard(
    viewer_model: ViewerModel, shown: Any, order: tuple[int, ...]
) -> None:
    run, switch = shown
    switch.show('checkerboard')
    switch.set_value('size', 6.0)
    _move(viewer_model, order)
    seen, axes, index = _drawn(viewer_model)
    fixed, other = _sides(run, viewer_model, axes, index)
    # six millimetres are so many voxels
    tiles = [(np.arange(SHAPE[a]) + 0.5) // (6.0 / SCALE[a]) for a in axes]
    odd = (tiles[0][:, None] + tiles[1][None]) % 2 == 1
    np.testing.assert_array_equal(seen, np.where(odd, other, fixed))
    assert odd.any()
    assert not odd.all()


@pytest.mark.parametrize('order', ORDERS)
@pytest.mark.parametrize('direction', [0, 1])
def test_wipe(
    viewer_model: ViewerModel,
    shown: Any,
    order: tuple[int, ...],
    direction: int,
) -> None:
    run, switch = shown
    switch.show('wipe')
    switch.set_value('direction', direction)
    switch.set_value('position', 25)
    _move(viewer_model, order)
    seen, axes, index = _drawn(viewer_model)
    fixed, other = _sides(run, viewer_model, axes, index)
    axis = axes[1] if direction == 0 else axes[0]
    # fixed is where the viewer's axis begins, whichever way the array runs
    layer = viewer_model.layers['ES']
    back = layer.scale[axis] < 0
    count = round(0.25 * SHAPE[axis])
    first = np.arange(SHAPE[axis]) < count
    if back:
        first = first[::-1]
    first = first[None, :] if direction == 0 else first[:, None]
    np.testing.assert_array_equal(seen, np.where(first, fixed, other))


@pytest.mark.parametrize('order', ORDERS)
def test_difference(
    viewer_model: ViewerModel, shown: Any, order: tuple[int, ...]
) -> None:
    run, switch = shown
    switch.show('difference')
    _move(viewer_model, order)
    seen, axes, index = _drawn(viewer_model)
    fixed, other = _sides(run, viewer_model, axes, index)
    np.testing.assert_allclose(seen, other - fixed, atol=1e-4)
    assert image_of_view(viewer_model).contrast_limits == [-100, 100]


def test_scrolling_does_not_exchange_tiles(viewer_model: ViewerModel) -> None:
    run = add_run(viewer_model)
    switch = ViewSwitch(viewer_model)
    switch.set_run(run)
    switch.show('checkerboard')
    switch.set_value('size', 3.0)
    tiles = image_of_view(viewer_model).data
    masks = [tiles.from_other((i, slice(None), slice(None))) for i in (0, 5)]
    np.testing.assert_array_equal(*masks)


def test_two_dimensional_pairs(viewer_model: ViewerModel) -> None:
    run = add_run(viewer_model, (20, 24))
    switch = ViewSwitch(viewer_model)
    switch.set_run(run)
    fixed = viewer_model.layers['ES'].data.astype(np.float32)
    other = run.result.warped * np.float32(200 / 255)
    switch.show('wipe')
    switch.set_value('position', 50)
    seen = np.asarray(image_of_view(viewer_model).data)
    np.testing.assert_array_equal(seen[:, :12], fixed[:, :12])
    np.testing.assert_array_equal(seen[:, 12:], other[:, 12:])
    switch.show('difference')
    seen = np.asarray(image_of_view(viewer_model).data)
    np.testing.assert_allclose(seen, other - fixed, atol=1e-4)


def test_views_lie_where_the_fixed_image_lies(
    viewer_model: ViewerModel,
) -> None:
    run = add_run(viewer_model, rotate=(0, 20, 5), translate=(1, 2, 3))
    switch = ViewSwitch(viewer_model)
    switch.set_run(run)
    fixed = viewer_model.layers['ES']
    from napari_adacs.app.review.views.registry import VIEWS

    for name in VIEWS:
        switch.show(name)
        assert switch.view is not None
        for layer in switch.view.layers:
            point = (1.0, 2.0, 3.0)
            np.testing.assert_allclose(
                layer.data_to_world(point), fixed.data_to_world(point)
            )
            assert layer.units == fixed.units
