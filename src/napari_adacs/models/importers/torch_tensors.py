"""From the description of a tensor to its values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_adacs.models.importers.contents import (
    Entry,
    as_float32,
    damaged,
)
from napari_adacs.models.importers.described import Storage, TensorSpec

ByteOrder = Literal['<', '>']

# numpy has no bfloat16: it is the upper half of a float32.
_READ_AS = {'bfloat16': 'uint16'}


def item_size(storage: Storage) -> int:
    """Return the bytes of one value of a storage."""
    return np.dtype(_READ_AS.get(storage.dtype, storage.dtype)).itemsize


def entry(
    spec: TensorSpec,
    read: Callable[[Storage], bytes],
    path: Path,
    order: ByteOrder,
) -> Entry:
    """Return the entry of a tensor.

    Parameters
    ----------
    spec : TensorSpec
        What it is.
    read : callable
        Returns the bytes of a storage.
    path : Path
        The file, for messages.
    order : {'<', '>'}
        Byte order of the file.
    """

    def load() -> NDArray[Any]:
        raw = read(spec.storage)
        if len(raw) != spec.storage.size * item_size(spec.storage):
            raise damaged(path, 'the values of a tensor are cut off')
        return _view(raw, spec, order)

    return Entry(spec.shape, spec.storage.dtype, load)


def _view(raw: bytes, spec: TensorSpec, order: ByteOrder) -> NDArray[Any]:
    name = spec.storage.dtype
    dtype = np.dtype(_READ_AS.get(name, name)).newbyteorder(order)
    values = np.frombuffer(raw, dtype)
    if name == 'bfloat16':
        wide = values.astype(np.uint32) << 16
        values = wide.view(np.float32)
    # The bounds were checked when the description was read.
    view = np.lib.stride_tricks.as_strided(
        values[spec.offset :],
        spec.shape,
        [step * values.itemsize for step in spec.strides],
    )
    return as_float32(view).copy()
