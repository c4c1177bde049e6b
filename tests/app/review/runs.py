"""Registrations that nobody computed, shown in a viewer."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.components import ViewerModel

from napari_adacs.app import session
from napari_adacs.app.layer_specs import layer_specs
from napari_adacs.app.layers import grid_of, layer_kwargs
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.session import LayerRef, Run
from tests.app.pairs import SHAPE, add_pair
from tests.app.results import made_up_result


def reference(layer: Any) -> LayerRef:
    """Return a layer as runs know it."""
    return LayerRef(str(layer.unique_id), layer.name)


def ball(shape: tuple[int, ...], radius: float = 4) -> np.ndarray:
    """Return labels with a ball in the middle."""
    index = np.indices(shape)
    middle = np.reshape([n / 2 for n in shape], (-1, *[1] * len(shape)))
    return (((index - middle) ** 2).sum(0) < radius**2).astype(np.uint8)


def shown_run(
    viewer: ViewerModel,
    shape: tuple[int, ...] = SHAPE,
    *,
    voxels: np.ndarray | None = None,
    labels: bool = False,
    **options: Any,
) -> Run:
    """Show a made-up registration of 'ED' to 'ES' and remember it."""
    add_pair(viewer, shape, **options)
    moving, fixed = viewer.layers[-2:]
    moving_labels = None
    warped = None
    if labels:
        for name in ('ED_labels', 'ES_labels'):
            viewer.add_labels(ball(shape), name=name, **layer_kwargs(fixed))
        moving_labels = viewer.layers['ED_labels']
        warped = ball(shape, 3.5)
    result = made_up_result(grid_of(fixed), voxels)
    specs, _ = layer_specs(result, warped)
    key = session.group_id(reference(moving), reference(fixed), 'made-up')
    title = 'ED → ES [made-up]'
    group = ResultGroup(viewer, key, title, layer_kwargs(fixed))
    list(group.show(specs))
    run = Run(
        key,
        title,
        reference(moving),
        reference(fixed),
        result,
        None if moving_labels is None else reference(moving_labels),
        {
            'task': 'register',
            'inputs': {
                'moving': {'sha256': 'a' * 64},
                'fixed': {'sha256': 'b' * 64},
            },
        },
    )
    session.remember(run)
    return run
