"""Local correlation by running sums against dense convolutions, in one run.

    python benchmarks/bench_lncc.py [--sides 32 64] [--repeats N]

Prints a Markdown table. Both forms are timed in turns in the same process,
so that a busy machine slows them alike; the column to read is the ratio.
"Dense" is the form that VoxelMorph and the code of the papers use: five
convolutions with a kernel of 9^3 ones.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_adacs.objectives.similarity import local_correlation

Similarity = Callable[[Tensor, Tensor], Tensor]

WINDOW = 9


def dense_correlation(fixed: Tensor, warped: Tensor) -> Tensor:
    """Return the squared local correlation by dense convolutions."""
    kernel = torch.ones(1, 1, WINDOW, WINDOW, WINDOW)

    def total(values: Tensor) -> Tensor:
        return F.conv3d(values, kernel, padding=WINDOW // 2)

    size = kernel.numel()
    sum_f, sum_w = total(fixed), total(warped)
    cross = total(fixed * warped) - sum_f * sum_w / size
    var_f = total(fixed * fixed) - sum_f * sum_f / size
    var_w = total(warped * warped) - sum_w * sum_w / size
    return cross * cross / (var_f * var_w + 1e-5)


def forward(similarity: Similarity, fixed: Tensor, warped: Tensor) -> None:
    """Compute the loss alone."""
    with torch.no_grad():
        similarity(fixed, warped).mean()


def both_ways(similarity: Similarity, fixed: Tensor, warped: Tensor) -> None:
    """Compute the loss and its gradient, as a training step does."""
    leaf = warped.clone().requires_grad_(True)
    similarity(fixed, leaf).mean().backward()  # type: ignore[no-untyped-call]


def main() -> None:
    """Time everything in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--sides', type=int, nargs='+', default=[32, 64])
    parser.add_argument('--repeats', type=int, default=5)
    chosen = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, 'getloadavg') else float('nan')
    print(
        f'{torch.get_num_threads()} threads, load {load:.1f}, '
        f'median of {chosen.repeats}\n'
    )
    print('| | running sums, ms | dense, ms | ratio | largest difference |')
    print('|:--|--:|--:|--:|--:|')
    for side in chosen.sides:
        fixed, warped = torch.rand(2, 1, 1, side, side, side)
        difference = _difference(fixed, warped)
        for what, job in (
            ('loss', forward),
            ('loss and gradient', both_ways),
        ):
            ours, dense = _in_turns(job, fixed, warped, chosen.repeats)
            print(
                f'| {side}³, {what} | {ours:.1f} | {dense:.1f} '
                f'| 1/{dense / ours:.1f} | {difference:.1e} |'
            )


def _difference(fixed: Tensor, warped: Tensor) -> float:
    ours = local_correlation(fixed, warped, WINDOW)
    return float((ours - dense_correlation(fixed, warped)).abs().max())


def _in_turns(
    job: Callable[[Similarity, Tensor, Tensor], None],
    fixed: Tensor,
    warped: Tensor,
    repeats: int,
) -> list[float]:
    forms: tuple[Similarity, ...] = (local_correlation, dense_correlation)
    times: list[list[float]] = [[], []]
    for repeat in range(repeats + 1):
        for form, found in zip(forms, times, strict=True):
            start = time.perf_counter()
            job(form, fixed, warped)
            if repeat:  # the first one warms up
                found.append(1e3 * (time.perf_counter() - start))
    return [statistics.median(found) for found in times]


if __name__ == '__main__':
    main()
