"""What a checkpoint holds, before any weight is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray

from napari_adacs.errors import ModelError

# Of the free memory, what one checkpoint may take.
_SHARE = 4


@dataclass(frozen=True)
class Entry:
    """One array of a checkpoint.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    dtype : str
        Its type in the file, such as 'float32'.
    load : callable
        Reads it: floating-point values as float32, others as they are.
    """

    shape: tuple[int, ...]
    dtype: str
    load: Callable[[], NDArray[Any]]

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Contents:
    """A checkpoint that was opened.

    Parameters
    ----------
    path : Path
        The file.
    container : str
        What kind of file it is, for people.
    entries : mapping of str to Entry
        Its arrays by name, without prefixes that wrappers add.
    config : mapping
        What it says about how the network was built.
    notes : tuple of str
        What was left out or taken for granted, in sentences.
    order : tuple of str
        Names of layers in the order of the network, where the file has it.
    """

    path: Path
    container: str
    entries: Mapping[str, Entry]
    config: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an entry; () if there is none."""
        entry = self.entries.get(name)
        return () if entry is None else entry.shape

    def has(self, *prefixes: str) -> bool:
        """Whether for each prefix some entry starts with it."""
        return all(
            any(name.startswith(prefix) for name in self.entries)
            for prefix in prefixes
        )


def memory_budget() -> int:
    """Return how many bytes the arrays of a checkpoint may take."""
    return int(psutil.virtual_memory().available) // _SHARE


def check_budget(path: Path, needed: int) -> None:
    """Refuse a file that says it takes more memory than it may.

    Raises
    ------
    ModelError
        Before anything of that size is read.
    """
    allowed = memory_budget()
    if needed > allowed:
        raise ModelError(
            f"'{path.name}' declares {needed / 1e9:.1f} GB of weights, more "
            f'than the {allowed / 1e9:.1f} GB that one checkpoint may take '
            'here.',
            'Close other programs, or check where the file comes from.',
        )


def damaged(path: Path, reason: str) -> ModelError:
    """Return the error for a file that stops making sense."""
    return ModelError(
        f"The checkpoint '{path.name}' is damaged or incomplete: {reason}.",
        'Download or copy it again.',
    )


def as_float32(values: NDArray[Any]) -> NDArray[Any]:
    """Return floating-point values as float32, others unchanged."""
    if values.dtype.kind == 'f':
        return np.ascontiguousarray(values, dtype=np.float32)
    return values
