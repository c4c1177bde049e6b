"""The coloured surface: values, place, colours, and what it replaces."""

from __future__ import annotations

from copy import deepcopy
from threading import Event
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels, Layer, Surface

from napari_adacs.app.layer_evaluation import (
    EvaluationRequest,
    LayerEvaluation,
    evaluate_layers,
)
from napari_adacs.app.layers import grid_of, image_of, layer_kwargs
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.session import LayerRef, Run
from napari_adacs.app.surface_layer import (
    coloured_surface,
    find_surface,
    show_colorbar,
    show_surface,
)
from napari_adacs.app.view_state import ViewState, look_at
from napari_adacs.errors import CancelledError, InputError
from napari_adacs.evaluation.mesh import mesh_distances, surface_mesh
from tests.app.results import made_up_result

MM = ('mm',) * 3


def no_report(fraction: float, message: str) -> None:
    pass


def ball(radius: float, shape: tuple[int, ...]) -> np.ndarray:
    index = np.indices(shape)
    middle = (np.array(shape) - 1).reshape(-1, *[1] * len(shape)) / 2
    inside: np.ndarray = np.linalg.norm(index - middle, axis=0) < radius
    return inside.astype(np.uint8)


def ref(layer: Labels) -> LayerRef:
    return LayerRef(str(layer.unique_id), layer.name)


def evaluated(
    viewer: ViewerModel,
    shape: tuple[int, ...] = (16, 14, 12),
    *,
    register: bool = True,
    **place: Any,
) -> LayerEvaluation:
    ndim = len(shape)
    place = place or {
        'scale': (3, 2, 1)[-ndim:],
        'translate': (5, -7, 9)[-ndim:],
        'units': MM[-ndim:],
    }
    moving = viewer.add_labels(ball(5, shape), name='ED', **place)
    fixed = viewer.add_labels(ball(3.5, shape), name='ES', **place)
    run = None
    if register:
        side = LayerRef('x', 'x')
        result: Any = made_up_result(grid_of(fixed))
        run = Run('g', 'a → b [m]', side, side, result)
    request = EvaluationRequest(
        image_of(moving), image_of(fixed), ref(moving), ref(fixed), run
    )
    return evaluate_layers(request, no_report, Event())


def test_values_are_distances_in_mm(viewer_model: ViewerModel) -> None:
    found = evaluated(viewer_model)
    surface = coloured_surface(found, 1, no_report, Event())
    mesh = surface_mesh(found.found.fixed == 1)
    for when, labels in (
        ('before', found.found.before),
        ('after', found.found.warped),
    ):
        other = surface_mesh(labels == 1)
        expected = mesh_distances(mesh, other, (3, 2, 1))
        assert surface.distances[when] == pytest.approx(expected)
        assert f'mean {expected.mean():.2f}' in surface.sentence(when)
    highest = max(np.percentile(x, 98) for x in surface.distances.values())
    assert highest <= surface.limits[1] < 2.1 * highest


def test_the_layer_lies_on_the_fixed_labels(
    viewer_model: ViewerModel,
) -> None:
    found = evaluated(viewer_model)
    surface = coloured_surface(found, 1, no_report, Event())
    layer = show_surface(viewer_model, found, surface, 'after')
    fixed = viewer_model.layers['ES']
    assert layer.name == 'ES 1: distance after (mm)'
    for name, value in layer_kwargs(fixed).items():
        assert np.all(layer_kwargs(layer)[name] == value), name
    # in the world, its middle is that of the fixed ball
    corners = np.array([layer.data_to_world(x) for x in layer.data[0]])
    inside = np.argwhere(np.asarray(fixed.data) == 1)
    voxels = np.array([fixed.data_to_world(x) for x in inside])
    assert corners.mean(axis=0) == pytest.approx(voxels.mean(axis=0), abs=0.1)
    assert np.allclose(layer.vertex_values, surface.distances['after'])


def test_the_colour_bar_comes_once(viewer_model: ViewerModel) -> None:
    found = evaluated(viewer_model)
    surface = coloured_surface(found, 1, no_report, Event())
    layer = show_surface(viewer_model, found, surface, 'after')
    show_colorbar(layer)
    assert layer.colorbar.visible
    layer.colorbar.visible = False
    show_colorbar(show_surface(viewer_model, found, surface, 'before'))
    assert not layer.colorbar.visible


def test_the_same_surface_is_recoloured(viewer_model: ViewerModel) -> None:
    found = evaluated(viewer_model)
    surface = coloured_surface(found, 1, no_report, Event())
    layer = show_surface(viewer_model, found, surface, 'after')
    count = len(viewer_model.layers)
    assert show_surface(viewer_model, found, surface, 'before') is layer
    assert len(viewer_model.layers) == count
    assert np.allclose(layer.vertex_values, surface.distances['before'])
    assert layer.name == 'ES 1: distance before (mm)'
    assert layer.contrast_limits == pytest.approx(surface.limits)


def test_what_a_person_changed_stays(viewer_model: ViewerModel) -> None:
    found = evaluated(viewer_model)
    surface = coloured_surface(found, 1, no_report, Event())
    layer = show_surface(viewer_model, found, surface, 'after')
    layer.name = 'mine'
    layer.contrast_limits = (0, 1)
    show_surface(viewer_model, found, surface, 'before')
    assert layer.name == 'mine'
    assert layer.contrast_limits == pytest.approx((0, 1))


def test_a_deleted_surface_comes_anew(viewer_model: ViewerModel) -> None:
    found = evaluated(viewer_model)
    surface = coloured_surface(found, 1, no_report, Event())
    first = show_surface(viewer_model, found, surface, 'after')
    viewer_model.layers.remove(first)
    assert find_surface(viewer_model, found, 1) is None
    assert show_surface(viewer_model, found, surface, 'after') is not first


def test_the_labels_may_be_gone(viewer_model: ViewerModel) -> None:
    found = evaluated(viewer_model)
    expected = layer_kwargs(viewer_model.layers['ES'])
    surface = coloured_surface(found, 1, no_report, Event())
    viewer_model.layers.clear()
    layer = show_surface(viewer_model, found, surface, 'after')
    assert layer.scale == pytest.approx(expected['scale'])
    assert layer.translate == pytest.approx(expected['translate'])


def test_it_goes_with_the_results_it_shows(viewer_model: ViewerModel) -> None:
    found = evaluated(viewer_model)
    surface = coloured_surface(found, 1, no_report, Event())
    layer = show_surface(viewer_model, found, surface, 'after')
    copy = viewer_model.add_layer(deepcopied(layer))
    ResultGroup(viewer_model, 'another').remove()
    assert layer in viewer_model.layers
    ResultGroup(viewer_model, 'g').remove()
    assert layer not in viewer_model.layers
    assert copy in viewer_model.layers
    before = evaluated(viewer_model, register=False)
    surface = coloured_surface(before, 1, no_report, Event())
    layer = show_surface(viewer_model, before, surface, 'before')
    ResultGroup(viewer_model, 'g').remove()
    assert layer in viewer_model.layers


def deepcopied(layer: Surface) -> Surface:
    """Return what napari's Duplicate Layer makes of one."""
    data, options, kind = layer.as_layer_data_tuple()
    return Layer.create(deepcopy(data), {**options, 'name': 'copy'}, kind)


def test_in_2d_it_is_a_coloured_contour(viewer_model: ViewerModel) -> None:
    found = evaluated(viewer_model, (20, 18))
    surface = coloured_surface(found, 1, no_report, Event())
    layer = show_surface(viewer_model, found, surface, 'after')
    assert layer.ndim == 2
    vertices, faces, values = layer.data
    assert len(vertices) == len(values)
    assert faces.max() < len(vertices)
    assert values.max() == pytest.approx(surface.distances['after'].max())
    radius = np.linalg.norm(vertices - (np.array([20, 18]) - 1) / 2, axis=1)
    assert abs(radius - 3.5).max() < 1.3


def test_without_a_registration_there_is_before(
    viewer_model: ViewerModel,
) -> None:
    found = evaluated(viewer_model, register=False)
    surface = coloured_surface(found, 1, no_report, Event())
    assert list(surface.distances) == ['before']
    assert surface.sentence('after') == ''


def test_a_label_that_is_not_there_is_refused(
    viewer_model: ViewerModel,
) -> None:
    found = evaluated(viewer_model)
    with pytest.raises(InputError, match='missing in the fixed'):
        coloured_surface(found, 2, no_report, Event())


def test_it_can_be_cancelled(viewer_model: ViewerModel) -> None:
    found, cancel = evaluated(viewer_model), Event()
    cancel.set()
    with pytest.raises(CancelledError):
        coloured_surface(found, 1, no_report, cancel)


def test_looking_at_it_and_going_back(viewer_model: ViewerModel) -> None:
    found = evaluated(viewer_model)
    surface = coloured_surface(found, 1, no_report, Event())
    viewer_model.layers['ED'].visible = False
    before = ViewState.of(viewer_model)
    layer = show_surface(viewer_model, found, surface, 'after')
    look_at(viewer_model, layer)
    shown = [x.name for x in viewer_model.layers if x.visible]
    assert shown == [layer.name]
    assert viewer_model.dims.ndisplay == 3
    before.restore(viewer_model)
    shown = [x.name for x in viewer_model.layers if x.visible]
    assert shown == ['ES']
    assert viewer_model.dims.ndisplay == 2
