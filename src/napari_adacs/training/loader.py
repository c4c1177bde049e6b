"""Batches for the steps of a run, each drawn by its step's own numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from napari_adacs.errors import InputError
from napari_adacs.training.augment import augment
from napari_adacs.training.batch import Batch, collate, join
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.pairs import PairSource, TrainingPair
from napari_adacs.training.processes import Processes
from napari_adacs.training.seeds import generator


@dataclass(eq=False)
class Loader:
    """Draws pairs with replacement, and changes each by itself.

    What is drawn at a position of a step's batch depends on the seed, the
    step and the position only. Parts of a batch, and the shares of several
    processes, therefore add up to the batch that one process computes at
    once.

    Parameters
    ----------
    pairs : PairSource
        Training pairs.
    config : TrainConfig
        Size of the batch, changes, labels that take part.
    processes : Processes
        Who computes it.

    Raises
    ------
    InputError
        If the batch cannot be shared evenly.
    """

    pairs: PairSource
    config: TrainConfig
    processes: Processes = field(default_factory=Processes)

    def __post_init__(self) -> None:
        parts = self.config.optimiser.accumulation * self.processes.size
        if self.config.batch_size % parts:
            raise InputError(
                f"A 'batch_size' of {self.config.batch_size} cannot be "
                f'shared by {self.processes.size} processes with '
                f'{self.config.optimiser.accumulation} parts each.',
                f'Choose a multiple of {parts}.',
            )
        self._share = self.config.batch_size // parts

    def indices(self, step: int) -> list[int]:
        """Return which pairs the whole batch of a step consists of."""
        drawn = torch.randint(
            len(self.pairs),
            (self.config.batch_size,),
            generator=generator(self.config.seed, 'pairs', step),
        )
        return [int(i) for i in drawn]

    def parts(self, step: int, nuisance: bool) -> list[Batch]:
        """Return this process's share of a step's batch, in parts.

        Parameters
        ----------
        step : int
            Zero-based step.
        nuisance : bool
            Whether nuisance may be added; without an auxiliary estimator
            nothing guards the displacement against it.
        """
        count, size = self.config.optimiser.accumulation, self._share
        first = self.processes.rank * count * size
        chosen = self.indices(step)
        return [
            self._part(step, range(start, start + size), chosen, nuisance)
            for start in range(first, first + count * size, size)
        ]

    def _part(
        self, step: int, positions: range, chosen: list[int], nuisance: bool
    ) -> Batch:
        changes = self.config.augment
        if not nuisance:
            changes = replace(changes, nuisance=0.0)
        samples = []
        for position in positions:
            pair = self.pairs[chosen[position]]
            labels = self._labels(pair, step, position)
            sample = collate(
                [pair],
                self.config.shape,
                labels,
                motion=self.config.motion_weight > 0,
            )
            rng = generator(self.config.seed, 'changes', step, position)
            changed = augment(sample, changes, rng)
            samples.append(replace(changed, names=(pair.name,)))
        return join(samples)

    def _labels(
        self, pair: TrainingPair, step: int, position: int
    ) -> Sequence[int]:
        """Return which labels of a pair take part in a step."""
        config = self.config
        if not config.dice_weight:
            return ()
        if config.dice_labels:
            return config.dice_labels
        if pair.moving_labels is None or pair.fixed_labels is None:
            return ()
        both = np.intersect1d(pair.moving_labels, pair.fixed_labels)
        both = both[both > 0]
        rng = generator(config.seed, 'labels', step, position)
        drawn = torch.randperm(len(both), generator=rng)
        return [int(both[i]) for i in drawn[: config.dice_count]]


class Prefetch:
    """Prepares the batches of coming steps in threads.

    Parameters
    ----------
    make : callable
        Makes the parts of a step.
    workers : int
        Threads, and steps ahead; 0 makes each batch when it is asked for.
    last : int
        Number of steps in all.
    """

    def __init__(
        self, make: Callable[[int], list[Batch]], workers: int, last: int
    ) -> None:
        self._make = make
        self._ahead = workers
        self._last = last
        self._waiting: dict[int, Future[list[Batch]]] = {}
        self._pool = ThreadPoolExecutor(workers) if workers else None

    def __call__(self, step: int) -> list[Batch]:
        """Return the parts of a step, and begin those of the next ones."""
        if self._pool is None:
            return self._make(step)
        for coming in range(step, min(step + self._ahead + 1, self._last)):
            if coming not in self._waiting:
                self._waiting[coming] = self._pool.submit(self._make, coming)
        return self._waiting.pop(step).result()

    def close(self) -> None:
        """Give up what is not needed any more."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Prefetch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
