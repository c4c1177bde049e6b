"""Echo phantoms as cases; their true displacement is known."""

from __future__ import annotations

from napari_adacs.benchmark.case import Case, CaseSource
from napari_adacs.errors import InputError
from napari_adacs.phantom.echo import echo_pair
from napari_adacs.registration.inputs import ImageOnGrid

PREFIX = 'phantom:'
# Training and validation never reach these seeds.
FIRST_SEED = 200_000
_MOST = 100_000


class PhantomCases(CaseSource):
    """Echo phantoms with consecutive seeds.

    Parameters
    ----------
    data : str
        ``phantom:N`` for N pairs.
    ndim : {2, 3}
        Number of axes.

    Raises
    ------
    InputError
        If N is no number of pairs.
    """

    def __init__(self, data: str, ndim: int) -> None:
        number = data.removeprefix(PREFIX)
        self._count = int(number) if number.isdecimal() else 0
        if not 0 < self._count <= _MOST:
            raise InputError(
                f"'{number}' is not a number of phantom pairs.",
                f'Use {PREFIX}N with N from 1 to {_MOST}.',
            )
        self._ndim = ndim

    @property
    def names(self) -> list[str]:
        """Names that carry the seed."""
        seeds = range(FIRST_SEED, FIRST_SEED + self._count)
        return [f'phantom{self._ndim}d-{seed}' for seed in seeds]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._ndim

    def load(self, name: str) -> Case:
        """Make one pair."""
        pair = echo_pair(int(name.rpartition('-')[2]), self._ndim)
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
