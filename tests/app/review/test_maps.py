"""Maps over the image: values, colours, threshold, outline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app.review.isolines import isolines
from napari_adacs.app.review.map_view import MapView
from napari_adacs.app.review.maps import LazyJacobian, map_names, map_of
from napari_adacs.app.session import Run
from napari_adacs.spatial.jacobian import jacobian_determinant
from tests.app.review.pairs import add_run, state


@pytest.fixture
def run(viewer_model: ViewerModel) -> Run:
    """A registration."""
    return add_run(viewer_model, labels=False)


@pytest.fixture
def maps(viewer_model: ViewerModel, run: Run) -> MapView:
    """Its maps."""
    made = MapView(viewer_model)
    made.set_run(run)
    return made


@pytest.mark.parametrize('shape', [(7, 8), (5, 6, 7)])
def test_the_determinant_is_the_same_slice_by_slice(
    shape: tuple[int, ...],
) -> None:
    rng = np.random.default_rng(0)
    voxels = rng.normal(0, 1, (len(shape), *shape)).astype(np.float32)
    expected = jacobian_determinant(voxels)
    lazy = LazyJacobian(voxels)
    np.testing.assert_allclose(lazy, expected, rtol=1e-5, atol=1e-5)
    for axis, size in enumerate(shape):
        for i in range(size):
            key = [slice(None)] * len(shape)
            key[axis] = i
            np.testing.assert_allclose(
                lazy[tuple(key)], expected[tuple(key)], rtol=1e-5, atol=1e-5
            )
    np.testing.assert_allclose(lazy[1:3], expected[1:3], rtol=1e-5, atol=1e-5)


def test_maps_that_a_model_lacks_are_not_offered(run: Run) -> None:
    assert map_names(run.result) == [
        'score',
        'weight',
        'variance',
        'displacement_sd',
        'residual',
        'jacobian',
    ]
    plain = replace(
        run.result,
        score=None,
        weight=None,
        variance=None,
        displacement_sd=None,
    )
    assert map_names(plain) == ['residual', 'jacobian']


def test_values_are_not_copied(viewer_model: ViewerModel, run: Run) -> None:
    for name in ('score', 'weight', 'variance', 'residual'):
        found = map_of(viewer_model, run, name)
        assert found.data is getattr(run.result, name)
        low, high = found.limits
        assert low < high
        assert low <= found.threshold <= high


@pytest.mark.parametrize('name', ['score', 'residual', 'jacobian'])
def test_a_map_comes_and_goes(
    viewer_model: ViewerModel, maps: MapView, name: str
) -> None:
    before = state(viewer_model)
    maps.show(name)
    assert maps.name == name
    image = viewer_model.layers[f'Map: {maps.shown.kind.noun}']
    assert image.opacity == 0.5
    assert image.colorbar.visible
    # only one map at a time, lest colours mix
    assert not viewer_model.layers['ED → ES [m] score'].visible
    assert viewer_model.layers['ES'].visible
    maps.set_opacity(0.8)
    assert image.opacity == 0.8
    maps.show(None)
    assert state(viewer_model) == before


def test_only_what_is_suspect_is_coloured(
    viewer_model: ViewerModel, maps: MapView
) -> None:
    maps.show('score')
    low, high = maps.shown.limits
    maps.set_threshold(low + (high - low) / 4)
    maps.set_only_suspect(True)
    image = viewer_model.layers['Map: score']
    alpha = image.colormap.map(np.array([0.0, 0.2, 0.3, 1.0]))[:, 3]
    np.testing.assert_array_equal(alpha, [1, 1, 0, 0])
    maps.show('residual')
    maps.set_threshold(np.mean(maps.shown.limits))
    image = viewer_model.layers['Map: residual']
    alpha = image.colormap.map(np.array([0.0, 0.4, 0.6, 1.0]))[:, 3]
    np.testing.assert_array_equal(alpha, [0, 0, 1, 1])


@pytest.mark.parametrize('order', [(0, 1, 2), (1, 2, 0)])
def test_the_outline_follows_the_slice(
    viewer_model: ViewerModel,
    run: Run,
    maps: MapView,
    order: tuple[int, ...],
) -> None:
    maps.show('score')
    maps.set_contour(True)
    maps.set_threshold(0.5)
    lines = viewer_model.layers['Map: score, threshold']
    viewer_model.dims.order = order
    for step in (2, 5):
        viewer_model.dims.set_current_step(order[0], step)
        values = np.take(run.result.score, step, axis=order[0])
        pieces = isolines(values, 0.5)
        kept = sorted(order[1:])
        np.testing.assert_allclose(lines.data[:, 0, kept], pieces[:, 0])
        np.testing.assert_allclose(lines.data[:, 1, kept], pieces[:, 1])
        assert (lines.data[:, 0, order[0]] == step).all()
        share = maps.suspect_percent()
        assert share == pytest.approx(100 * (values < 0.5).mean())
    maps.set_contour(False)
    assert not lines.visible


def test_an_outline_runs_where_the_level_is_crossed() -> None:
    values = np.add.outer(np.arange(5.0), np.zeros(4))
    pieces = isolines(values, 1.25)
    np.testing.assert_allclose(pieces[:, 0, 0], 1.25)
    np.testing.assert_allclose(np.abs(pieces[:, 1]).sum(), 3)
    assert isolines(values, 99).shape == (0, 2, 2)
    assert isolines(values[:1], 0.5).shape == (0, 2, 2)


def test_removing_the_map_lets_go_of_it(
    viewer_model: ViewerModel, maps: MapView
) -> None:
    before = state(viewer_model)
    maps.show('score')
    viewer_model.layers.remove('Map: score')
    assert maps.name is None
    assert state(viewer_model) == before


def test_the_same_map_of_another_registration(
    viewer_model: ViewerModel, run: Run, maps: MapView
) -> None:
    maps.show('score')
    plain = replace(run, result=replace(run.result, score=None))
    maps.set_run(plain)
    assert maps.name is None
    maps.set_run(run)
    maps.show('residual')
    maps.set_run(plain)
    assert maps.name == 'residual'
    maps.close()
    assert maps.names() == []
