"""Speckle: point scatterers seen through the beam, detected and displayed.

Scatterers with complex normal amplitudes live in end-diastolic tissue and
move with it. Their echoes are summed on the beam grid and blurred by its
point spread function; the detected power is averaged over independent
looks, log-compressed and scan-converted to the Cartesian grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.special import digamma

from napari_adacs.phantom.beam import Beam, white
from napari_adacs.phantom.sector import Sector, from_beam, to_beam

Array = NDArray[np.float32]
Complex = NDArray[np.complex64]


@dataclass(frozen=True, eq=False)
class Scatterers:
    """Point scatterers in end-diastolic tissue.

    Parameters
    ----------
    positions : (ndim, N) numpy.ndarray of float32
        Probe frame, mm.
    amplitudes : (looks, N) numpy.ndarray of complex64
        Complex normal, unit variance; one row per independent look.
    """

    positions: Array
    amplitudes: Complex

    @classmethod
    def draw(cls, rng: np.random.Generator, beam: Beam) -> Scatterers:
        """Draw scatterers with a constant number per resolution cell."""
        cells = np.prod(beam.shape) / beam.resolution_cell
        count = int(cells * beam.options.scatterers)
        index = rng.random((beam.ndim, max(count, 1)), dtype=np.float32)
        extent = np.array(beam.shape, np.float32)[:, None] - 1
        place = beam.first[:, None] + beam.step[:, None] * index * extent
        return cls(from_beam(place), white(rng, (beam.looks, index.shape[1])))


def echo(beam: Beam, positions: Array, amplitudes: Complex) -> Complex:
    """Return the beam-grid signal of scatterers.

    Parameters
    ----------
    beam : Beam
        Where to and through which PSF.
    positions : (ndim, N) numpy.ndarray of float32
        Where the scatterers are now, mm.
    amplitudes : (looks, N) numpy.ndarray of complex64
        Their amplitudes, including the tissue's.

    Returns
    -------
    (looks, *beam.shape) numpy.ndarray of complex64
        Signals whose mean power is that of the amplitudes, whatever the
        local number of scatterers.
    """
    index = beam.index(to_beam(positions))
    size = int(np.prod(beam.shape))
    looks = len(amplitudes)
    parts = np.zeros((2 * looks, size))
    number = np.zeros(size)
    floor = np.floor(index)
    fraction = index - floor
    corner = floor.astype(np.int64)
    for offset in product((0, 1), repeat=beam.ndim):
        flat, weight, valid = _corner(beam, corner, fraction, offset)
        values = amplitudes[:, valid]
        for look, value in enumerate(values):
            parts[2 * look] += np.bincount(flat, weight * value.real, size)
            parts[2 * look + 1] += np.bincount(flat, weight * value.imag, size)
        number += np.bincount(flat, weight, size)
    density = np.sqrt(_density(beam, number))
    fields = (parts[0::2] + 1j * parts[1::2]).astype(np.complex64)
    fields = fields.reshape(looks, *beam.shape)
    return np.stack([beam.blur(field / density) for field in fields])


def _density(beam: Beam, number: NDArray[np.float64]) -> Array:
    """Return the expected power on the beam grid per unit amplitude."""
    density = gaussian_filter(
        number.astype(np.float32).reshape(beam.shape),
        [2 * s for s in beam.sigma],
    )
    density = np.maximum(density, np.float32(0.1) * density.mean())
    # linear weights blur by a variance of 1/6 sample
    spread = np.prod([s / np.hypot(s, 6**-0.5) for s in beam.sigma])
    result: Array = density * np.float32(spread)
    return result


def _corner(
    beam: Beam,
    corner: NDArray[np.int64],
    fraction: Array,
    offset: Sequence[int],
) -> tuple[NDArray[np.int64], Array, NDArray[np.bool_]]:
    """Return flat indices, linear weights and which points are inside."""
    weight = np.ones(corner.shape[1], np.float32)
    flat = np.zeros(corner.shape[1], np.int64)
    valid = np.ones(corner.shape[1], bool)
    for axis, step in enumerate(offset):
        weight *= fraction[axis] if step else 1 - fraction[axis]
        place = corner[axis] + step
        valid &= (place >= 0) & (place < beam.shape[axis])
        flat = flat * beam.shape[axis] + place
    return flat[valid], weight[valid], valid


def display(beam: Beam, sector: Sector, signal: Complex) -> Array:
    """Detect, log-compress and scan-convert a beam-grid signal.

    Returns
    -------
    (*sector.shape) numpy.ndarray of float32
        Grey values in [0, 1], 0 outside the sector. Myocardium at 0 dB gain
        is 0.5 on average.
    """
    o = beam.options
    power = (np.square(signal.real) + np.square(signal.imag)).mean(axis=0)
    # the mean logarithm of an L-look power lies below that of its mean
    bias = (np.log(beam.looks) - digamma(beam.looks)) * 10 / np.log(10)
    level = 10 * np.log10(power + np.float32(1e-12)) + np.float32(
        bias + o.gain
    )
    grey = np.clip(np.float32(0.5) + level / np.float32(o.dynamic_range), 0, 1)
    if o.gamma != 1:
        grey **= np.float32(o.gamma)
    image = map_coordinates(
        grey.astype(np.float32),
        beam.index(sector.beam_positions),
        order=1,
        mode='nearest',
        output=np.float32,
    )
    if o.smoothing > 0:
        image = gaussian_filter(image, o.smoothing, truncate=3)
    image[~sector.mask] = 0
    result: Array = image
    return result
