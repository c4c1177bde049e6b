"""The figures of a run, read as they are written."""

from __future__ import annotations

import os
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_adacs.training.run_files import LOG

# A look takes some hundredths of a second even where a long log waits.
_MOST_BYTES = 1 << 19


class Curve(NamedTuple):
    """One figure over the run.

    Parameters
    ----------
    steps : (N,) numpy.ndarray of int64
        Steps, ascending.
    values : (N,) numpy.ndarray of float64
        The figure after each.
    """

    steps: NDArray[np.int64]
    values: NDArray[np.float64]


Figures = Mapping[str, Curve]


class FigureReader:
    """Reads what a log has grown by.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOG
        self._forget()

    def _forget(self) -> None:
        self._place = 0
        self._file = (0, 0)
        self._rows: dict[str, tuple[array[int], array[float]]] = {}
        self._curves: dict[str, Curve] = {}

    def read(self, most_bytes: int = _MOST_BYTES) -> Figures:
        """Return all figures that are known so far.

        Parameters
        ----------
        most_bytes : int
            How much to read at once; the rest comes next time.
        """
        for name in self._grow(most_bytes):
            steps, values = self._rows[name]
            self._curves[name] = Curve(
                np.array(steps, np.int64), np.array(values, np.float64)
            )
        return dict(self._curves)

    def _grow(self, most_bytes: int) -> set[str]:
        try:
            with self._path.open('rb') as file:
                self._begin_anew_if_cut(file.fileno())
                file.seek(self._place)
                text = file.read(most_bytes)
        except OSError:
            return set()
        # A line may be half written.
        whole = text[: text.rfind(b'\n') + 1]
        self._place += len(whole)
        return self._take(whole.decode('utf-8', 'replace'))

    def _begin_anew_if_cut(self, descriptor: int) -> None:
        """Forget everything if a resumed run has replaced the file."""
        found = os.fstat(descriptor)
        file = (found.st_dev, found.st_ino)
        if self._place and (file != self._file or found.st_size < self._place):
            self._forget()
        self._file = file

    def _take(self, text: str) -> set[str]:
        changed = set()
        for line in text.splitlines():
            cells = line.split(',')
            try:
                step, name, value = int(cells[0]), cells[2], float(cells[3])
            except (IndexError, ValueError):
                continue  # the heading
            if name not in self._rows:
                self._rows[name] = (array('q'), array('d'))
            steps, values = self._rows[name]
            steps.append(step)
            values.append(value)
            changed.add(name)
        return changed
