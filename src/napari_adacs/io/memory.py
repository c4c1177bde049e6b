"""How much a file may take, and how sizes are said."""

from __future__ import annotations

import psutil  # type: ignore[import-untyped,unused-ignore]

from napari_adacs.errors import InputError

_SHARE = 4
_UNITS = ('kB', 'MB', 'GB', 'TB', 'PB')


def memory_budget() -> int:
    """Return how many bytes one file may take: a quarter of what is free."""
    return int(psutil.virtual_memory().available) // _SHARE


def check_budget(name: str, needed: int, budget: int | None) -> None:
    """Refuse a file that would take more memory than it may.

    Parameters
    ----------
    name : str
        File name, for the message.
    needed : int
        Bytes that the file takes once read.
    budget : int or None
        Largest number of bytes allowed; None asks `memory_budget`.

    Raises
    ------
    InputError
        If `needed` is above the budget.
    """
    allowed = memory_budget() if budget is None else budget
    if needed > allowed:
        raise InputError(
            f'{name} needs {format_bytes(needed)} of memory, more than the '
            f'{format_bytes(allowed)} that one image may take here.',
            'Crop or downsample it first, or close other programs.',
        )


def format_bytes(count: int) -> str:
    """Write a number of bytes for people, e.g. '12.3 MB'."""
    if count < 10_000:
        return f'{count} bytes'
    power = min((len(str(count)) - 1) // 3, len(_UNITS))
    return f'{count / 1000**power:.4g} {_UNITS[power - 1]}'
