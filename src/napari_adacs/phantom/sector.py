"""The imaged sector: Cartesian grid, beam (polar) grid and their map.

Positions are millimetres in the probe frame, component order = array axis
order: (z, y, x) or (y, x), y being the depth below the probe. Beam
coordinates are range r = |p| and the steering angles atan2(x, y) and, in
3D, atan2(z, y): a rectangular pyramid with a spherical bottom.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.phantom.options import EchoOptions
from napari_adacs.spatial.grid import Grid

Array = NDArray[np.float32]

_FIT_MARGIN = 1.03
_DEFAULT_DEPTH = 140.0


@dataclass(frozen=True, eq=False)
class Sector:
    """A sector on a Cartesian grid.

    Parameters
    ----------
    shape : tuple of int
        Voxels per axis, (z, y, x) or (y, x).
    spacing : tuple of float
        Voxel size in mm in the same order.
    depth, near : float
        Range of the last and of the first echo, mm.
    half_angles : tuple of float
        Half opening angles in radians: (lateral,) or (elevational, lateral).
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    depth: float
    near: float
    half_angles: tuple[float, ...]

    @property
    def ndim(self) -> int:
        """Number of axes, 2 or 3."""
        return len(self.shape)

    @cached_property
    def first(self) -> tuple[float, ...]:
        """Position of the first voxel's centre in mm; the probe is at 0."""
        start = [-(n - 1) / 2 * h for n, h in self._sized()]
        start[-2] = 0.0
        return tuple(start)

    def _sized(self) -> zip[tuple[int, float]]:
        return zip(self.shape, self.spacing, strict=True)

    @cached_property
    def grid(self) -> Grid:
        """The voxel grid; the origin of the world is the probe."""
        return Grid.from_spacing(
            self.shape[::-1], self.spacing[::-1], self.first[::-1]
        ).transposed()

    @cached_property
    def positions(self) -> Array:
        """Voxel centres (ndim, *shape) in mm."""
        axes = [
            np.float32(f) + np.arange(n, dtype=np.float32) * np.float32(h)
            for f, (n, h) in zip(self.first, self._sized(), strict=True)
        ]
        return np.stack(np.meshgrid(*axes, indexing='ij'))

    @cached_property
    def beam_positions(self) -> Array:
        """Beam coordinates (ndim, *shape) of the voxels."""
        return to_beam(self.positions)

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """Whether a voxel (*shape) is inside the sector."""
        beam = self.beam_positions
        inside: NDArray[np.bool_] = (beam[0] >= self.near) & (
            beam[0] <= self.depth
        )
        for angle, half in zip(beam[1:], self.half_angles, strict=True):
            inside &= np.abs(angle) <= half
        return inside


def to_beam(positions: Array) -> Array:
    """Return beam coordinates (range, [elevation,] azimuth) of positions.

    Parameters
    ----------
    positions : (ndim, ...) numpy.ndarray of float32
        Millimetres, (z, y, x) or (y, x).

    Returns
    -------
    (ndim, ...) numpy.ndarray of float32
        Range in mm, then angles in radians.
    """
    depth = positions[-2]
    beam = np.empty_like(positions)
    beam[0] = np.sqrt(np.square(positions).sum(axis=0))
    beam[-1] = np.arctan2(positions[-1], depth)
    if len(positions) == 3:
        beam[1] = np.arctan2(positions[0], depth)
    return beam


def from_beam(beam: Array) -> Array:
    """Return positions (z, y, x) or (y, x) of beam coordinates."""
    tangents = np.tan(beam[1:])
    depth = beam[0] / np.sqrt(1 + np.square(tangents).sum(axis=0))
    if len(beam) == 2:
        return np.stack([depth, depth * tangents[0]])
    return np.stack([depth * tangents[0], depth, depth * tangents[1]])


def make_sector(
    ndim: int,
    shape: tuple[int, ...],
    spacing: tuple[float, ...] | None,
    options: EchoOptions,
) -> Sector:
    """Place the sector on a grid, or a grid around the sector.

    Parameters
    ----------
    ndim : {2, 3}
        Number of axes.
    shape : tuple of int
        Voxels per axis.
    spacing : tuple of float or None
        Voxel size in mm; None chooses it so that the sector just fits.
    options : EchoOptions
        Opening angles, depth and first range are used.
    """
    lateral = np.deg2rad(options.angle) / 2
    elevation = np.deg2rad(options.angle_z) / 2
    half = (lateral,) if ndim == 2 else (elevation, lateral)
    if spacing is None:
        depth = options.depth or _DEFAULT_DEPTH
        width = [2 * depth * np.sin(a) for a in half]
        extent = [*width[:-1], depth, width[-1]]
        spacing = tuple(
            _FIT_MARGIN * float(e) / n
            for e, n in zip(extent, shape, strict=True)
        )
    depth = options.depth or (shape[-2] - 1) * spacing[-2] / 1.02
    if depth <= options.near + 3 * options.axial:
        raise InputError(
            f'The sector is only {depth:.0f} mm deep.',
            'Use a larger spacing, more voxels or a larger depth.',
        )
    return Sector(
        shape, spacing, float(depth), options.near, tuple(map(float, half))
    )
