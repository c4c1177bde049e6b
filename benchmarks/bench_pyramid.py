"""The pyramid against VoxelMorph: a registration, and a training step.

    python benchmarks/bench_pyramid.py [--rounds N] [--cases 2d 3d]

Both run in turns in one process, on one thread; figures are ratios of
processor time, pyramid over VoxelMorph, the median over rounds. A training
step compares both directions by the mean square, with smoothness of the
velocity, and goes back.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from napari_adacs.networks.base import DisplacementEstimator
from napari_adacs.networks.fast import accelerated
from napari_adacs.networks.registry import build_displacement
from napari_adacs.objectives.smoothness import gradient_penalty
from napari_adacs.spatial.operators import warp

# Shape, and pairs in a training step.
CASES = {'2d': ((128, 128), 8), '3d': ((64, 64, 64), 1)}
NAMES = ('pyramid', 'voxelmorph')


def register(network: DisplacementEstimator, pair: list[Tensor]) -> None:
    """Estimate the motion of one pair, forward and backward."""
    with torch.inference_mode(), accelerated([network]):
        network(*[image[:1] for image in pair])


def plain(network: DisplacementEstimator, pair: list[Tensor]) -> None:
    """Do the same with the modules as they are."""
    with torch.inference_mode():
        network(*[image[:1] for image in pair])


def learn(network: DisplacementEstimator, pair: list[Tensor]) -> None:
    """Find the gradients of a batch."""
    moving, fixed = pair
    motion = network(moving, fixed)
    assert motion.inverse is not None
    loss = (
        (warp(moving, motion.displacement) - fixed).square().mean()
        + (warp(fixed, motion.inverse) - moving).square().mean()
        + 0.01 * gradient_penalty(motion.raw, 'mean')
    )
    loss.backward()  # type: ignore[no-untyped-call]
    network.zero_grad()


WORK = {
    'registration, fast': register,
    'registration, plain': plain,
    'training step': learn,
}


def seconds(call: Callable[[], None]) -> float:
    """Return processor seconds of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--cases', nargs='+', choices=CASES, default=[*CASES])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for case in chosen.cases:
        shape, count = CASES[case]
        pair = [torch.rand(count, 1, *shape) for _ in range(2)]
        networks = {
            name: build_displacement(name, {'ndim': len(shape)}).eval()
            for name in NAMES
        }
        for title, work in WORK.items():
            times: dict[str, list[float]] = {name: [] for name in NAMES}
            for turn in range(chosen.rounds + 1):
                for name, network in networks.items():
                    found = seconds(lambda: work(network, pair))  # noqa: B023
                    if turn:  # the first one warms up
                        times[name].append(found)
            ratio = statistics.median(
                a / b for a, b in zip(*[times[n] for n in NAMES], strict=True)
            )
            best = ', '.join(f'{n} {min(times[n]):.3f} s' for n in NAMES)
            print(f'{case} {title:20} {ratio:5.2f}   ({best})')


if __name__ == '__main__':
    main()
