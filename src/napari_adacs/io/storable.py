"""The number types that every reader of NIfTI understands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError

_KEPT = ('float32', 'uint8', 'uint16', 'int16', 'int32')
_INTEGERS = ('uint8', 'int16', 'uint16', 'int32')


def storable(data: NDArray[Any], labels: bool = False) -> NDArray[Any]:
    """Return the values in a type that files keep without loss.

    Parameters
    ----------
    data : numpy.ndarray
        Values of any real type.
    labels : bool, default: False
        Whether they must be whole numbers.

    Returns
    -------
    numpy.ndarray
        `data` itself if its type is float32, uint8, uint16, int16 or int32;
        other floats as float32, other integers and labels in the smallest
        of these integer types that holds them.

    Raises
    ------
    InputError
        If the values are not real numbers, labels are not whole, or an
        integer is too large.
    """
    if data.dtype.kind not in 'buif':
        raise InputError(
            f'Values of type {data.dtype} cannot be written as an image.',
            'Convert them to real numbers first.',
        )
    if data.dtype.kind == 'f' and labels:
        whole = np.isfinite(data).all() and np.array_equal(data, np.rint(data))
        if not whole:
            raise InputError(
                'The labels are not whole numbers.',
                'Save them as an image, or round them first.',
            )
    elif data.dtype.name in _KEPT:
        return data
    elif data.dtype.kind == 'f':
        return data.astype(np.float32)
    return data.astype(_smallest_integer(float(data.min()), float(data.max())))


def _smallest_integer(low: float, high: float) -> str:
    for name in _INTEGERS:
        bounds = np.iinfo(name)
        if bounds.min <= low and high <= bounds.max:
            return name
    raise InputError(
        f'A value of {max(high, -low):g} is too large for a 32 bit integer.',
        'Save the values as 32 bit floats.',
    )
