"""The segmentations that belong to a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_adacs.app.layers import grid_of, image_of
from napari_adacs.app.result_layers import is_input
from napari_adacs.app.review.lazy import FrameOf, OnGrid
from napari_adacs.app.review.likely_labels import REGION_KEY
from napari_adacs.errors import InputError

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer

    from napari_adacs.app.session import LayerRef, Run
    from napari_adacs.spatial.grid import Grid


def guess_fixed_labels(viewer: ViewerModel, run: Run) -> Labels | None:
    """Return the layer that looks like the fixed image's segmentation.

    Of those on the fixed grid that no registration made and that are not
    the moving labels, the one whose name begins most like the image's.
    """
    moving = None if run.labels is None else run.labels.layer_id
    fixed = run.fixed.find(viewer)
    name = run.fixed.name if fixed is None else fixed.name
    fitting = [
        layer
        for layer in viewer.layers
        if _are_labels(layer)
        and is_input(layer)
        and not layer.metadata.get(REGION_KEY)
        and (run.fixed.frame is not None or str(layer.unique_id) != moving)
        and _grid_in(layer, run) is not None
    ]
    return max(
        fitting, key=lambda x: _common_start(x.name, name), default=None
    )


def find_labels(
    viewer: ViewerModel, run: Run, chosen: LayerRef | None
) -> tuple[Labels, int | None] | None:
    """Return the labels of the fixed image, chosen or guessed."""
    if chosen is None:
        layer = guess_fixed_labels(viewer, run)
        return None if layer is None else (layer, _frame_for(layer, run))
    layer = chosen.find(viewer)
    return None if layer is None else (layer, chosen.frame)


def labels_on(grid: Grid, layer: Labels, frame: int | None) -> Any:
    """Return labels on a grid, not copied if they are on it."""
    own = grid_of(layer, frame)
    source = frame_of(image_of(layer, frame).source, frame)
    if own.same_space(grid):
        return source
    return OnGrid(source, grid.index_map_to(own), grid.shape, order=0)


def label_sources(
    run: Run, fixed: tuple[Labels, int | None] | None
) -> frozenset[str]:
    """Return the ids of the layers that labels are read from."""
    keys = set() if run.labels is None else {run.labels.layer_id}
    if fixed is not None:
        keys.add(str(fixed[0].unique_id))
    return frozenset(keys)


def frame_of(source: Any, frame: int | None) -> Any:
    """Return a frame of a sequence, not read yet."""
    if frame is None:
        return source
    if isinstance(source, np.ndarray):
        return source[frame]
    return FrameOf(source, frame)


def _frame_for(layer: Layer, run: Run) -> int | None:
    return run.fixed.frame if layer.ndim > run.result.field.grid.ndim else None


def _grid_in(layer: Labels, run: Run) -> Grid | None:
    """Return the grid of labels that lie on the fixed image, else None."""
    try:
        grid = grid_of(layer, _frame_for(layer, run))
    except InputError:
        return None
    return grid if grid.same_space(run.result.field.grid) else None


def _are_labels(layer: Layer) -> bool:
    from napari.layers import Labels

    return isinstance(layer, Labels)


def _common_start(first: str, second: str) -> int:
    count = 0
    for a, b in zip(first, second, strict=False):
        if a != b:
            break
        count += 1
    return count
