"""Units of napari layers in millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pint

from napari_adacs.errors import InputError

# Axis labels that mean time where the unit does not say so.
_TIME_LABELS = frozenset({'t', 'time', 'frame', 'frames', 'phase'})


def is_length(unit: pint.Unit) -> bool:
    """Whether a unit measures lengths."""
    return bool(unit.is_compatible_with('millimeter'))


def is_time(unit: pint.Unit, label: str) -> bool:
    """Whether an axis with this unit and label is time."""
    return unit.is_compatible_with('second') or label.lower() in _TIME_LABELS


def in_mm(units: Sequence[pint.Unit]) -> tuple[list[float], bool]:
    """Return the factors that turn lengths of each axis into millimetres.

    Parameters
    ----------
    units : sequence of pint.Unit
        Units of the spatial axes.

    Returns
    -------
    factors : list of float
        1 for axes without a physical unit.
    physical : bool
        Whether the axes have physical units.

    Raises
    ------
    InputError
        If only some of the axes have one.
    """
    lengths = [is_length(unit) for unit in units]
    if any(lengths) and not all(lengths):
        names = ', '.join(str(unit) for unit in units)
        raise InputError(
            f'The axes of the layer have different kinds of units ({names}).',
            'Give all spatial axes a unit of length, or none.',
        )
    if not all(lengths):
        return [1.0] * len(units), False
    return [convert(1.0, unit, 'millimeter') for unit in units], True


def convert(
    value: float, source: pint.Unit, target: Literal['millimeter'] | pint.Unit
) -> float:
    """Convert a value between compatible units."""
    if source == target:
        return value
    return float((value * source).to(target).magnitude)
