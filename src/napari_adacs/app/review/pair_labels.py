"""The segmentations that belong to a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_adacs.app.layers import grid_of, image_of
from napari_adacs.app.review.lazy import FrameOf, OnGrid
from napari_adacs.app.review.likely_labels import likely_labels

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_adacs.app.session import LayerRef, Run
    from napari_adacs.spatial.grid import Grid


def find_labels(
    viewer: ViewerModel, run: Run, chosen: LayerRef | None
) -> tuple[Labels, int | None] | None:
    """Return the labels of the fixed image, chosen or likely."""
    _, reference = likely_labels(viewer, run, chosen)
    layer = None if reference is None else reference.find(viewer)
    if reference is None or layer is None:
        return None
    return layer, reference.frame


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
