"""Pairs of masks with known distances, and slow but certain answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Mask = NDArray[np.bool_]
Pair = tuple[Mask, Mask, tuple[float, ...]]

RECORDED = Path(__file__).with_name('recorded.json')


def ball(radius: float, size: int = 40, centre: float = 20) -> Mask:
    grid = np.ogrid[:size, :size, :size]
    return sum((x - centre) ** 2 for x in grid) < radius**2


def empty(size: int = 40) -> Mask:
    return np.zeros((size,) * 3, bool)


def with_voxel(mask: Mask, index: tuple[int, ...], value: bool = True) -> Mask:
    out = mask.copy()
    out[index] = value
    return out


def slab(planes: int) -> Mask:
    mask = empty()
    mask[:planes] = True
    return mask


def square() -> Mask:
    mask = np.zeros((40, 40), bool)
    mask[10:20, 10:20] = True
    return mask


ONE = (1.0, 1.0, 1.0)
NAN, SIDE = float('nan'), 40 * 3**0.5

# Ten cases on which published tools disagree. Expected: HD, HD95, ASSD by
# the distance-transform definition; for an empty mask our own convention.
TEN_CASES: dict[str, tuple[Callable[[], Pair], tuple[float, ...]]] = {
    'A both empty': (lambda: (empty(), empty(), ONE), (NAN, NAN, NAN)),
    'B one empty': (lambda: (ball(8), empty(), ONE), (SIDE, SIDE, SIDE)),
    'C voxel against voxel': (
        lambda: (
            with_voxel(empty(), (10, 10, 10)),
            with_voxel(empty(), (13, 10, 12)),
            (2.0, 1.0, 0.5),
        ),
        (6.083, 6.083, 6.083),
    ),
    'D shifted ball, anisotropic': (
        lambda: (ball(8), np.roll(ball(8), 2, 0), (3.0, 1.0, 1.0)),
        (6.000, 6.000, 1.573),
    ),
    'E ball and one far voxel': (
        lambda: (with_voxel(ball(8), (38, 38, 38)), ball(8), ONE),
        (23.685, 0.000, 0.020),
    ),
    'F slab on five borders': (
        lambda: (slab(20), slab(24), ONE),
        (4.000, 4.000, 0.970),
    ),
    'G full volume against itself': (
        lambda: (~empty(), ~empty(), ONE),
        (0.0, 0.0, 0.0),
    ),
    'H full volume against one hole': (
        lambda: (~empty(), with_voxel(~empty(), (20, 20, 20), False), ONE),
        (19.000, 0.000, 0.006),
    ),
    'I thin shells': (
        lambda: (ball(12) & ~ball(10), ball(11) & ~ball(9), ONE),
        (1.414, 1.414, 0.640),
    ),
    'J 2D, anisotropic': (
        lambda: (square(), np.roll(square(), 3, 1), (0.5, 2.0)),
        (6.000, 6.000, 2.278),
    ),
}


def blob(seed: int, shape: tuple[int, ...], share: float = 0.2) -> Mask:
    noise = np.random.default_rng(seed).standard_normal(shape)
    smooth = gaussian_filter(noise, 2.5)
    return smooth > np.quantile(smooth, 1 - share)


# Pairs measured once with other tools; see record_oracles.py.
ORACLE_PAIRS: dict[str, Callable[[], Pair]] = {
    'blobs': lambda: (blob(0, (28,) * 3), blob(1, (28,) * 3), ONE),
    'anisotropic': lambda: (
        blob(2, (20, 30, 24)),
        blob(3, (20, 30, 24)),
        (2.5, 0.7, 1.1),
    ),
    'alike': lambda: (blob(4, (30,) * 3, 0.2), blob(4, (30,) * 3, 0.3), ONE),
    'thin': lambda: (
        blob(5, (24, 24, 40), 0.03),
        blob(5, (24, 24, 40), 0.06),
        (0.5, 0.5, 1.5),
    ),
    'flat': lambda: (blob(6, (60, 50)), blob(7, (60, 50)), (0.6, 1.3)),
}


def brute_force(a: Mask, b: Mask, spacing: tuple[float, ...]) -> Any:
    """Return all distances from a to b and back, without any cleverness."""
    surfaces = []
    for mask in (a, b):
        points = []
        for index in np.argwhere(mask):
            for axis in range(mask.ndim):
                for step in (-1, 1):
                    other = index.copy()
                    other[axis] += step
                    beyond = not 0 <= other[axis] < mask.shape[axis]
                    if beyond or not mask[tuple(other)]:
                        points.append(tuple(index))
        surfaces.append(np.array(sorted(set(points))) * np.array(spacing))
    table = np.linalg.norm(surfaces[0][:, None] - surfaces[1][None], axis=-1)
    return table.min(axis=1), table.min(axis=0)


@pytest.fixture(params=TEN_CASES)
def ten_case(request: pytest.FixtureRequest) -> Any:
    build, expected = TEN_CASES[request.param]
    return *build(), expected


@pytest.fixture(params=ORACLE_PAIRS)
def oracle_pair(request: pytest.FixtureRequest) -> Any:
    recorded = json.loads(RECORDED.read_text(encoding='utf-8'))
    return *ORACLE_PAIRS[request.param](), recorded['pairs'][request.param]


@pytest.fixture(scope='session')
def distances_by_force() -> Any:
    return brute_force


@pytest.fixture(scope='session')
def make_blob() -> Any:
    return blob


@pytest.fixture(scope='session')
def make_ball() -> Any:
    return ball
