"""What the names in a checkpoint's pickle stand for when it is read here.

Each is a function that only describes; none imports or runs anything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_KEYS = (str, int, float, bool, type(None))


class RefusedNameError(Exception):
    """A pickle names something that is not on the list.

    Parameters
    ----------
    name : str
        'module.name' as the pickle says it.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class RefusedContentError(Exception):
    """A pickle does something that no checkpoint needs."""


@dataclass(frozen=True)
class Storage:
    """Where the values of tensors are.

    Parameters
    ----------
    dtype : str
        Type of the values.
    key : str
        Name within the file.
    size : int
        Number of values.
    """

    dtype: str
    key: str
    size: int


@dataclass(frozen=True)
class TensorSpec:
    """A view of a storage: what a tensor is, without its values.

    Parameters
    ----------
    storage : Storage
        The values.
    offset : int
        First value.
    shape, strides : tuple of int
        In values.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass
class PlainConfig:
    """A `ml_collections.ConfigDict`, of which only the fields are kept."""

    fields: dict[str, Any] = field(default_factory=dict)


class StorageType(str):
    """Name of the type of a storage; a class so that no text passes for it."""


def _tensor(
    storage: object,
    offset: object,
    size: object,
    stride: object,
    *_unused: object,
) -> TensorSpec:
    if not isinstance(storage, Storage):
        raise RefusedContentError('a tensor without a storage')
    shape, strides = _whole_numbers(size), _whole_numbers(stride)
    (start,) = _whole_numbers((offset,))
    if len(shape) != len(strides) or len(shape) > 8:
        raise RefusedContentError('a tensor whose shape and strides disagree')
    last = start
    for n, step in zip(shape, strides, strict=True):
        last += max(n - 1, 0) * step
    count = math.prod(shape)
    # An expanded view would be small in the file and huge in memory.
    if count > storage.size or (count and last >= storage.size):
        raise RefusedContentError('a tensor larger than its storage')
    return TensorSpec(storage, start, shape, strides)


def _whole_numbers(values: object) -> tuple[int, ...]:
    good = isinstance(values, tuple | list) and all(
        type(v) is int and v >= 0 for v in values
    )
    if not good:
        raise RefusedContentError('a tensor whose shape is not whole numbers')
    return tuple(values)  # type: ignore[arg-type]


def _parameter(data: object, *_unused: object) -> object:
    return data


def ordered(items: object = ()) -> dict[Any, Any]:
    """Return pairs as a mapping."""
    made: dict[Any, Any] = {}
    if isinstance(items, Mapping):
        items = list(items.items())
    if not isinstance(items, list | tuple):
        raise RefusedContentError('a mapping made of something else')
    for pair in items:
        if not (isinstance(pair, list | tuple) and len(pair) == 2):
            raise RefusedContentError('a mapping made of something else')
        made[checked_key(pair[0])] = pair[1]
    return made


def checked_key(key: object) -> Any:
    """Return the key of a mapping, if it is a simple one."""
    # Hashing what a file has nested deeply could exhaust the stack.
    if not isinstance(key, _KEYS):
        raise RefusedContentError('a mapping with unusual keys')
    return key


def _size(values: object = ()) -> tuple[int, ...]:
    return _whole_numbers(values)


def _encoded(text: object, encoding: object = 'latin1') -> bytes:
    if not isinstance(text, str) or encoding != 'latin1':
        raise RefusedContentError('an unusual encoding')
    return text.encode('latin1')


def _numpy_dtype(name: object, *_unused: object) -> np.dtype[Any]:
    if not isinstance(name, str) or len(name) > 3:
        raise RefusedContentError('an unusual numpy type')
    try:
        dtype = np.dtype(name)
    except TypeError as error:
        raise RefusedContentError('an unusual numpy type') from error
    if dtype.kind not in 'biuf':
        raise RefusedContentError('an unusual numpy type')
    return dtype


def _numpy_scalar(dtype: object, data: object) -> object:
    fits = (
        isinstance(dtype, np.dtype)
        and isinstance(data, bytes)
        and len(data) == dtype.itemsize
    )
    if not fits:
        raise RefusedContentError('an unusual numpy number')
    return np.frombuffer(data, dtype)[0].item()  # type: ignore


def _path(*parts: object) -> str:
    if not all(isinstance(part, str) for part in parts):
        raise RefusedContentError('an unusual path')
    return '/'.join(parts)  # type: ignore[arg-type]


_STORAGES = {
    'FloatStorage': 'float32',
    'DoubleStorage': 'float64',
    'HalfStorage': 'float16',
    'BFloat16Storage': 'bfloat16',
    'LongStorage': 'int64',
    'IntStorage': 'int32',
    'ShortStorage': 'int16',
    'CharStorage': 'int8',
    'ByteStorage': 'uint8',
    'BoolStorage': 'bool',
}

# All that a checkpoint may name, and what stands for it here.
ALLOWED: dict[str, Any] = {
    'collections.OrderedDict': ordered,
    'torch._utils._rebuild_tensor': _tensor,
    'torch._utils._rebuild_tensor_v2': _tensor,
    'torch._utils._rebuild_parameter': _parameter,
    'torch.Size': _size,
    'ml_collections.config_dict.config_dict.ConfigDict': PlainConfig,
    'numpy.dtype': _numpy_dtype,
    'numpy.core.multiarray.scalar': _numpy_scalar,
    'numpy._core.multiarray.scalar': _numpy_scalar,
    '_codecs.encode': _encoded,
    'pathlib.PosixPath': _path,
    'pathlib.WindowsPath': _path,
    **{
        f'torch.{name}': StorageType(dtype)
        for name, dtype in _STORAGES.items()
    },
}
# Classes are made by other means than a call.
FUNCTIONS = [
    value
    for value in ALLOWED.values()
    if callable(value) and value is not PlainConfig
]
