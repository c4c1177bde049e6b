"""What a review compares: two images and their labels on the fixed grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.layer_specs import Role
from napari_adacs.app.layers import image_of, layer_kwargs
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.review.lazy import Key, OnGrid
from napari_adacs.app.review.pair_labels import (
    find_labels,
    frame_of,
    label_sources,
    labels_on,
)
from napari_adacs.errors import InputError

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer

    from napari_adacs.app.session import LayerRef, Run
    from napari_adacs.spatial.field import DisplacementField
    from napari_adacs.spatial.grid import Grid

Other = Literal['warped', 'moving']
Limits = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Side:
    """One image of a comparison, on the fixed grid, not copied.

    Parameters
    ----------
    data : (*fixed.shape) array_like
        Its intensities.
    limits : tuple of float
        Contrast limits it is seen with.
    name : str
        'fixed', 'warped' or 'moving'.
    labels : (*fixed.shape) array_like of int, optional
        Its segmentation.
    """

    data: Any
    limits: Limits
    name: str
    labels: Any = None

    def read(self, key: Key) -> NDArray[np.float32]:
        """Return a part of the image."""
        return np.asarray(self.data[key], np.float32)


@dataclass(frozen=True, eq=False)
class Pair:
    """Fixed against warped, or against moving, on the fixed grid.

    Parameters
    ----------
    fixed, other : Side
        What is compared.
    placement : mapping
        Keyword arguments that place a layer on the fixed image.
    grid : Grid
        The fixed grid, for voxel size and unit.
    field : DisplacementField
        Displacement on that grid.
    sources : frozenset of str
        Ids of the layers that the images are read from.
    label_sources : frozenset of str
        Ids of those that the labels are read from.
    interpolation : str, default: 'nearest'
        How napari draws the fixed image in 2D.
    """

    fixed: Side
    other: Side
    placement: Mapping[str, Any]
    grid: Grid
    field: DisplacementField
    sources: frozenset[str] = frozenset()
    label_sources: frozenset[str] = frozenset()
    interpolation: str = 'nearest'

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the fixed grid."""
        return self.grid.shape

    @property
    def unit(self) -> str:
        """Unit of lengths, as shown."""
        return 'mm' if self.grid.units == 'mm' else 'voxels'

    def read_other(self, key: Key) -> NDArray[np.float32]:
        """Return a part of the other image as if it were the fixed one.

        Its contrast limits are carried onto those of the fixed image, so
        that both can be drawn by one layer, or subtracted.
        """
        values = self.other.read(key)
        (a, b), (c, d) = self.other.limits, self.fixed.limits
        if (a, b) == (c, d):
            return values
        scale = (d - c) / (b - a)
        scaled: NDArray[np.float32] = values * np.float32(scale)
        return scaled + np.float32(c - a * scale)


def pair_of(
    viewer: ViewerModel,
    run: Run,
    other: Other = 'warped',
    fixed_labels: LayerRef | None = None,
) -> Pair:
    """Return what there is to compare of a registration.

    Parameters
    ----------
    viewer : ViewerModel
        Where its layers are.
    run : Run
        The registration.
    other : {'warped', 'moving'}, default: 'warped'
        What the fixed image is compared with: after or before.
    fixed_labels : LayerRef, optional
        Segmentation of the fixed image; guessed if omitted.

    Raises
    ------
    InputError
        If the layer of an image is gone, or its shape has changed.
    """
    grid = run.result.field.grid
    fixed = _find(viewer, run.fixed, 'fixed')
    moving = run.moving.find(viewer)
    if other == 'moving':
        moving = _find(viewer, run.moving, 'moving')
    results = ResultGroup(viewer, run.group_id).layers()
    image = image_of(fixed, run.fixed.frame)
    if image.grid.shape != grid.shape:
        raise InputError(
            f"The fixed layer '{fixed.name}' no longer has the shape it was "
            'registered with.',
            'Register again.',
        )
    labels = find_labels(viewer, run, fixed_labels)
    read = {run.fixed.layer_id}
    if other == 'moving':
        read.add(run.moving.layer_id)
    return Pair(
        Side(
            frame_of(image.source, image.frame),
            _limits(fixed),
            'fixed',
            None if labels is None else labels_on(grid, *labels),
        ),
        _other(viewer, run, other, moving, results),
        layer_kwargs(fixed, ndim=grid.ndim),
        grid,
        run.result.field,
        frozenset(read),
        label_sources(run, labels),
        fixed.interpolation2d,
    )


def _find(viewer: ViewerModel, ref: LayerRef, role: str) -> Image:
    layer = ref.find(viewer)
    if layer is None:
        raise InputError(
            f"The {role} layer '{ref.name}' is no longer in the viewer.",
            'Open the image again and register once more.',
        )
    return layer


def _other(
    viewer: ViewerModel,
    run: Run,
    other: Other,
    moving: Layer | None,
    results: Mapping[Role, Layer],
) -> Side:
    field_ = run.result.field
    if other == 'warped':
        labels = results.get(Role.LABELS)
        looks = results.get(Role.WARPED) or moving
        data = run.result.warped
        limits = _limits(looks) if looks is not None else _span(data)
        return Side(
            data, limits, 'warped', None if labels is None else labels.data
        )
    image = image_of(moving, run.moving.frame)
    source = _on(frame_of(image.source, image.frame), image.grid, field_)
    layer = None if run.labels is None else run.labels.find(viewer)
    moving_labels = None
    if layer is not None and run.labels is not None:
        moving_labels = labels_on(field_.grid, layer, run.labels.frame)
    return Side(source, _limits(moving), 'moving', moving_labels)


def _on(source: Any, grid: Grid, field_: DisplacementField) -> Any:
    if grid.same_space(field_.grid):
        return source
    matrix = field_.grid.index_map_to(grid)
    return OnGrid(source, matrix, field_.grid.shape)


def _limits(layer: Layer) -> Limits:
    low, high = map(float, layer.contrast_limits)
    return (low, high) if high > low else (low, low + 1.0)


def _span(data: NDArray[np.float32]) -> Limits:
    low, high = float(data.min()), float(data.max())
    return (low, high) if high > low else (low, low + 1.0)
