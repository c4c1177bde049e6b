"""Registered pairs that nobody registered, with made-up values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from napari.components import ViewerModel

from napari_adacs.app.layer_specs import Role, layer_specs
from napari_adacs.app.layers import grid_of, layer_kwargs
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.session import LayerRef, Run
from tests.app.results import made_up_result

SHAPE = (8, 10, 12)
MM = ('mm',) * 3
SCALE = (3.0, 2.0, 1.0)
# Enough to hide; every layer costs a test its time.
_SHOWN = (Role.WARPED, Role.SCORE, Role.LABELS)


def add_run(
    viewer: ViewerModel,
    shape: tuple[int, ...] = SHAPE,
    *,
    labels: bool = True,
    **placement: Any,
) -> Run:
    """Add a pair, its labels and its results; return the registration."""
    ndim = len(shape)
    placed = {'scale': SCALE[-ndim:], 'units': MM[:ndim], **placement}
    rng = np.random.default_rng(3)
    layers = {}
    for name in ('ED', 'ES'):
        values = rng.integers(0, 200, shape).astype(np.uint8)
        layers[name] = viewer.add_image(values, name=name, **placed)
        layers[name].contrast_limits = (0, 200)
        if labels:
            mask = (values > 120).astype(np.uint8)
            layers[f'{name} labels'] = viewer.add_labels(
                mask, name=f'{name} labels', visible=False, **placed
            )
    return run_on(viewer, layers)


def run_on(viewer: ViewerModel, layers: dict[str, Any]) -> Run:
    """Make up a registration of layers 'ED' and 'ES' and show its result."""
    fixed = layers['ES']
    result = made_up_result(grid_of(fixed))
    warped = (255 * result.warped).astype(np.float32)
    result = replace(result, warped=warped)
    refs = {
        name: LayerRef(str(layer.unique_id), layer.name)
        for name, layer in layers.items()
    }
    mask = None
    if 'ED labels' in layers:
        mask = np.roll(layers['ED labels'].data, 1, axis=-1)
    specs, _ = layer_specs(result, mask)
    group = ResultGroup(viewer, 'group', 'ED → ES [m]', layer_kwargs(fixed))
    shown = [s for s in specs if s.role in _SHOWN]
    for layer in group.show(shown):
        if layer.name.endswith('warped'):
            layer.contrast_limits = (0, 255)
    return Run(
        'group',
        'ED → ES [m]',
        refs['ED'],
        refs['ES'],
        result,
        refs.get('ED labels'),
    )


def state(viewer: ViewerModel) -> list[Any]:
    """Return all that a person sees of the layers, to be compared."""
    return [
        (
            layer.name,
            layer.visible,
            layer.opacity,
            layer.blending,
            str(getattr(layer, 'colormap', None)),
            tuple(getattr(layer, 'contrast_limits', ())),
            getattr(layer, 'contour', None),
        )
        for layer in viewer.layers
    ]


def image_of_view(viewer: ViewerModel) -> Any:
    """Return the one visible image layer of a view."""
    from napari.layers import Image

    from napari_adacs.app.result_layers import is_view_layer

    shown = [
        layer
        for layer in viewer.layers
        if is_view_layer(layer) and layer.visible and isinstance(layer, Image)
    ]
    assert len(shown) == 1
    return shown[0]
