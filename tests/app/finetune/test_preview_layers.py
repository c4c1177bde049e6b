"""Layers that change while a run learns."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app.finetune.preview_layers import PreviewLayers
from napari_adacs.app.finetune.preview_picture import picture_of
from napari_adacs.app.layers import grid_of, image_of
from napari_adacs.app.result_layers import is_input, is_view_layer
from napari_adacs.models.header import Preprocessing
from napari_adacs.registration.preprocess import network_grid, resample
from napari_adacs.runs.preview import Preview
from tests.app.pairs import add_pair

SHAPE = (8, 10, 12)
NAMES = ('fixed', 'moving', 'warped', 'score', 'variance')


def _preview(step: int = 1, value: float = 0.25, shape=SHAPE) -> Preview:
    images = {name: np.full(shape, value, np.float16) for name in NAMES}
    images['fixed'] = np.random.default_rng(0).random(shape).astype('f2')
    return Preview(step, images, (1.0,) * len(shape))


def _show(layers: PreviewLayers, preview: Preview) -> None:
    for _ in layers.show(picture_of(preview)):
        pass


def test_layers_come_change_and_go(viewer_model: ViewerModel) -> None:
    add_pair(viewer_model)
    mine = list(viewer_model.layers)
    layers = PreviewLayers(viewer_model, 'a run')
    _show(layers, _preview())
    found = layers.layers()
    assert set(found) == set(NAMES)
    assert [x.name for x in viewer_model.layers[:2]] == ['ED', 'ES']
    assert all(is_view_layer(x) and not is_input(x) for x in found.values())
    assert found['fixed'].visible and found['warped'].visible
    # one map over the images, not two
    assert found['score'].visible and not found['variance'].visible
    _show(layers, _preview(2, 0.75))
    assert layers.layers()['warped'] == found['warped']
    assert float(found['warped'].data.max()) == 0.75
    layers.remove()
    assert list(viewer_model.layers) == mine


def test_what_a_person_does_to_them_stays(viewer_model: ViewerModel) -> None:
    layers = PreviewLayers(viewer_model, 'a run')
    _show(layers, _preview())
    found = layers.layers()
    found['score'].name = 'mine'
    found['score'].opacity = 0.9
    viewer_model.layers.remove(found['moving'])
    _show(layers, _preview(2))
    assert 'moving' not in layers.layers()
    assert layers.layers()['score'].opacity == 0.9
    layers.keep()
    layers.remove()
    assert len(viewer_model.layers) == len(NAMES) - 1
    assert all(is_input(layer) for layer in viewer_model.layers)


def test_another_dock_takes_the_layers_over(
    viewer_model: ViewerModel,
) -> None:
    _show(PreviewLayers(viewer_model, 'a run'), _preview())
    before = list(viewer_model.layers)
    layers = PreviewLayers(viewer_model, 'a run')
    _show(layers, _preview(2))
    assert list(viewer_model.layers) == before
    assert not PreviewLayers(viewer_model, 'other').layers()


def test_the_selection_stays(viewer_model: ViewerModel) -> None:
    add_pair(viewer_model)
    viewer_model.layers.selection = {viewer_model.layers['ED']}
    _show(PreviewLayers(viewer_model, 'a run'), _preview())
    assert viewer_model.layers.selection == {viewer_model.layers['ED']}


def test_a_flat_preview_has_two_axes(viewer_model: ViewerModel) -> None:
    layers = PreviewLayers(viewer_model, 'a run')
    preview = _preview(shape=SHAPE[:2])
    _show(layers, preview)
    layer = layers.layers()['fixed']
    assert layer.ndim == 2
    np.testing.assert_array_equal(layer.data, preview.images['fixed'])


@pytest.mark.parametrize('orientation', ['array', 'file', 'lps', 'beam'])
@pytest.mark.parametrize('ndim', [2, 3])
def test_it_lies_over_the_layers_it_comes_from(
    viewer_model: ViewerModel, ndim: int, orientation: str
) -> None:
    """However the network turns its axes."""
    shape = (24, 30, 36)[-ndim:]
    centre = np.array((9, 20, 10)[-ndim:])
    layer = viewer_model.add_image(
        _blob(shape, centre),
        scale=(3.0, 2.0, 1.0)[-ndim:],
        translate=(-7.0, 4.0, 11.0)[-ndim:],
        units=('mm',) * ndim,
    )
    fixed = image_of(layer, name='fixed').load()
    target = network_grid(
        fixed, Preprocessing('resize', (32,) * ndim, orientation), 1
    )
    seen = resample(fixed.data, fixed.grid, target)[0, 0].numpy()
    images = dict.fromkeys(NAMES, seen.astype(np.float16))
    layers = PreviewLayers(viewer_model, 'a run')
    _show(layers, Preview(1, images, target.spacing, grid=target))
    shown = layers.layers()['fixed']
    place = np.unravel_index(shown.data.argmax(), shown.data.shape)
    np.testing.assert_allclose(
        shown.data_to_world(place),
        layer.data_to_world(centre),
        atol=max(target.spacing),
    )
    # napari can slice along its axes
    linear = np.asarray(shown.affine.linear_matrix)
    assert np.allclose(linear, np.diag(np.diag(linear)))
    assert grid_of(shown).units == 'mm'


def _blob(shape: tuple[int, ...], centre: np.ndarray) -> np.ndarray:
    index = np.stack(np.indices(shape), -1)
    distance = np.square(index - centre).sum(-1)
    blob: np.ndarray = np.exp(-distance / 8).astype(np.float32)
    return blob
