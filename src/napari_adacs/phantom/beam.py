"""The beam grid (range x angles) and its point spread function.

The PSF is separable in beam coordinates: a Gaussian pulse along the range
and a Gaussian beam in angle, so that the lateral width in mm grows with
depth; away from the focus the beam is wider.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from napari_adacs.phantom.options import EchoOptions
from napari_adacs.phantom.sector import Sector

Array = NDArray[np.float32]
Complex = NDArray[np.complex64]

_FWHM = 2.3548  # full width at half maximum of a unit Gaussian
_FINEST = 0.55  # beam sample over voxel size
_OVERSAMPLING = 0.9  # beam sample over the standard deviation of the PSF
_MARGIN = 4.0  # samples beyond the sector, for the PSF and for motion
_WIDE = 1.5  # extra blur of the defocused beam over the focused one


@dataclass(frozen=True, eq=False)
class Beam:
    """The beam grid and its point spread function.

    Parameters
    ----------
    shape : tuple of int
        Samples along range and angle(s).
    first, step : (ndim,) numpy.ndarray of float32
        Beam coordinates of sample 0 and their increments (mm, rad...).
    sigma : tuple of float
        Standard deviation of the PSF in samples, at the focus.
    options : EchoOptions
        Focus, defocus and display are used.
    """

    shape: tuple[int, ...]
    first: Array
    step: Array
    sigma: tuple[float, ...]
    options: EchoOptions

    @property
    def ndim(self) -> int:
        """Number of axes, 2 or 3."""
        return len(self.shape)

    def index(self, beam: Array) -> Array:
        """Return sample indices (ndim, ...) of beam coordinates."""
        shape = (self.ndim,) + (1,) * (beam.ndim - 1)
        result: Array = (beam - self.first.reshape(shape)) / self.step.reshape(
            shape
        )
        return result

    @property
    def looks(self) -> int:
        """Number of independent speckle patterns that are averaged."""
        return round(self.options.looks)

    @property
    def resolution_cell(self) -> float:
        """Volume of the PSF (full width at half maximum), in samples."""
        return float(np.prod([max(_FWHM * s, 1.0) for s in self.sigma]))

    @property
    def ranges(self) -> Array:
        """Range of each sample along axis 0, mm."""
        n = np.arange(self.shape[0], dtype=np.float32)
        result: Array = self.first[0] + self.step[0] * n
        return result

    def axis(self, i: int) -> Array:
        """Return beam coordinate i, shaped to broadcast over the grid."""
        n = np.arange(self.shape[i], dtype=np.float32)
        shape = [1] * self.ndim
        shape[i] = -1
        result: Array = (self.first[i] + self.step[i] * n).reshape(shape)
        return result

    def blur(self, field: Complex) -> Complex:
        """Apply the point spread function to unit white noise power.

        The result of white noise of unit variance has unit variance at
        every depth.
        """
        narrow = _gaussian(field, self.sigma)
        extra = _WIDE * self.sigma[-1]
        wide = _gaussian(narrow, (0.0,) + (extra,) * (self.ndim - 1))
        part = self._defocusing()
        gain = np.sqrt(_noise_power(self.sigma, extra, part, self.ndim))
        shape = (-1,) + (1,) * (self.ndim - 1)
        mix, scale = part.reshape(shape), gain.reshape(shape)
        mixed = ((1 - mix) * narrow + mix * wide) / scale
        return mixed.astype(np.complex64, copy=False)

    def noise(self, rng: np.random.Generator) -> Complex:
        """Return signals (looks, *shape) of unit power without tissue."""
        return np.stack(
            [self.blur(white(rng, self.shape)) for _ in range(self.looks)]
        )

    def _defocusing(self) -> Array:
        """Return how much of the wide beam is mixed in at each range."""
        far = self.ranges[-1]
        distance = np.abs(self.ranges / far - np.float32(self.options.focus))
        result: Array = np.clip(
            np.float32(self.options.defocus) * 1.5 * distance, 0, 1
        )
        return result


def make_beam(sector: Sector, options: EchoOptions) -> Beam:
    """Lay a beam grid over a sector, fine enough for its PSF and voxels."""
    voxel = np.array(sector.spacing)
    middle = 0.7 * sector.depth
    finest = [_FINEST * voxel[-2]] + [
        _FINEST * voxel[i] / middle
        for i in ((0, 2) if sector.ndim == 3 else (1,))
    ]
    width = [options.axial] + [np.deg2rad(options.lateral)] * (sector.ndim - 1)
    sigma = np.maximum(np.array(width) / _FWHM, 0.8 * np.array(finest))
    step = np.maximum(_OVERSAMPLING * sigma, finest)
    low = np.array([sector.near, *(-a for a in sector.half_angles)])
    high = np.array([sector.depth, *sector.half_angles])
    margin = _MARGIN * step
    first = low - margin
    first[0] = max(first[0], 0.5)
    count = np.ceil((high + margin - first) / step).astype(int) + 1
    return Beam(
        shape=tuple(int(n) for n in count),
        first=first.astype(np.float32),
        step=step.astype(np.float32),
        sigma=tuple(float(s) for s in sigma / step),
        options=options,
    )


def white(rng: np.random.Generator, shape: tuple[int, ...]) -> Complex:
    """Return complex normal noise of unit variance."""
    parts = rng.standard_normal((*shape, 2), dtype=np.float32)
    parts *= np.float32(np.sqrt(0.5))
    result: Complex = parts.view(np.complex64)[..., 0]
    return result


def _gaussian(field: Complex, sigma: tuple[float, ...]) -> Complex:
    """Blur a complex field with a separable Gaussian."""
    parts = []
    for part in (field.real, field.imag):
        for axis, width in enumerate(sigma):
            if width > 0:
                part = gaussian_filter1d(
                    part, width, axis=axis, mode='constant', truncate=3
                )
        parts.append(part)
    result: Complex = (parts[0] + 1j * parts[1]).astype(np.complex64)
    return result


def _noise_power(
    sigma: tuple[float, ...], extra: float, part: Array, ndim: int
) -> Array:
    """Return the power of blurred white noise per range (n,)."""
    impulse = np.zeros(101)
    impulse[50] = 1
    axial = gaussian_filter1d(impulse, sigma[0], truncate=3)
    narrow = gaussian_filter1d(impulse, sigma[-1], truncate=3)
    wide = gaussian_filter1d(narrow, extra, truncate=3)
    angles = ndim - 1
    aa = (narrow @ narrow) ** angles
    bb = (wide @ wide) ** angles
    ab = (narrow @ wide) ** angles
    mix = (1 - part) ** 2 * aa + part**2 * bb + 2 * part * (1 - part) * ab
    result: Array = (mix * (axial @ axial)).astype(np.float32)
    return result
