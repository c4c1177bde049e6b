"""From napari layers to grids and images, and back to placement.

napari's world has its axes in array order, (z, y, x), in the units of each
layer; a `Grid` has (x, y, z) in millimetres. This module is where the two
meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.about_layer import about_layer
from napari_adacs.app.units import convert, in_mm, is_length, is_time
from napari_adacs.errors import InputError
from napari_adacs.registration.about import About
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.spatial.grid import Grid
from napari_adacs.spatial.stack import slice_axis

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

# Key of what the file said about itself, in the metadata of its layers.
FILE_KEY = 'napari_adacs_file'
_AXES = ('z', 'y', 'x')
# Headers hold single-precision numbers: less than this share of a voxel per
# voxel is no tilt.
_UPRIGHT = 1e-5


@dataclass(frozen=True, eq=False)
class LayerImage:
    """An image or one frame of a layer, not yet in memory.

    Parameters
    ----------
    source : array_like
        Data of the layer, at full resolution; NumPy, dask or zarr.
    frame : int or None
        Index along the first axis; None takes everything.
    grid : Grid
        Where the image lies, in mm or voxels.
    name : str
        What messages call it.
    about : About
        What layer and file say of it.
    """

    source: Any
    frame: int | None
    grid: Grid
    name: str
    about: About = About()

    def load(self) -> ImageOnGrid:
        """Bring the voxels into memory; call it in a worker."""
        part = self.source if self.frame is None else self.source[self.frame]
        return ImageOnGrid(np.asarray(part), self.grid, self.name, self.about)


def is_sequence(layer: Layer) -> bool:
    """Whether the first axis of a layer is time."""
    if layer.ndim == 4:
        return True
    return layer.ndim == 3 and is_time(layer.units[0], layer.axis_labels[0])


def may_be_frames(layer: Layer) -> bool:
    """Whether a layer may be a sequence of 2D images without saying so.

    A first axis with a unit of length is one of space.
    """
    if layer.ndim != 3 or is_sequence(layer) or getattr(layer, 'rgb', False):
        return False
    return not is_length(layer.units[0])


def is_stack(layer: Layer, frame: int | None = None) -> bool:
    """Whether the slices of a layer are far apart, as in cine MRI."""
    try:
        return slice_axis(grid_of(layer, frame)) is not None
    except InputError:
        return False


def frame_count(layer: Layer) -> int:
    """Return the length of the first axis."""
    return int(_finest(layer).shape[0])


def grid_of(layer: Layer, frame: int | None = None) -> Grid:
    """Return where a layer lies, in millimetres if its units allow.

    Parameters
    ----------
    layer : Image or Labels
        2D or 3D, or a sequence of such images with time first.
    frame : int, optional
        Frame of a sequence. A 3D layer with a frame is a sequence of 2D
        images.

    Returns
    -------
    Grid
        Grid of the array as it is, without the time axis.

    Raises
    ------
    InputError
        If the layer has another number of axes, mixes units, lacks the
        frame, or its geometry is unusable.
    """
    first = _first_spatial_axis(layer, frame)
    shape = _finest(layer).shape[first : layer.ndim]
    factors, physical = in_mm(layer.units[first:])
    origin, steps = _placement(layer, first)
    scale = np.asarray(factors)
    affine = np.eye(len(shape) + 1)
    affine[:-1, :-1] = (steps * scale[:, None])[::-1]
    affine[:-1, -1] = (origin * scale)[::-1]
    return Grid(
        tuple(shape),
        affine,
        'mm' if physical else 'voxel',
        _file_axes(layer, len(shape)),
    )


def image_of(
    layer: Image | Labels, frame: int | None = None, name: str = 'image'
) -> LayerImage:
    """Return an image of a layer without reading its voxels.

    Parameters
    ----------
    layer : Image or Labels
        2D or 3D, or a sequence of such images with time first.
    frame : int, optional
        Frame of a sequence.
    name : str, default: 'image'
        What messages call it.

    Raises
    ------
    InputError
        If the layer is in colour or `grid_of` refuses it.
    """
    if getattr(layer, 'rgb', False):
        raise InputError(
            f"The layer '{layer.name}' is in colour.",
            'Split its channels, or convert it to grey values first.',
        )
    grid, about = grid_of(layer, frame), about_layer(layer, frame)
    return LayerImage(_finest(layer), frame, grid, name, about)


def current_frame(viewer: ViewerModel, layer: Layer) -> int:
    """Return the frame of a sequence that the viewer shows.

    The sliders of the viewer are in units that all layers share, which need
    not be those of the layer.
    """
    point = np.asarray(viewer.dims.point, dtype=float)[-layer.ndim :]
    shared = viewer.layers.units
    if shared is not None:
        pairs = zip(point, shared[-layer.ndim :], layer.units, strict=True)
        point = np.array([convert(p, s, u) for p, s, u in pairs])
    index = round(float(layer.world_to_data(point)[0]))
    return int(np.clip(index, 0, frame_count(layer) - 1))


def layer_kwargs(
    reference: Grid | Layer, *, ndim: int | None = None
) -> dict[str, Any]:
    """Return the keyword arguments that place a layer.

    Parameters
    ----------
    reference : Grid or Layer
        A layer to lie exactly on, or a grid.
    ndim : int, optional
        Number of axes of the new layer; one less than the reference layer
        leaves out its time axis.

    Returns
    -------
    dict
        scale, translate, units and axis_labels, and what else is needed of
        rotate, shear and affine.
    """
    if isinstance(reference, Grid):
        return _placed_on_grid(reference)
    return _placed_like(reference, ndim or reference.ndim)


def _finest(layer: Layer) -> Any:
    """Return the data at full resolution, lazy as they are."""
    return layer.data[0] if getattr(layer, 'multiscale', False) else layer.data


def _first_spatial_axis(layer: Layer, frame: int | None) -> int:
    """Return 1 for a frame of a sequence, else 0; check the axes."""
    first = 0 if frame is None else 1
    if frame is None and is_sequence(layer):
        raise InputError(
            f"The layer '{layer.name}' is a sequence of "
            f'{frame_count(layer)} frames.',
            'Choose one of them.',
        )
    if layer.ndim - first not in (2, 3):
        raise InputError(
            f"The layer '{layer.name}' has {layer.ndim} axes.",
            'Choose a 2D or 3D layer, or one with time before such images.',
        )
    if frame is not None and not 0 <= frame < frame_count(layer):
        raise InputError(
            f"The layer '{layer.name}' has no frame {frame}.",
            f'Choose 0 to {frame_count(layer) - 1}.',
        )
    axes = zip(layer.units[first:], layer.axis_labels[first:], strict=True)
    if any(is_time(unit, label) for unit, label in axes):
        raise InputError(
            f"Time is not the first axis of the layer '{layer.name}'.",
            'Reorder its axes so that time comes first.',
        )
    return first


def _file_axes(layer: Layer, ndim: int) -> tuple[int, ...] | None:
    """Return how the file of a layer has its axes, if that is known."""
    axes = (layer.metadata.get(FILE_KEY) or {}).get('axes')
    return tuple(axes) if axes and len(axes) == ndim else None


def _placement(
    layer: Layer, first: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the world position of the first voxel and a step per axis.

    `layer.scale` alone would miss rotate, shear and affine.
    """
    zero = np.zeros(layer.ndim)
    origin = np.asarray(layer.data_to_world(zero))
    ends = [layer.data_to_world(unit) for unit in np.eye(layer.ndim)]
    steps = np.stack([np.asarray(end) - origin for end in ends], axis=1)
    mixed = np.abs(steps[:first, first:]).sum() + np.abs(steps[first:, :first])
    if first and mixed.max() > 1e-9:
        raise InputError(
            f"The layer '{layer.name}' mixes time and space.",
            'Remove the rotation or shear of its time axis.',
        )
    return origin[first:], steps[first:, first:]


def _placed_like(layer: Layer, ndim: int) -> dict[str, Any]:
    axes = list(range(layer.ndim - ndim, layer.ndim))
    square = np.ix_(axes, axes)
    return {
        'scale': np.asarray(layer.scale)[axes],
        'translate': np.asarray(layer.translate)[axes],
        'rotate': np.asarray(layer.rotate)[square],
        'shear': _shear_matrix(layer)[square],
        'affine': layer.affine.set_slice(axes).affine_matrix,
        'units': tuple(layer.units[i] for i in axes),
        'axis_labels': tuple(layer.axis_labels[i] for i in axes),
    }


def _shear_matrix(layer: Layer) -> NDArray[np.float64]:
    """Return shear as a matrix; napari gives its upper triangle."""
    values = np.asarray(layer.shear, dtype=float)
    if values.ndim == 2:
        return values
    matrix = np.eye(layer.ndim)
    matrix[np.triu_indices(layer.ndim, 1)] = values
    return matrix


def _placed_on_grid(grid: Grid) -> dict[str, Any]:
    ndim = grid.ndim
    linear = grid.affine[:-1, :-1][::-1]
    origin = grid.origin[::-1]
    placed: dict[str, Any] = {
        'scale': np.asarray(grid.spacing),
        'units': ('mm' if grid.units == 'mm' else 'pixel',) * ndim,
        'axis_labels': _AXES[-ndim:],
    }
    tilt = np.abs(linear - np.diag(placed['scale'])).max()
    if tilt <= _UPRIGHT * placed['scale'].min():
        return {**placed, 'translate': origin}
    affine = np.eye(ndim + 1)
    affine[:-1, :-1] = linear / placed['scale']
    affine[:-1, -1] = origin
    return {**placed, 'affine': affine}
