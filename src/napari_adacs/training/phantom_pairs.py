"""Phantom pairs as training data, cached on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_adacs.phantom.echo import (
    EchoOptions,
    EchoPair,
    echo_pair,
    random_options,
)
from napari_adacs.training.pair_cache import kept_pair
from napari_adacs.training.pairs import (
    PairSource,
    TrainingPair,
    normalise,
)


class PhantomPairs(PairSource):
    """Echo phantom pairs with consecutive seeds.

    Parameters
    ----------
    shape : tuple of int
        Voxels per axis.
    count : int
        Number of pairs.
    first_seed : int, default: 0
        Seed of the first pair.
    folder : str or Path, optional
        Where pairs are kept once made; made anew each time without it.
    motion : bool, default: False
        Whether the pairs know their true displacement. It takes more than
        half of the memory of a 3D pair.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        count: int,
        first_seed: int = 0,
        folder: str | Path | None = None,
        motion: bool = False,
    ) -> None:
        self.shape = shape
        self.count = count
        self.first_seed = first_seed
        self.motion = motion
        self.folder = Path(folder) if folder is not None else None
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
        self._cache: dict[int, TrainingPair] = {}

    def __len__(self) -> int:
        """Return the number of pairs."""
        return self.count

    def __getitem__(self, index: int) -> TrainingPair:
        """Return one pair, made on first use."""
        if not 0 <= index < self.count:
            raise IndexError(index)
        if index not in self._cache:
            self._cache[index] = self._load(self.first_seed + index)
        return self._cache[index]

    def _load(self, seed: int) -> TrainingPair:
        def make() -> TrainingPair:
            return _make(seed, self.shape, self.motion)

        if self.folder is None:
            return make()
        size = 'x'.join(str(n) for n in self.shape)
        path = self.folder / f'phantom_{size}_{seed:05d}.npz'
        return kept_pair(path, path.stem, make, moved=self.motion)


def training_options(seed: int, ndim: int) -> EchoOptions:
    """Draw realistic options, with stronger motion and nuisance.

    A network shrinks what it is unsure of towards the mean of its training
    data: the ejection fraction is drawn evenly up to vigorous hearts, so that
    the mean is not that of a failing one. Nuisance comes in one frame or
    none; what is lost in both frames still corresponds.
    """
    rng = np.random.default_rng([seed, 7])
    ejection_fraction = float(rng.uniform(0.4, 0.8))
    return replace(
        random_options(rng, ndim),
        ejection_fraction=ejection_fraction,
        shortening=ejection_fraction * float(rng.uniform(0.18, 0.36)),
        nuisance_strength=float(rng.uniform(0.8, 2.0)),
        nuisance_frame=('moving', 'fixed', 'none')[int(rng.integers(3))],
    )


def _make(seed: int, shape: tuple[int, ...], motion: bool) -> TrainingPair:
    ndim = len(shape)
    pair = echo_pair(seed, ndim, shape, options=training_options(seed, ndim))
    # The phantom is in (z,) y, x order; training images are in x, y(, z).
    return TrainingPair(
        normalise(pair.moving).T,
        normalise(pair.fixed).T,
        pair.moving_labels.T,
        pair.fixed_labels.T,
        f'phantom {seed}',
        displacement=_true_motion(pair) if motion else None,
    )


def _true_motion(pair: EchoPair) -> np.ndarray:
    """Return where the tissue goes, unknown outside the sector."""
    known = np.where(pair.sector, pair.displacement, np.float32(np.nan))
    return np.stack([part.T for part in known[::-1]])
