"""Random options that span the variety of real studies."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_adacs.errors import InputError
from napari_adacs.phantom.options import (
    FRAMES,
    NUISANCE_KINDS,
    EchoOptions,
)


def random_options(rng: np.random.Generator, ndim: int) -> EchoOptions:
    """Draw options over the variety of real studies.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all randomness.
    ndim : {2, 3}
        Dimension of the phantom; 3D echo has coarser speckle and less
        contrast than 2D echo.

    Returns
    -------
    EchoOptions
        Options with a nuisance of one or two kinds in one random frame, in
        both or (one time in four) in none.
    """
    if ndim not in (2, 3):
        raise InputError(f'The phantom is 2D or 3D, not {ndim}D.')
    values = {
        **_random_anatomy(rng, ndim),
        **_random_placement(rng, ndim),
        **_random_motion(rng),
        **_random_sector(rng, ndim),
        **_random_look(rng, ndim),
    }
    kinds = rng.permutation(len(NUISANCE_KINDS))[: rng.integers(1, 3)]
    return EchoOptions(
        **values,
        nuisance_frame=FRAMES[int(rng.integers(len(FRAMES)))],
        nuisance_kinds=tuple(NUISANCE_KINDS[int(k)] for k in kinds),
        nuisance_strength=float(rng.uniform(0.5, 1.5)),
    )


def _clipped(
    rng: np.random.Generator, mean: float, sd: float, low: float, high: float
) -> float:
    """Draw from a normal distribution cut to [low, high]."""
    return float(np.clip(rng.normal(mean, sd), low, high))


def _random_anatomy(rng: np.random.Generator, ndim: int) -> dict[str, Any]:
    long_axis = _clipped(rng, 84, 10, 60, 112)
    ratio = _clipped(rng, 0.56, 0.08, 0.42, 0.78)
    return {
        'long_axis': long_axis,
        'short_axis': float(np.clip(long_axis * ratio, 32, 72)),
        'ellipticity': _clipped(rng, 1.0, 0.08, 0.82, 1.2),
        # annotators of 2D echo draw the wall thicker than those of 3D echo
        'wall': _clipped(rng, 9.5 if ndim == 3 else 11.5, 1.8, 6, 16),
        'base_fraction': float(rng.uniform(0.12, 0.38)),
        'bend': _clipped(rng, 0, 2.5, -6, 6),
        'lumpiness': float(rng.uniform(0.2, 2.2)),
        'atrium': float(rng.uniform(28, 62)),
    }


def _random_placement(rng: np.random.Generator, ndim: int) -> dict[str, Any]:
    tilt = 14 if ndim == 3 else 9
    roll = rng.uniform(-180, 180) if ndim == 3 else 0.0
    if ndim == 2 and rng.random() < 0.15:
        roll = 180.0
    return {
        'apex_depth': _clipped(rng, 20, 9, -4, 45),
        'shift_x': _clipped(rng, 0, 7, -20, 20),
        'shift_z': _clipped(rng, 0, 7, -20, 20),
        'tilt': _clipped(rng, 0, tilt, -32, 32),
        'tilt_z': _clipped(rng, 0, tilt, -32, 32),
        'roll': float(roll),
    }


def _random_motion(rng: np.random.Generator) -> dict[str, Any]:
    ef = _clipped(rng, 0.53, 0.14, 0.25, 0.75)
    return {
        'ejection_fraction': ef,
        'shortening': ef * float(rng.uniform(0.18, 0.36)),
        'apex_share': float(rng.uniform(0, 0.4)),
        'twist': _clipped(rng, 10, 6, -5, 24),
        'bulk': float(rng.uniform(0, 4)),
        'irregularity': float(rng.uniform(0, 1.4)),
    }


def _random_sector(rng: np.random.Generator, ndim: int) -> dict[str, Any]:
    angle = float(rng.uniform(58, 92))
    return {
        'angle': angle,
        'angle_z': float(np.clip(angle + rng.normal(0, 6), 50, 95)),
        'depth': float(
            rng.uniform(110, 158) if ndim == 3 else rng.uniform(120, 195)
        ),
        'near': float(rng.uniform(1, 9)),
    }


def _random_look(rng: np.random.Generator, ndim: int) -> dict[str, Any]:
    volume = ndim == 3
    return {
        'scatterers': float(np.exp(rng.uniform(np.log(1.5), np.log(10)))),
        'axial': float(
            rng.uniform(1.6, 4.4) if volume else rng.uniform(0.8, 2.4)
        ),
        'lateral': float(
            rng.uniform(2.6, 6.0) if volume else rng.uniform(1.0, 3.0)
        ),
        'focus': float(rng.uniform(0.3, 0.8)),
        'defocus': float(rng.uniform(0, 1)),
        'looks': _looks(rng, volume),
        'decorrelation': float(rng.uniform(0.05, 0.9)),
        'blood': float(rng.uniform(-24, -7)),
        'background': float(rng.uniform(-14, -1)),
        'pericardium': float(rng.uniform(4, 18)),
        'annulus': float(rng.uniform(2, 16)),
        'chest': float(rng.uniform(-18, 5)),
        'papillary': float(rng.uniform(-14, 3)),
        'texture': float(rng.uniform(2, 6)),
        'anisotropy': float(rng.uniform(0, 12)),
        'attenuation': float(rng.uniform(-4, 8)),
        'edge': float(rng.uniform(0, 22)),
        'unevenness': float(rng.uniform(0.5, 3.5)),
        'clutter': float(rng.uniform(-30, -12)),
        'noise': float(rng.uniform(-44, -20)),
        'dynamic_range': float(
            rng.uniform(30, 54) if volume else rng.uniform(38, 64)
        ),
        'gain': float(rng.uniform(-4.5, 7) if volume else rng.uniform(-6, 5)),
        'gamma': float(np.exp(rng.uniform(np.log(0.75), np.log(1.35)))),
        'smoothing': float(rng.uniform(0, 0.8)),
    }


def _looks(rng: np.random.Generator, volume: bool) -> int:
    """Draw the compounding: rare in 3D echo, usual in 2D echo."""
    low, high = (-2, 3) if volume else (1, 6)
    return max(1, int(rng.integers(low, high)))
