"""Pictures of a slice: fixed, warped, difference, checkerboard, map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.review.verdicts import Place

_WIDTH = 260  # pixels
_LARGEST = 400
_SQUARES = 8  # along the longer side
# Colour-blind-safe ends of the signed difference: orange where the fixed
# image is brighter, blue where the warped one is.
_BRIGHTER = np.array([0.90, 0.38, 0.00])
_DARKER = np.array([0.13, 0.40, 0.67])
_FULL_COLOUR = 0.5  # of the intensity range
_FIXED_LINE = (0, 158, 115)
_WARPED_LINE = (230, 159, 0)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Volumes:
    """What pictures are made of, all on the fixed grid.

    Parameters
    ----------
    fixed, warped : (*shape) numpy.ndarray
        Images, each in intensities of its own.
    map_name : str, default: ''
        What `map_values` is: 'score' or 'variance'.
    map_values : (*shape) numpy.ndarray, optional
        The map of the model.
    fixed_labels, warped_labels : (*shape) numpy.ndarray, optional
        Segmentations, drawn as outlines.
    spacing : tuple of float
        Voxel size per axis.
    """

    fixed: NDArray[Any] | None
    warped: NDArray[Any]
    spacing: tuple[float, ...]
    map_name: str = ''
    map_values: NDArray[Any] | None = None
    fixed_labels: NDArray[Any] | None = None
    warped_labels: NDArray[Any] | None = None

    def limits(self) -> dict[str, tuple[float, float]]:
        """Return the darkest and brightest value of each volume."""
        found = {'warped': _limits(self.warped)}
        if self.fixed is not None:
            found['fixed'] = _limits(self.fixed)
        if self.map_values is not None:
            found['map'] = _limits(self.map_values)
        return found


def slice_pictures(
    volumes: Volumes,
    place: Place,
    limits: Mapping[str, tuple[float, float]],
) -> dict[str, Pixels]:
    """Return the pictures of a slice by their captions.

    Parameters
    ----------
    volumes : Volumes
        What to show.
    place : (int, int)
        Axis and index.
    limits : mapping of str to (float, float)
        From `Volumes.limits`: the same for all slices of a volume.

    Returns
    -------
    dict of str to (height, width, 3) numpy.ndarray of uint8
        In the order in which to show them; pixels are square in the world.
    """
    ndim = volumes.warped.ndim
    axes = [a for a in range(ndim) if ndim == 2 or a != place[0]]
    shape = _size(
        [volumes.warped.shape[a] for a in axes],
        [volumes.spacing[a] for a in axes],
    )

    def part(values: NDArray[Any], name: str) -> NDArray[np.float64]:
        low, high = limits[name]
        plane = np.asarray(_plane(values, place), float)
        scaled = (plane - low) / (high - low)
        return _resized(np.clip(scaled, 0, 1), shape)

    warped = part(volumes.warped, 'warped')
    found: dict[str, Pixels] = {}
    if volumes.fixed is not None:
        fixed = part(volumes.fixed, 'fixed')
        found['fixed'] = _grey(fixed)
        found['warped'] = _grey(warped)
        found['fixed − warped'] = _signed(fixed - warped)
        found['checkerboard'] = _grey(_checkerboard(fixed, warped))
    else:
        found['warped'] = _grey(warped)
    if volumes.fixed_labels is not None and volumes.warped_labels is not None:
        ground = fixed if volumes.fixed is not None else warped
        found['labels: fixed solid, warped dashed'] = _outlined(
            _grey(0.8 * ground),
            _plane(volumes.fixed_labels, place),
            _plane(volumes.warped_labels, place),
        )
    if volumes.map_values is not None:
        colours = 'viridis' if volumes.map_name == 'score' else 'magma'
        shown = part(volumes.map_values, 'map')
        low, high = limits['map']
        caption = f'{volumes.map_name}, {low:.2g} to {high:.2g}'
        found[caption] = _coloured(shown, colours)
    return found


def _plane(values: NDArray[Any], place: Place) -> NDArray[Any]:
    return values if values.ndim == 2 else values.take(place[1], place[0])


def _outlined(
    pixels: Pixels, fixed: NDArray[Any], warped: NDArray[Any]
) -> Pixels:
    """Draw the borders of labels: fixed solid, warped dashed."""
    shape = pixels.shape[:2]
    drawn = pixels.copy()
    dashes = (np.add(*np.indices(shape)) // 4) % 2 == 0
    drawn[_border(fixed, shape)] = _FIXED_LINE
    drawn[_border(warped, shape) & dashes] = _WARPED_LINE
    return drawn


def _border(labels: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels at which another label begins."""
    rows, columns = (
        np.minimum((np.arange(new) + 0.5) * old / new, old - 1).astype(int)
        for new, old in zip(shape, labels.shape, strict=True)
    )
    large = labels[rows][:, columns]
    border = np.zeros(shape, bool)
    border[:-1] |= large[:-1] != large[1:]
    border[:, :-1] |= large[:, :-1] != large[:, 1:]
    # wide enough to be seen when the picture is shown smaller
    border[1:] |= border[:-1].copy()
    border[:, 1:] |= border[:, :-1].copy()
    return border


def _limits(values: NDArray[Any]) -> tuple[float, float]:
    low, high = (float(x) for x in np.percentile(values, (0.5, 99.8)))
    return low, high if high > low else low + 1.0


def _size(shape: list[int], spacing: list[float]) -> tuple[int, int]:
    """Return height and width in pixels that are square in the world."""
    height, width = (n * s for n, s in zip(shape, spacing, strict=True))
    scale = min(_WIDTH / width, _LARGEST / height)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _resized(
    plane: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.float64]:
    from scipy.ndimage import map_coordinates

    steps = [
        (np.arange(new) + 0.5) * old / new - 0.5
        for new, old in zip(shape, plane.shape, strict=True)
    ]
    places = np.meshgrid(*steps, indexing='ij')
    resized: NDArray[np.float64] = map_coordinates(
        plane, places, order=1, mode='nearest'
    )
    return resized


def _grey(values: NDArray[np.float64]) -> Pixels:
    return _bytes(np.repeat(values[..., None], 3, axis=2))


def _signed(values: NDArray[np.float64]) -> Pixels:
    amount = np.clip(np.abs(values) / _FULL_COLOUR, 0, 1)[..., None]
    ends = np.where(values[..., None] > 0, _BRIGHTER, _DARKER)
    return _bytes(1 - amount * (1 - ends))


def _checkerboard(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    side = max(1, max(first.shape) // _SQUARES)
    rows, columns = np.indices(first.shape) // side
    return np.where((rows + columns) % 2 == 0, first, second)


def _coloured(values: NDArray[np.float64], name: str) -> Pixels:
    from napari.utils.colormaps import ensure_colormap

    colours = ensure_colormap(name).map(values.ravel())[:, :3]
    return _bytes(colours.reshape(*values.shape, 3))


def _bytes(values: NDArray[np.floating]) -> Pixels:
    pixels: Pixels = np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)
    return pixels
