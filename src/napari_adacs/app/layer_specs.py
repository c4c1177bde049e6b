"""What the layers of a result will hold; computed in the worker.

Everything that costs time is done here, so that the GUI thread has only to
hand finished arrays to napari.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.arrows import arrows

if TYPE_CHECKING:
    from napari_adacs.registration.result import RegistrationResult

Kind = Literal['image', 'labels', 'vectors']


class Role(StrEnum):
    """What a result layer shows; the last part of its name."""

    WARPED = 'warped'
    WEIGHT = 'weight'
    VARIANCE = 'variance'
    SPREAD = 'displacement SD'
    JACOBIAN = 'Jacobian determinant'
    MAGNITUDE = '|displacement|'
    SCORE = 'score'
    DISPLACEMENT = 'displacement'
    FOLDED = 'folded voxels'
    LABELS = 'warped labels'


@dataclass(frozen=True, eq=False)
class LayerSpec:
    """One layer to be.

    Parameters
    ----------
    role : Role
        What it shows.
    kind : {'image', 'labels', 'vectors'}
        Type of layer.
    data : numpy.ndarray
        Array of the layer on the fixed grid; vectors are (N, 2, ndim), start
        and projection in voxels of that grid.
    visible : bool
        Whether it is shown when it first appears.
    limits : tuple of float, optional
        Contrast limits, in `unit`.
    features : dict, optional
        Columns of the features table.
    options : dict
        Looks of a new layer; a person's later choice stays.
    colorbar : bool, default: False
        Whether a new layer gets a colour bar.
    """

    role: Role
    kind: Kind
    data: NDArray[Any]
    visible: bool
    limits: tuple[float, float] | None = None
    features: Mapping[str, NDArray[Any]] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    colorbar: bool = False


@dataclass(frozen=True)
class Figures:
    """What a result comes to.

    Parameters
    ----------
    folded_percent : float
        Share of voxels with a Jacobian determinant of zero or less.
    max_displacement : float
        Longest displacement, in `units`.
    units : {'mm', 'voxel'}
        Unit of lengths.
    """

    folded_percent: float
    max_displacement: float
    units: str

    def __str__(self) -> str:
        unit = 'mm' if self.units == 'mm' else 'voxels'
        folded = (
            f'{self.folded_percent:.3g} %' if self.folded_percent else 'no'
        )
        return (
            f'{folded} folded voxels, largest displacement '
            f'{self.max_displacement:.3g} {unit}'
        )


def layer_specs(
    result: RegistrationResult, warped_labels: NDArray[Any] | None = None
) -> tuple[tuple[LayerSpec, ...], Figures]:
    """Prepare the layers of a result, those on top last.

    Parameters
    ----------
    result : RegistrationResult
        What came out.
    warped_labels : (*fixed.shape) numpy.ndarray of int, optional
        Moving labels on the fixed grid.

    Returns
    -------
    specs : tuple of LayerSpec
        The warped image and the first of the maps are visible, and folded
        voxels and labels if there are any.
    figures : Figures
        Numbers for the result line.
    """
    magnitude = result.field.magnitude_mm
    determinant = result.field.jacobian_determinant()
    folded = determinant <= 0
    figures = Figures(
        float(100 * folded.mean()),
        float(magnitude.max()),
        result.field.grid.units,
    )
    specs = [
        LayerSpec(Role.WARPED, 'image', result.warped, True),
        *_maps(result),
        _jacobian(determinant),
        _magnitude(magnitude),
        arrows_spec(result.field.voxels, magnitude),
        _folded(folded),
    ]
    if warped_labels is not None:
        specs.append(LayerSpec(Role.LABELS, 'labels', warped_labels, True))
    order = list(Role)
    return tuple(sorted(specs, key=lambda s: order.index(s.role))), figures


def _maps(result: RegistrationResult) -> list[LayerSpec]:
    specs = []
    shown = False
    for role, values, colours in (
        (Role.SCORE, result.score, 'viridis'),
        (Role.VARIANCE, result.variance, 'magma'),
        (Role.WEIGHT, result.weight, 'viridis'),
        (Role.SPREAD, result.displacement_sd, 'magma'),
    ):
        if values is None:
            continue
        limits = _trust_limits(values)
        if role in (Role.VARIANCE, Role.SPREAD):
            limits = (0.0, max(float(np.percentile(values, 99.5)), 1e-6))
        specs.append(_map(role, values, limits, colours, visible=not shown))
        shown = True
    return specs


def _trust_limits(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return limits from a round lower end to 1.

    Scores stay near 1 but in a few places: over the whole of [0, 1] those
    places would hardly differ in colour.
    """
    lowest = float(np.percentile(values, 0.5))
    return min(max(float(np.floor(lowest * 20)) / 20, 0.0), 0.95), 1.0


def _jacobian(determinant: NDArray[np.float32]) -> LayerSpec:
    # Symmetric about 1, volume kept; the lower end is where folding starts.
    return _map(Role.JACOBIAN, determinant, (0.0, 2.0), 'RdBu')


def _magnitude(magnitude: NDArray[np.float32]) -> LayerSpec:
    limits = (0.0, max(float(magnitude.max()), 1e-6))
    return _map(Role.MAGNITUDE, magnitude, limits, 'inferno')


def _map(
    role: Role,
    values: NDArray[np.float32],
    limits: tuple[float, float],
    colormap: str,
    *,
    visible: bool = False,
) -> LayerSpec:
    """Prepare a map that lies over the image and lets it shine through."""
    options = {'colormap': colormap, 'opacity': 0.5}
    return LayerSpec(
        role, 'image', values, visible, limits, None, options, True
    )


def arrows_spec(
    voxels: NDArray[np.float32], magnitude: NDArray[np.float32]
) -> LayerSpec:
    """Prepare the arrows of a displacement.

    Parameters
    ----------
    voxels : (ndim, *shape) numpy.ndarray of float32
        Displacement in voxels, pulling back: an arrow starts at a fixed
        voxel and ends where its value came from.
    magnitude : (*shape) numpy.ndarray of float32
        Length of the displacement in mm.
    """
    data, lengths = arrows(voxels, magnitude)
    return LayerSpec(
        Role.DISPLACEMENT,
        'vectors',
        data,
        False,
        (0.0, max(float(magnitude.max()), 1e-6)),
        {'magnitude_mm': lengths},
        {
            'vector_style': 'arrow',
            'edge_colormap': 'turbo',
            'edge_width': 0.6,
            'opacity': 1.0,
        },
    )


def _folded(folded: NDArray[np.bool_]) -> LayerSpec:
    return LayerSpec(
        Role.FOLDED,
        'labels',
        folded.astype(np.uint8),
        bool(folded.any()),
    )
