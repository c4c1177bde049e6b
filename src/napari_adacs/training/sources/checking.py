"""Leaving out pairs that cannot be used, and saying which."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import psutil

from napari_adacs.errors import AdacsError, InputError
from napari_adacs.training.pairs import PairSource, TrainingPair

_READERS = 4

Reading = Callable[[float, str], None]


@dataclass(frozen=True)
class Skipped:
    """A pair that is not used.

    Parameters
    ----------
    name : str
        Which one.
    reason : str
        One sentence.
    """

    name: str
    reason: str


class CheckedPairs(PairSource):
    """Pairs of a source that can be read, kept in memory where it lasts.

    Every pair is read once before training begins, so that a damaged file
    is found now and not after hours.

    Parameters
    ----------
    source : PairSource
        Where they come from.
    ndim : int
        Number of axes that is wanted.
    progress : callable, optional
        Called with a share from 0 to 1 and the name of what was read.

    Attributes
    ----------
    skipped : list of Skipped
        What is left out.
    names : list of str
        Names of the pairs that are used.

    Raises
    ------
    InputError
        If no pair is left.
    """

    def __init__(
        self,
        source: PairSource,
        ndim: int,
        progress: Reading | None = None,
    ) -> None:
        self._source = source
        self._ndim = ndim
        self._kept: dict[int, TrainingPair] = {}
        self._room = psutil.virtual_memory().available // 2
        self.skipped: list[Skipped] = []
        self._indices: list[int] = []
        self.names: list[str] = []
        with ThreadPoolExecutor(_READERS) as pool:
            found = pool.map(self._try, range(len(source)))
            for index, outcome in enumerate(found):
                self._note(index, outcome)
                if progress is not None:
                    done = (index + 1) / len(source)
                    progress(done, f'reading {outcome.name}')
        if not self._indices:
            raise InputError(
                f'None of {len(source)} pairs can be used. The first: '
                f'{self.skipped[0].reason}'
            )

    def _note(self, index: int, outcome: TrainingPair | Skipped) -> None:
        if isinstance(outcome, Skipped):
            self.skipped.append(outcome)
            return
        size = outcome.moving.nbytes * 3
        if size <= self._room:
            self._room -= size
            self._kept[index] = outcome
        self._indices.append(index)
        self.names.append(outcome.name)

    def _try(self, index: int) -> TrainingPair | Skipped:
        try:
            pair = self._source[index]
            self._check(pair)
        except AdacsError as error:
            return Skipped(self._source.name(index), str(error))
        return pair

    def _check(self, pair: TrainingPair) -> None:
        if pair.moving.ndim != self._ndim:
            raise InputError(
                f'The images are {pair.moving.ndim}D and the configuration '
                f'is for {self._ndim}D.',
                "Change 'shape' in the configuration.",
            )
        for role in ('moving', 'fixed'):
            image = getattr(pair, role)
            if not np.isfinite(image).all():
                raise InputError(f'The {role} image has NaN or infinity.')
            if image.max() <= image.min():
                raise InputError(f'The {role} image is constant.')

    def __len__(self) -> int:
        """Return the number of pairs that can be used."""
        return len(self._indices)

    def name(self, index: int) -> str:
        """Return the name of a pair."""
        return self.names[index]

    def __getitem__(self, index: int) -> TrainingPair:
        """Return one pair."""
        place = self._indices[index]
        if place in self._kept:
            return self._kept[place]
        return self._source[place]
