"""Echo phantoms as cases; their true displacement is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from napari_adacs.benchmark.case import Case, CaseSource
from napari_adacs.errors import InputError
from napari_adacs.phantom.echo import echo_pair
from napari_adacs.phantom.options import EchoOptions
from napari_adacs.phantom.variety import random_options
from napari_adacs.registration.inputs import ImageOnGrid

# Training and validation never reach these seeds.
FIRST_SEED = 200_000
_MOST = 100_000


def _clear(rng: np.random.Generator, ndim: int) -> EchoOptions:
    """Any anatomy and look, without nuisance."""
    return replace(random_options(rng, ndim), nuisance_frame='none')


def _hard(rng: np.random.Generator, ndim: int) -> EchoOptions:
    """Any anatomy and look, with strong nuisance in both frames."""
    return replace(
        random_options(rng, ndim),
        nuisance_frame='both',
        nuisance_strength=1.5,
    )


# What each kind draws its phantoms from.
KINDS: dict[str, Callable[[np.random.Generator, int], EchoOptions]] = {
    'phantom': lambda _rng, _ndim: EchoOptions(),
    'phantom-clear': _clear,
    'phantom-hard': _hard,
}


def is_phantom(data: str) -> bool:
    """Whether a name asks for phantoms."""
    return data.partition(':')[0] in KINDS and ':' in data


class PhantomCases(CaseSource):
    """Echo phantoms with consecutive seeds.

    Parameters
    ----------
    data : str
        ``KIND:N`` for N pairs of one of the `KINDS`.
    ndim : {2, 3}
        Number of axes.

    Raises
    ------
    InputError
        If N is no number of pairs.
    """

    def __init__(self, data: str, ndim: int) -> None:
        self._kind, _, number = data.partition(':')
        self._count = int(number) if number.isdecimal() else 0
        if not 0 < self._count <= _MOST:
            raise InputError(
                f"'{number}' is not a number of phantom pairs.",
                f'Use {self._kind}:N with N from 1 to {_MOST}.',
            )
        self._ndim = ndim

    @property
    def names(self) -> list[str]:
        """Names that carry the seed."""
        seeds = range(FIRST_SEED, FIRST_SEED + self._count)
        stem = self._kind.replace('phantom', f'phantom{self._ndim}d')
        return [f'{stem}-{seed}' for seed in seeds]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._ndim

    def load(self, name: str) -> Case:
        """Make one pair."""
        seed = int(name.rpartition('-')[2])
        options = KINDS[self._kind](np.random.default_rng(seed), self._ndim)
        pair = echo_pair(seed, self._ndim, options=options)
        return Case(
            name,
            ImageOnGrid(pair.moving, pair.grid, 'moving'),
            ImageOnGrid(pair.fixed, pair.grid, 'fixed'),
            pair.moving_labels,
            pair.fixed_labels,
            pair.displacement,
            pair.sector,
        )

    def identity(self, name: str) -> str:
        """Return the name: equal seeds give equal bits."""
        return name
