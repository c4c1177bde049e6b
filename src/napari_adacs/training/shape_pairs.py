"""Pairs of random shapes as training data, cached on disk."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_adacs.phantom.shapes import shapes_pair
from napari_adacs.phantom.shapes_options import ShapesOptions
from napari_adacs.training.pair_cache import as_kept, kept_pair
from napari_adacs.training.pairs import PairSource, TrainingPair

_MOST_KEPT = 4e9  # bytes of all pairs, before compression


class ShapePairs(PairSource):
    """Pairs of random shapes with consecutive seeds.

    Parameters
    ----------
    shape : tuple of int
        Voxels per axis.
    seeds : range
        Seeds of the pairs.
    alike : bool, default: False
        Whether both frames always are one kind of image.
    size_classes : int, default: 0
        Gives labels a meaning that all pairs share, to validate on: 1 is
        the largest quarter of the shapes if there are four classes, 4 the
        smallest. 0 leaves every shape a label of its own.
    folder : str or Path, optional
        Where pairs are kept once made. Without it, and where all of them
        would take gigabytes, each is made anew: the same again.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        seeds: range,
        alike: bool = False,
        size_classes: int = 0,
        folder: str | Path | None = None,
    ) -> None:
        self.shape = shape
        self.seeds = seeds
        self.size_classes = size_classes
        self.options = ShapesOptions()
        if alike:
            self.options = replace(self.options, same_contrast=1.0)
        self._kind = 'alike' if alike else 'shapes'
        fits = len(seeds) * 4 * math.prod(shape) <= _MOST_KEPT
        self.folder = Path(folder) if folder is not None and fits else None
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.seeds)

    def name(self, index: int) -> str:
        """Return the name of a pair."""
        return f'{self._kind} {self.seeds[index]}'

    def __getitem__(self, index: int) -> TrainingPair:
        """Return one pair, made on first use."""
        pair = self._whole(index)
        return in_classes(pair, self.size_classes)

    def _whole(self, index: int) -> TrainingPair:
        seed, name = self.seeds[index], self.name(index)
        if self.folder is None:
            # as it would come back from the disk
            return as_kept(self._make(seed, name))
        size = 'x'.join(str(n) for n in self.shape)
        path = self.folder / f'{self._kind}_{size}_{seed}.npz'
        return kept_pair(path, name, lambda: self._make(seed, name))

    def _make(self, seed: int, name: str) -> TrainingPair:
        pair = shapes_pair(seed, self.shape, self.options)
        return TrainingPair(
            pair.moving,
            pair.fixed,
            pair.moving_labels,
            pair.fixed_labels,
            name,
        )


def in_classes(pair: TrainingPair, count: int) -> TrainingPair:
    """Return a pair whose labels are classes of size; 0 leaves it as it is.

    Parameters
    ----------
    pair : TrainingPair
        With labels.
    count : int
        Number of classes.
    """
    moving, fixed = pair.moving_labels, pair.fixed_labels
    if not count or moving is None or fixed is None:
        return pair
    sizes = np.bincount(fixed.ravel(), minlength=256)
    sizes += np.bincount(moving.ravel(), minlength=256)
    sizes[0] = 0
    largest = np.argsort(-sizes, kind='stable')[: np.count_nonzero(sizes)]
    classes = np.zeros(256, np.uint8)
    classes[largest] = 1 + np.arange(largest.size) * count // largest.size
    return replace(
        pair, moving_labels=classes[moving], fixed_labels=classes[fixed]
    )
