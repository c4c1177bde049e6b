"""One AdaCS training step against the order of work of the published loop.

    python benchmarks/bench_training.py [--repeats N] [--cases 2d 3d]

Both train the same networks from the same weights on the same batch, in
turns in one process, so that a busy machine slows them alike; the columns to
read are the ratios. The published order of work, re-enacted from a
description: the displacement network runs and is updated; it runs a second
time, with its graph, to train the scoring network; gradients of that loss go
back through the displacement network too; scores are computed in each of the
two passes and for each direction by itself; and the total variation of the
score is computed a second time in numpy, for the log.

The losses of the first step have to agree, or there is no figure.
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_adacs.models.model import Model, companion_schemes
from napari_adacs.phantom.echo import echo_pair
from napari_adacs.spatial.operators import warp
from napari_adacs.training.batch import Batch
from napari_adacs.training.config import TrainConfig, config_from_dict
from napari_adacs.training.estimates import Active
from napari_adacs.training.optimisation import Optimisation
from napari_adacs.training.processes import Processes
from napari_adacs.training.train import new_model
from napari_adacs.training.update import Update
from napari_adacs.weighting.base import SchemeState

CASES = {'2d': ((128, 128), 4), '3d': ((64, 64, 64), 1)}
ALPHA, BETA, SMOOTHNESS = 0.04, 1.5, 0.01
CPU = torch.device('cpu')

Losses = dict[str, float]
# Seconds by the clock, and of the processor.
Times = tuple[float, float]


def make_config(shape: tuple[int, ...]) -> TrainConfig:
    """Return the published settings: full networks, both directions."""
    return config_from_dict(
        {
            'shape': list(shape),
            'scheme': {
                'name': 'adacs',
                'options': {'preset': 'code', 'alpha': ALPHA, 'beta': BETA},
            },
            'smoothness': {
                'weight': SMOOTHNESS,
                'on': 'velocity',
                'reduction': 'mean',
            },
            'stages': {'displacement': 0, 'auxiliary': 0, 'joint': 100},
            'optimiser': {'auxiliary_betas': [0.9, 0.999]},
        }
    )


class Ours:
    """The step of this package."""

    def __init__(self, model: Model, config: TrainConfig) -> None:
        layout = (
            torch.channels_last if config.ndim == 2 else torch.channels_last_3d
        )
        for module in model.modules().values():
            module.to(memory_format=layout)
        self.optimisation = Optimisation(model, config, Processes(), CPU)
        self.update = Update(
            model, companion_schemes(model), config, self.optimisation
        )
        self.state = SchemeState()

    def step(self, batch: Batch) -> Losses:
        """Train once."""
        found = self.update([batch], Active(True, True), self.state)
        self.optimisation.share_gradients()
        self.optimisation.clip()
        self.optimisation.update()
        return {name: float(value) for name, value in found.items()}


@dataclass
class Momentum:
    """Weight of the total variation, as a running figure."""

    value: float = 0.0
    total: float = 0.0
    count: int = 0

    def update(self, losses: list[float]) -> float:
        """Take in the data losses of a step, all in the first epoch."""
        self.total += sum(losses) / len(losses)
        self.count += 1
        mean = self.total / self.count
        self.value = BETA * float(np.cos(3.14 * 50 * mean))
        return self.value


class Published:
    """The published order of work with the same networks."""

    def __init__(self, model: Model, config: TrainConfig) -> None:
        self.motion = model.displacement
        self.scoring = model.auxiliaries['scoring']
        rate = config.learning_rate
        self.first = torch.optim.Adam(self.motion.parameters(), lr=rate)
        self.second = torch.optim.Adam(self.scoring.parameters(), lr=rate)
        self.momentum = Momentum()
        self.logged = 0.0

    def step(self, batch: Batch) -> Losses:
        """Train once: both passes, both updates."""
        targets = [batch.fixed, batch.moving]
        out: Losses = {}
        warped, raw, mask = self._forward(batch)
        data = [
            0.5
            * (
                mask
                * self.scoring(target).detach()
                * (mask * target - mask * image).square()
            ).mean()
            for target, image in zip(targets, warped, strict=True)
        ]
        smoothness = SMOOTHNESS * 2 * _penalty(raw)
        out['data'] = torch.stack(data).sum().item()
        out['smoothness'] = smoothness.item()
        torch.stack([*data, smoothness]).sum().backward()
        self.first.step()
        self.first.zero_grad()
        weight = self.momentum.update([d.item() for d in data])
        out |= self._score(batch, targets, weight)
        return out

    def _forward(self, batch: Batch) -> tuple[list[Tensor], Tensor, Tensor]:
        motion = self.motion(batch.moving, batch.fixed)
        mask = (batch.moving != 0) | (batch.fixed != 0)
        warped = [
            warp(batch.moving, motion.displacement),
            warp(batch.fixed, motion.inverse),
        ]
        return warped, motion.raw, mask

    def _score(
        self, batch: Batch, targets: list[Tensor], weight: float
    ) -> Losses:
        warped, _, mask = self._forward(batch)
        terms: dict[str, list[Tensor]] = {
            'correspondence': [],
            'deficit': [],
            'variation': [],
        }
        for target, image in zip(targets, warped, strict=True):
            score = self.scoring(target)
            residual = (mask * target - mask * image).square()
            terms['correspondence'].append((mask * score * residual).mean())
            deficit = ALPHA * (mask * score - mask.float()).square().mean()
            terms['deficit'].append(deficit)
            terms['variation'].append(weight * _penalty(score))
            self.logged = _numpy_variation(score.detach().numpy()[0, 0])
        means = {k: torch.stack(v).mean() for k, v in terms.items()}
        torch.stack(list(means.values())).sum().backward()
        self.second.step()
        self.second.zero_grad()
        return {name: value.item() for name, value in means.items()}


def _penalty(values: Tensor) -> Tensor:
    parts = [
        torch.diff(values, dim=d).square().mean()
        for d in range(2, values.ndim)
    ]
    return torch.stack(parts).mean()


def _numpy_variation(score: np.ndarray) -> float:
    return float(
        sum(np.abs(np.diff(score, axis=d)).sum() for d in range(score.ndim))
    )


def make_batch(shape: tuple[int, ...], count: int) -> Batch:
    """Return phantom pairs."""
    pairs = [echo_pair(seed, len(shape), shape) for seed in range(count)]
    moving, fixed = (
        torch.from_numpy(
            np.stack([getattr(p, role) for p in pairs])[:, None] / 255.0
        ).float()
        for role in ('moving', 'fixed')
    )
    moving, fixed = (i / i.max() for i in (moving, fixed))
    empty = torch.zeros(count, 0, *shape)
    return Batch(moving, fixed, empty, empty)


def compare(shape: tuple[int, ...], count: int, repeats: int) -> str:
    """Time both on one shape; return a row of the table."""
    config = make_config(shape)
    torch.manual_seed(0)
    model = new_model(config)
    batch = make_batch(shape, count)
    ours = Ours(copy.deepcopy(model), config)
    published = Published(copy.deepcopy(model), config)
    first = ours.step(batch), published.step(batch)
    _check(*first)
    times: tuple[list[Times], list[Times]] = ([], [])
    for _ in range(repeats):
        for found, run in zip(times, (ours.step, published.step), strict=True):
            found.append(_timed(run, batch))
    mine, theirs = (
        [statistics.median(column) for column in zip(*found, strict=True)]
        for found in times
    )
    size = ' × '.join(str(n) for n in shape)
    return (
        f'| {size}, batch {count} | {1 / mine[0]:.2f} | {1 / theirs[0]:.2f} '
        f'| {theirs[0] / mine[0]:.2f} | {theirs[1] / mine[1]:.2f} '
        f'| {_largest(*first):.0e} |'
    )


def _timed(run: Callable[[Batch], Losses], batch: Batch) -> Times:
    start = time.perf_counter(), time.process_time()
    run(batch)
    return time.perf_counter() - start[0], time.process_time() - start[1]


def _largest(ours: Losses, theirs: Losses) -> float:
    return max(
        abs(ours[name] - value) / max(abs(value), 1e-6)
        for name, value in theirs.items()
    )


def _check(ours: Losses, theirs: Losses) -> None:
    """Refuse to compare the speed of different things.

    The auxiliary terms differ by one update of the displacement, which the
    published loop makes before it computes them: a rate of 1e-4 away.
    """
    tolerances = dict.fromkeys(ours, 0.02) | {'data': 1e-4}
    for name, value in theirs.items():
        allowed = tolerances[name] * max(abs(value), 1e-6)
        if abs(ours[name] - value) > allowed:
            raise SystemExit(f'{name}: {ours[name]} is not {value}.')


def main() -> None:
    """Time both shapes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument(
        '--cases', nargs='+', choices=list(CASES), default=list(CASES)
    )
    chosen = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, 'getloadavg') else float('nan')
    print(
        f'{torch.get_num_threads()} threads, load {load:.1f}, median of '
        f'{chosen.repeats}; steps per second\n'
    )
    print(
        '| | ours | published order | ratio | ratio of processor time '
        '| losses differ by |'
    )
    print('|:--|--:|--:|--:|--:|--:|')
    for name in chosen.cases:
        shape, count = CASES[name]
        print(compare(shape, count, chosen.repeats), flush=True)


if __name__ == '__main__':
    main()
