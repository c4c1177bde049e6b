"""Layers that change while a run learns."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel

from napari_adacs.app.finetune.preview_layers import PreviewLayers
from napari_adacs.app.result_layers import is_input, is_view_layer
from napari_adacs.runs.preview import Preview
from tests.app.pairs import add_pair

SHAPE = (8, 10, 12)
NAMES = ('fixed', 'moving', 'warped', 'score', 'variance')


def _preview(step: int = 1, value: float = 0.25, shape=SHAPE) -> Preview:
    images = {name: np.full(shape, value, np.float16) for name in NAMES}
    images['fixed'] = np.random.default_rng(0).random(shape).astype('f2')
    return Preview(step, images, (1.0,) * len(shape))


def _show(layers: PreviewLayers, preview: Preview) -> None:
    for _ in layers.show(preview):
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
