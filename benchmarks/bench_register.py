"""Registration against the bare forward pass of its networks.

    python benchmarks/bench_register.py [--model NAME] [--shape 64 64 64]

Prints seconds and, what matters, ratios: both run in the same process, in
turns, so that a busy machine slows them alike. "plain" is the network as
PyTorch runs it by default, "ours" what `register` runs inside.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from napari_adacs.models.library import find_model, load_model
from napari_adacs.phantom.echo import echo_pair
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.preprocess import network_grid, prepare
from napari_adacs.registration.register import register_on_grids


def main() -> None:
    """Time everything in turns and print the table."""
    chosen = _arguments()
    ndim = len(chosen.shape)
    entry = find_model(chosen.model, ndim)
    model, plain = load_model(entry.path), load_model(entry.path)
    pair = echo_pair(7, ndim, tuple(chosen.shape))
    moving = ImageOnGrid(pair.moving, pair.grid, 'moving')
    fixed = ImageOnGrid(pair.fixed, pair.grid, 'fixed')
    grid = network_grid(fixed, model.header.preprocessing, model.size_multiple)
    seen = prepare(moving, fixed, grid)

    def displacement() -> None:
        plain.displacement(seen.moving, seen.fixed, inverse=False)

    def all_networks() -> None:
        plain.displacement(seen.moving, seen.fixed, inverse=False)
        for network in plain.auxiliaries.values():
            network(seen.fixed, seen.moving)

    def whole() -> None:
        register_on_grids(moving, fixed, RunConfig(), model=model)

    jobs = {
        'plain displacement network': displacement,
        'plain, all networks': all_networks,
        'register()': whole,
    }
    seconds = _in_turns(jobs, chosen.repeats)
    base = seconds['plain displacement network']
    print(f'{entry.name}, image {tuple(chosen.shape)}, network {grid.shape}')
    print(f'{torch.get_num_threads()} threads, median of {chosen.repeats}')
    for name, value in seconds.items():
        print(f'{name:28s} {value:8.3f} s {value / base:6.2f} x')


def _in_turns(
    jobs: dict[str, Callable[[], None]], repeats: int
) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in jobs}
    with torch.inference_mode():
        for repeat in range(repeats + 1):
            for name, job in jobs.items():
                start = time.perf_counter()
                job()
                if repeat:  # the first round warms up
                    times[name].append(time.perf_counter() - start)
    return {name: statistics.median(t) for name, t in times.items()}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', default='auto')
    parser.add_argument('--shape', type=int, nargs='+', default=[64, 64, 64])
    parser.add_argument('--repeats', type=int, default=7)
    return parser.parse_args()


if __name__ == '__main__':
    main()
