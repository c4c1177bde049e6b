"""What the machine and the chest do to all echoes, in beam coordinates.

Attenuation, a dim sector edge and an uneven gain (aperture, ribs, time-gain
compensation) multiply the tissue signal; clutter and electronic noise add
to it. They stay with the probe while the tissue moves beneath them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

from napari_adacs.phantom.beam import Beam

Array = NDArray[np.float32]

_NODES = 5  # of the random gain along each beam coordinate
_CLUTTER_REACH = 40.0  # mm
_COMPENSATION = 12.0  # dB by which the noise rises over the depth
_PRIVATE = 0.3  # part of the uneven gain that differs between the frames


def transmissions(rng: np.random.Generator, beam: Beam) -> tuple[Array, Array]:
    """Return the amplitude factors of both frames on the beam grid."""
    o = beam.options
    part = beam.axis(0) / beam.ranges[-1]
    level = np.float32(-o.attenuation) * part
    for i in range(1, beam.ndim):
        angles = beam.axis(i)
        edge = np.abs(angles) / np.abs(angles).max()
        level = level - np.float32(o.edge) * edge**6
    common = _uneven(rng, beam)
    frames = [
        _amplitude(
            level
            + np.float32(o.unevenness)
            * (common + np.float32(_PRIVATE) * _uneven(rng, beam))
        )
        for _ in range(2)
    ]
    return frames[0], frames[1]


def clutter(beam: Beam) -> Array:
    """Return the amplitude of stationary clutter, stronger when near."""
    near = np.exp(-beam.axis(0) / np.float32(_CLUTTER_REACH))
    return _amplitude(np.float32(beam.options.clutter) + 6 * near)


def noise(beam: Beam) -> Array:
    """Return the amplitude of electronic noise, rising with depth."""
    part = beam.axis(0) / beam.ranges[-1]
    return _amplitude(
        np.float32(beam.options.noise) + np.float32(_COMPENSATION) * (part - 1)
    )


def _uneven(rng: np.random.Generator, beam: Beam) -> Array:
    """Return smooth noise of about unit variance over the beam grid."""
    nodes = rng.standard_normal((_NODES,) * beam.ndim, dtype=np.float32)
    factors = [n / _NODES for n in beam.shape]
    smooth: Array = zoom(
        nodes, factors, order=2, mode='nearest', output=np.float32
    )
    return smooth


def _amplitude(level: Array) -> Array:
    """Return the amplitude ratio of decibels."""
    result: Array = np.exp(level * np.float32(np.log(10) / 20))
    return result
