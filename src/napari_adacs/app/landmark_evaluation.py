"""Target registration error of two Points layers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.metric_table import NOTHING, save_records
from napari_adacs.app.units import in_mm
from napari_adacs.errors import InputError
from napari_adacs.evaluation.landmarks import (
    LandmarkErrors,
    target_registration_error,
)
from napari_adacs.evaluation.tables import Cell, tab_separated_rows

if TYPE_CHECKING:
    import pint
    from napari.components import ViewerModel
    from napari.layers import Layer, Points

    from napari_adacs.app.session import Run

_NAMES = ('name', 'label', 'landmark')


@dataclass(frozen=True, eq=False)
class LandmarkTable:
    """Errors of landmarks, with names.

    Parameters
    ----------
    errors : LandmarkErrors
        Distances before and after.
    names : tuple of str
        A name or number for each landmark.
    units : {'mm', 'voxel'}
        Unit of the distances.
    about : str
        Which layers and which registration.
    """

    errors: LandmarkErrors
    names: tuple[str, ...]
    units: str
    about: str

    @property
    def unit(self) -> str:
        """Unit as people write it."""
        return 'mm' if self.units == 'mm' else 'voxels'

    def records(self) -> list[dict[str, Cell]]:
        """Return a tidy record per landmark."""
        rows = zip(self.names, self.errors.records(), strict=True)
        return [
            {**record, 'landmark': name, 'units': self.units}
            for name, record in rows
        ]

    def cells(self) -> list[tuple[str, str, str]]:
        """Return name, before and after as text; the last row is the mean."""
        after = self.errors.after
        rows = [
            (
                name,
                f'{self.errors.before[i]:.2f}',
                NOTHING if after is None else f'{after[i]:.2f}',
            )
            for i, name in enumerate(self.names)
        ]
        total = NOTHING if after is None else f'{after.mean():.2f}'
        return [*rows, ('mean', f'{self.errors.before.mean():.2f}', total)]

    def sentence(self) -> str:
        """Say what the errors come to."""
        first, second = self.errors.summary_before, self.errors.summary_after
        n = len(self.errors)
        count = f'{n} landmark{"s" if n > 1 else ""}'
        if second is None:
            return (
                f'{count} before registration: mean {first.mean:.2f}, '
                f'median {first.median:.2f} {self.unit}.'
            )
        improved = round(100 * (self.errors.improved or 0.0))
        text = (
            f'{count}: mean {first.mean:.2f} → {second.mean:.2f}, median '
            f'{first.median:.2f} → {second.median:.2f} {self.unit}; '
            f'{improved} % came closer.'
        )
        outside = int(self.errors.outside.sum())
        if outside:
            text += f' {outside} lie outside the registered image.'
        return text

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the records as CSV or Markdown, as the name says.

        Raises
        ------
        InputError
            If the name ends otherwise or the file cannot be written.
        """
        save_records(path, self.records(), {'TRE before': 2, 'TRE after': 2})

    def text(self) -> str:
        """Return the records as spreadsheets paste them."""
        return tab_separated_rows(self.records())


def landmark_table(
    moving: Points, fixed: Points, run: Run | None = None
) -> LandmarkTable:
    """Measure the landmarks of two layers, paired by their order.

    Parameters
    ----------
    moving, fixed : Points
        The same landmarks in both images.
    run : Run, optional
        A registration between them.

    Raises
    ------
    InputError
        If the layers are the same or empty, differ in number, axes or kind
        of unit, or do not fit the registration.
    """
    if moving is fixed:
        raise InputError(
            'Moving and fixed landmarks are the same layer.',
            'Choose the landmarks of both images.',
        )
    for layer, role in ((moving, 'moving'), (fixed, 'fixed')):
        if not len(layer.data):
            raise InputError(
                f"The {role} landmarks '{layer.name}' have no points.",
                'Add them with the tools of the Points layer.',
            )
    field = None if run is None else run.result.field
    ndim = min(moving.ndim, fixed.ndim, 3)
    if field is not None:
        ndim = field.grid.ndim
    start, own = world_points(moving, ndim)
    end, other = world_points(fixed, ndim)
    known = {own, other} | ({field.grid.units} if field else set())
    if len(known) > 1:
        raise InputError(
            'Some of the landmarks and images have a physical size, others '
            'have none.',
            'Give all layers units of length, or none.',
        )
    errors = target_registration_error(start, end, field)
    after = 'not registered' if run is None else f'registration {run.title}'
    about = f'{moving.name} → {fixed.name}, {after}'
    return LandmarkTable(errors, _names(fixed), known.pop(), about)


def world_points(layer: Points, ndim: int) -> tuple[NDArray[np.float64], str]:
    """Return points as world positions (N, ndim), and their unit.

    Parameters
    ----------
    layer : Points
        Its last axes are those of space.
    ndim : int
        Number of axes of space.

    Returns
    -------
    points : (N, ndim) numpy.ndarray of float64
        LPS positions, axes (x, y[, z]), in mm if the layer has units of
        length.
    units : {'mm', 'voxel'}
        Their unit.

    Raises
    ------
    InputError
        If the layer has fewer axes, or mixes units.
    """
    if layer.ndim < ndim:
        raise InputError(
            f"The landmarks '{layer.name}' have {layer.ndim} axes, the images "
            f'{ndim}.',
            'Mark them on a layer with the axes of the images.',
        )
    factors, physical = in_mm(layer.units[-ndim:])
    world = np.array([layer.data_to_world(point) for point in layer.data])
    scaled = world[:, -ndim:] * np.asarray(factors)
    return scaled[:, ::-1], 'mm' if physical else 'voxel'


def go_to_point(viewer: ViewerModel, layer: Layer, index: int) -> None:
    """Show the slice of a point, and centre the view on it."""
    if not 0 <= index < len(layer.data):
        return
    world = np.asarray(layer.data_to_world(layer.data[index]))
    own = _factors(layer.units)
    shared = _factors(viewer.layers.units or layer.units)
    dims = viewer.dims
    first = dims.ndim - layer.ndim
    place = world * own / shared[-layer.ndim :]
    dims.set_point(range(first, dims.ndim), tuple(map(float, place)))
    shown = [axis - first for axis in dims.displayed]
    if min(shown) >= 0:
        centre = np.zeros(3)
        centre[3 - len(shown) :] = place[shown]
        viewer.scene.camera.center = tuple(map(float, centre))


def _factors(units: Sequence[pint.Unit]) -> NDArray[np.float64]:
    """Return factors to mm of each axis, 1 where there is no length."""
    return np.array([in_mm([unit])[0][0] for unit in units])


def _names(layer: Points) -> tuple[str, ...]:
    """Return the names in the features of a layer, else numbers from 1."""
    columns = {str(name).lower(): name for name in layer.features.columns}
    for wanted in _NAMES:
        if wanted in columns:
            texts = [str(text) for text in layer.features[columns[wanted]]]
            if all(texts):
                return tuple(texts)
    return tuple(str(i + 1) for i in range(len(layer.data)))
