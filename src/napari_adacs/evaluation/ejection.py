"""Ejection fraction and chamber volumes from segmentations.

Volumes count voxels in 3D. An image of one plane has no volume of its own:
either its area is compared (fractional area change), or the chamber is taken
for a stack of discs along its long axis (Simpson's rule).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from napari_adacs.errors import InputError
from napari_adacs.evaluation.inputs import BoolArray, FloatArray, as_mask
from napari_adacs.evaluation.inputs import as_spacing as _as_spacing
from napari_adacs.evaluation.overlap import volume

Method = Literal['auto', 'voxels', 'area', 'discs']
Spacing = float | Sequence[float]

_DISCS = 20  # as the guidelines of echocardiography ask for
_FINE = 5  # each pixel is cut into this many parts per axis

_KINDS = {
    'voxels': 'ejection fraction',
    'area': 'fractional area change',
    'discs': 'ejection fraction, discs in one plane',
}


@dataclass(frozen=True)
class EjectionFraction:
    """How much of a chamber is emptied from end-diastole to end-systole.

    Parameters
    ----------
    end_diastolic, end_systolic : float
        Volume in the unit of the spacing cubed (mm³ if it is in mm); with
        ``method='area'`` the area, in that unit squared.
    method : {'voxels', 'area', 'discs'}
        How they were measured.
    """

    end_diastolic: float
    end_systolic: float
    method: Method

    @property
    def fraction(self) -> float:
        """(ED - ES) / ED; NaN if the chamber is empty at end-diastole."""
        if not self.end_diastolic:
            return float('nan')
        return 1 - self.end_systolic / self.end_diastolic

    @property
    def percent(self) -> float:
        """The fraction in percent."""
        return 100 * self.fraction

    @property
    def stroke(self) -> float:
        """ED - ES, the stroke volume (or the change of area)."""
        return self.end_diastolic - self.end_systolic

    @property
    def millilitres(self) -> tuple[float, float, float]:
        """ED, ES and stroke volume in ml, for a spacing in mm.

        Raises
        ------
        InputError
            If areas were measured.
        """
        if self.method == 'area':
            raise InputError(
                'An area is no volume and has no millilitres.',
                "Use method='discs' for volumes from one plane.",
            )
        ed, es = self.end_diastolic, self.end_systolic
        return ed / 1000, es / 1000, self.stroke / 1000

    @property
    def kind(self) -> str:
        """What the fraction is called."""
        return _KINDS[self.method]


def ejection_fraction(
    end_diastolic: ArrayLike,
    end_systolic: ArrayLike,
    spacing: Spacing = 1.0,
    *,
    end_systolic_spacing: Spacing | None = None,
    method: Method = 'auto',
) -> EjectionFraction:
    """Measure a chamber in two frames.

    Parameters
    ----------
    end_diastolic, end_systolic : (*shape) array_like of bool
        Masks of the chamber, 2D or 3D, each on a grid of its own.
    spacing : float or sequence of float, default: 1.0
        Voxel size in array axis order, both frames.
    end_systolic_spacing : float or sequence of float, optional
        That of the second frame, where it differs.
    method : {'auto', 'voxels', 'area', 'discs'}, default: 'auto'
        'voxels' in 3D; in 2D 'area', or 'discs' for a long-axis view (see
        `disc_volume`). 'auto' takes voxels in 3D and the area in 2D.

    Returns
    -------
    EjectionFraction
        Both measures and the fraction. Negative where the second is larger:
        the frames are not put in order.

    Raises
    ------
    InputError
        If a mask is not binary, the spacing does not fit, or the method
        does not go with the number of axes.

    References
    ----------
    .. [1] Lang et al., "Recommendations for cardiac chamber
       quantification", J. Am. Soc. Echocardiogr. 28, 2015.
    """
    frames = (
        as_mask(end_diastolic, 'end-diastolic mask'),
        as_mask(end_systolic, 'end-systolic mask'),
    )
    second = spacing if end_systolic_spacing is None else end_systolic_spacing
    chosen = _method(method, frames)
    measure = disc_volume if chosen == 'discs' else volume
    return EjectionFraction(
        measure(frames[0], spacing), measure(frames[1], second), chosen
    )


def disc_volume(
    mask: ArrayLike,
    spacing: Spacing = 1.0,
    *,
    second: ArrayLike | None = None,
    second_spacing: Spacing | None = None,
    long_axis: ArrayLike | None = None,
) -> float:
    """Return the volume of a chamber from one or two long-axis views.

    Simpson's rule with 20 discs of equal height h across the long axis:
    ``pi / 4 * h * sum(d_i ** 2)`` from one plane, ``d_i * e_i`` in place of
    the square with a second plane at a right angle [1]_.

    Parameters
    ----------
    mask : (n, m) array_like of bool
        The chamber in a long-axis view, such as apical four chamber.
    spacing : float or sequence of float, default: 1.0
        Pixel size in array axis order.
    second : (k, l) array_like of bool, optional
        The chamber in a second view, such as apical two chamber. The length
        is the longer one of both views.
    second_spacing : float or sequence of float, optional
        Its pixel size; that of the first if omitted.
    long_axis : (2,) array_like of float, optional
        Direction of the long axis in the first view, array axis order, in
        the unit of the spacing. By default the direction in which the mask
        extends most (first principal axis of its area), in each view: for a
        ventricle that is longer than wide close to the line from the apex to
        the mitral annulus.

    Returns
    -------
    float
        Volume in the unit of the spacing cubed; 0 for an empty mask.

    Raises
    ------
    InputError
        If a mask is not 2D and binary, or the axis has no length.

    Notes
    -----
    The diameter of a disc is its area over its height, which for a convex
    chamber is the mean chord. In one plane the chamber is taken to be round
    about its long axis: an estimate, better than an area alone but no
    measurement. A foreshortened view stays foreshortened.

    References
    ----------
    .. [1] Lang et al., J. Am. Soc. Echocardiogr. 28, 2015.
    """
    first, length = _diameters(mask, spacing, long_axis, 'mask')
    other, other_length = first, length
    if second is not None:
        size = spacing if second_spacing is None else second_spacing
        other, other_length = _diameters(second, size, None, 'second mask')
    height = max(length, other_length) / _DISCS
    return float(np.pi / 4 * height * np.sum(first * other))


def _method(method: Method, frames: tuple[BoolArray, BoolArray]) -> Method:
    ndim = frames[0].ndim
    if frames[1].ndim != ndim:
        raise InputError(
            f'A {ndim}D mask cannot be compared with a {frames[1].ndim}D one.',
            'Choose two segmentations with the same number of axes.',
        )
    if method == 'auto':
        return 'voxels' if ndim == 3 else 'area'
    fitting = ('voxels',) if ndim == 3 else ('area', 'discs')
    if method not in fitting:
        raise InputError(
            f'A chamber in {ndim}D is not measured by {method!r}.',
            f'Use {" or ".join(map(repr, fitting))}.',
        )
    return method


def _diameters(
    mask: ArrayLike,
    spacing: Spacing,
    long_axis: ArrayLike | None,
    name: str,
) -> tuple[FloatArray, float]:
    """Return the diameter of each disc and the length of the chamber."""
    array = as_mask(mask, name)
    sizes = np.asarray(_as_spacing(spacing, array.ndim))
    if array.ndim != 2:
        raise InputError(
            f'Discs are stacked in one plane, but the {name} is 3D.',
            'Count voxels in 3D.',
        )
    if not array.any():
        return np.zeros(_DISCS), 0.0
    points = _parts(array) * sizes
    centred = points - points.mean(axis=0)
    along = centred @ _direction(centred, long_axis)
    low, high = float(along.min()), float(along.max())
    # One part wider than the outermost centres: parts have a size too.
    margin = float(sizes.min()) / _FINE / 2
    edges = np.linspace(low - margin, high + margin, _DISCS + 1)
    counts, _ = np.histogram(along, edges)
    height = edges[1] - edges[0]
    areas = counts * float(np.prod(sizes)) / _FINE**2
    return areas / height, float(edges[-1] - edges[0])


def _parts(mask: BoolArray) -> FloatArray:
    """Return the centres (N, 2) of the small parts of all pixels."""
    offsets = (np.arange(_FINE) + 0.5) / _FINE - 0.5
    cut = np.stack(np.meshgrid(offsets, offsets, indexing='ij'), -1)
    pixels = np.argwhere(mask).astype(np.float64)
    parts: FloatArray = (pixels[:, None] + cut.reshape(1, -1, 2)).reshape(
        -1, 2
    )
    return parts


def _direction(centred: FloatArray, given: ArrayLike | None) -> FloatArray:
    if given is None:
        axis: FloatArray = np.linalg.eigh(centred.T @ centred)[1][:, -1]
        # Two views must be stacked from the same end: the tapered one,
        # the apex, comes last.
        return axis if np.sum((centred @ axis) ** 3) >= 0 else -axis
    axis = np.asarray(given, np.float64)
    length = float(np.linalg.norm(axis)) if axis.shape == (2,) else 0.0
    if not np.isfinite(length) or length == 0:
        raise InputError(
            'The long axis must be two numbers, not both zero.',
            'Give apex minus base, in array axis order.',
        )
    return axis / length
