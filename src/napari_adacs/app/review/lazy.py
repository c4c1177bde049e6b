"""Arrays that are composed when, and as far as, somebody looks at them.

napari asks the data of a layer for the slice it draws. An array that
composes just that slice from others costs no memory of its own and works for
whichever axis is scrolled.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Index = int | slice
Key = tuple[Index, ...]


class LazyArray(ABC):
    """An array whose parts are made on demand.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    dtype : data type, default: float32
        Type of its elements.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: DTypeLike = np.float32
    ) -> None:
        self.shape = tuple(int(n) for n in shape)
        self.dtype: np.dtype[Any] = np.dtype(dtype)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        full = full_key(key, self.shape)
        if self.ndim > 2 and all(isinstance(part, slice) for part in full):
            return self._compose_volume(full)
        return np.asarray(self.compose(full), self.dtype)

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        return np.asarray(self[...], dtype)

    def _compose_volume(self, key: Key) -> NDArray[Any]:
        """Compose slab by slab: no volume is needed but the result."""
        index = [
            np.arange(size)[part]
            for size, part in zip(self.shape, key, strict=True)
        ]
        rows = [int(row) for row in index[0]]
        volume = np.empty([len(i) for i in index], self.dtype)
        for i, row in enumerate(rows):
            slab = self.compose((slice(row, row + 1), *key[1:]))
            volume[i : i + 1] = slab
        return volume

    @abstractmethod
    def compose(self, key: Key) -> NDArray[Any]:
        """Return a part.

        Parameters
        ----------
        key : tuple of int or slice
            One per axis; integers are within the shape and take their axis
            away, as in NumPy.
        """


class FrameOf(LazyArray):
    """One frame of a sequence that need not be in memory.

    Parameters
    ----------
    source : array_like
        The sequence, with time first: dask, zarr or the like.
    frame : int
        Which frame.
    """

    def __init__(self, source: Any, frame: int) -> None:
        super().__init__(source.shape[1:], source.dtype)
        self._source = source
        self._frame = frame

    def compose(self, key: Key) -> NDArray[Any]:
        """Read a part of the frame."""
        return np.asarray(self._source[(self._frame, *key)])


class OnGrid(LazyArray):
    """An image read, linearly, on another grid.

    Parameters
    ----------
    source : array_like
        The image; outside it is 0.
    to_source : (ndim + 1, ndim + 1) numpy.ndarray
        From indices of this grid to those of the image.
    shape : tuple of int
        Shape of this grid.
    order : {1, 0}, default: 1
        1 interpolates, 0 copies the nearest voxel, for labels.
    """

    def __init__(
        self,
        source: Any,
        to_source: NDArray[np.float64],
        shape: tuple[int, ...],
        order: int = 1,
    ) -> None:
        super().__init__(shape, np.float32 if order else source.dtype)
        self._source = source
        self._matrix = to_source
        self._order = order

    def compose(self, key: Key) -> NDArray[Any]:
        """Resample a part."""
        from scipy.ndimage import map_coordinates

        index = open_index(key, self.shape)
        kept = np.broadcast_shapes(*(np.shape(i) for i in index))
        places = np.empty((self.ndim, *kept), np.float64)
        for axis, row in enumerate(self._matrix[:-1]):
            places[axis] = row[-1]
            for weight, i in zip(row, index, strict=False):
                places[axis] += weight * i
        block, start = self._around(places)
        if block is None:
            return np.zeros(kept, self.dtype)
        places -= start.reshape(-1, *([1] * len(kept)))
        values: NDArray[Any] = map_coordinates(
            block, places, self.dtype, self._order, 'grid-constant'
        )
        return values

    def _around(
        self, places: NDArray[np.float64]
    ) -> tuple[NDArray[Any] | None, NDArray[np.float64]]:
        """Return the part of the source that surrounds some places."""
        flat = places.reshape(self.ndim, -1)
        low = np.floor(flat.min(1)).astype(int) - 1
        high = np.ceil(flat.max(1)).astype(int) + 2
        low = np.clip(low, 0, self._source.shape)
        high = np.clip(high, 0, self._source.shape)
        if (high <= low).any():
            return None, low.astype(float)
        part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        return np.asarray(self._source[part]), low.astype(float)


def full_key(key: Any, shape: tuple[int, ...]) -> Key:
    """Return one index per axis, integers within the shape.

    Raises
    ------
    IndexError
        If an index is out of range, or there are too many.
    TypeError
        If it is neither an integer nor a slice.
    """
    parts = list(key) if isinstance(key, tuple) else [key]
    ellipses = [i for i, part in enumerate(parts) if part is Ellipsis]
    missing = len(shape) - len(parts) + len(ellipses)
    if missing < 0 or len(ellipses) > 1:
        raise IndexError('too many indices for the array')
    where = ellipses[0] if ellipses else len(parts)
    parts[where : where + len(ellipses)] = [slice(None)] * missing
    return tuple(
        part if isinstance(part, slice) else _within(part, size)
        for part, size in zip(parts, shape, strict=True)
    )


def open_index(key: Key, shape: tuple[int, ...]) -> list[Any]:
    """Return the indices of a part along each axis, ready to broadcast.

    An axis with an integer gives that integer, the others arrays of which
    each lies along its own axis of the part.
    """
    kept = [axis for axis, part in enumerate(key) if isinstance(part, slice)]
    found: list[Any] = []
    for axis, part in enumerate(key):
        if not isinstance(part, slice):
            found.append(part)
            continue
        along = [1] * len(kept)
        along[kept.index(axis)] = -1
        found.append(np.arange(shape[axis])[part].reshape(along))
    return found


def _within(index: Any, size: int) -> int:
    if isinstance(index, bool | np.bool_) or not isinstance(
        index, int | np.integer
    ):
        raise TypeError('only integers, slices and ... can index this array')
    number = int(index)
    if not -size <= number < size:
        raise IndexError(f'index {number} is out of range for size {size}')
    return number % size
