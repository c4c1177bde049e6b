"""Nuisance: what breaks the correspondence of two echo frames.

shadow  : radial streaks of lost signal behind a reflector (rib, lung)
dropout : a part of the wall that vanishes
gain    : a smooth patch that is much brighter or darker
haze    : near-field reverberation that covers the tissue
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_adacs.phantom.beam import Beam
from napari_adacs.phantom.options import EchoOptions

Array = NDArray[np.float32]

_VISIBLE = 0.08  # change of the grey value that counts as nuisance
_MASK_SIGMA = 1.5  # voxels


@dataclass(frozen=True, eq=False)
class Nuisance:
    """What happens to one frame, on the beam grid.

    Parameters
    ----------
    gain : numpy.ndarray of float32
        Change of the tissue signal, dB.
    haze : numpy.ndarray of float32
        Power of the added reverberation relative to the myocardium.
    """

    gain: Array
    haze: Array


def draw_nuisance(
    rng: np.random.Generator, beam: Beam, walls: Array, options: EchoOptions
) -> Nuisance:
    """Draw the nuisance of one frame.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    beam : Beam
        The beam grid.
    walls : (ndim, N) numpy.ndarray of float32
        Beam coordinates of the myocardium in this frame; nuisance is aimed
        at it. May be empty.
    options : EchoOptions
        Kinds and strength.
    """
    gain = np.zeros(beam.shape, np.float32)
    haze = np.zeros(beam.shape, np.float32)
    strength = options.nuisance_strength
    for kind in options.nuisance_kinds:
        target = _target(rng, beam, walls)
        if kind == 'shadow':
            gain -= strength * _shadows(rng, beam, target)
        elif kind == 'dropout':
            loss = rng.uniform(14, 26)
            gain -= strength * loss * _blob(rng, beam, target, (10, 22))
        elif kind == 'gain':
            change = rng.uniform(9, 15) * rng.choice([-1, 1])
            gain += strength * change * _blob(rng, beam, target, (20, 38))
        else:
            haze += strength * _haze(rng, beam)
    return Nuisance(gain.astype(np.float32), haze.astype(np.float32))


def _target(rng: np.random.Generator, beam: Beam, walls: Array) -> Array:
    """Return beam coordinates (ndim,) of a random point of the wall."""
    if walls.shape[1]:
        point: Array = walls[:, rng.integers(walls.shape[1])]
        return point
    middle: Array = beam.first + beam.step * np.array(beam.shape) / 2
    return middle.astype(np.float32)


def _shadows(rng: np.random.Generator, beam: Beam, target: Array) -> Array:
    """Return the loss in dB of one or two radial shadows."""
    loss = np.zeros(beam.shape, np.float32)
    for _ in range(int(rng.integers(1, 3))):
        distance = np.zeros((1,) * beam.ndim, np.float32)
        for i in range(1, beam.ndim):
            width = np.deg2rad(rng.uniform(4, 10))
            offset = rng.normal(0, np.deg2rad(5))
            angle = beam.axis(i) - np.float32(target[i] + offset)
            distance = distance + np.square(angle / np.float32(width))
        start = rng.uniform(0.15, 0.85) * target[0]
        below = 1 / (1 + np.exp(-(beam.axis(0) - start) / 2.5))
        depth = rng.uniform(14, 30)
        loss += depth * below * np.exp(-np.square(distance))
    return loss


def _blob(
    rng: np.random.Generator,
    beam: Beam,
    target: Array,
    size: tuple[float, float],
) -> Array:
    """Return a flat-topped blob, 1 at the target and 0 far from it."""
    distance = np.square((beam.axis(0) - target[0]) / rng.uniform(*size))
    for i in range(1, beam.ndim):
        across = (beam.axis(i) - target[i]) * target[0]
        distance = distance + np.square(across / rng.uniform(*size))
    result: Array = np.exp(-np.square(distance))
    return result


def _haze(rng: np.random.Generator, beam: Beam) -> Array:
    """Return the power of banded near-field reverberation."""
    level = 10 ** (rng.uniform(-3, 6) / 10)
    reach = rng.uniform(30, 60)
    period = rng.uniform(6, 14)
    ranges = beam.axis(0)
    bands = 0.65 + 0.35 * np.cos(2 * np.pi * ranges / period)
    power = level * bands * np.exp(-np.square(ranges / reach))
    for i in range(1, beam.ndim):
        centre = rng.uniform(-0.3, 0.3)
        width = rng.uniform(0.3, 0.7)
        power = power * np.exp(-np.square((beam.axis(i) - centre) / width))
    result: Array = power.astype(np.float32)
    return result


def visible(
    disturbed: Array, clean: Array, sector: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return where nuisance really changes the displayed image.

    A voxel counts where the absolute change of the grey value, smoothed
    over 1.5 voxels (sigma), exceeds 0.08 of the range inside the sector.
    """
    change = gaussian_filter(np.abs(disturbed - clean), _MASK_SIGMA)
    mask: NDArray[np.bool_] = (change > _VISIBLE) & sector
    return mask
