"""The heart at end-diastole: geometry, labels and echogenicity.

The left ventricle is a truncated ellipsoid. In heart coordinates
(x1, x2, s), s from the equator to the apex and x1 towards the right heart,
the cavity is  e(x1, x2, s) < 1, s > -s0,  with
e^2 = (x1/a1)^2 + (x2/a2)^2 + (s/L)^2;  the epicardium is the same surface
with the semi-axes enlarged by the wall thickness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_adacs.phantom.noise import SmoothNoise
from napari_adacs.phantom.options import EchoOptions

Array = NDArray[np.float32]

CAVITY, MYOCARDIUM, ATRIUM = 1, 2, 3

_APEX_WALL = 0.7  # the apical wall is thinner than the lateral wall


@dataclass(frozen=True, eq=False)
class Heart:
    """Size and place of a heart at end-diastole.

    Parameters
    ----------
    ndim : int
        2 for a long-axis slice, 3 for a volume.
    centre : (3,) numpy.ndarray
        Centre of the ellipsoid in the probe frame, (z, y, x) mm.
    axes : (3, 3) numpy.ndarray
        Rows: unit vectors of x1, x2 and s in the probe frame.
    inner, outer : tuple of float
        Semi-axes of endocardium and epicardium, mm.
    base : float
        s0, distance from the equator to the mitral plane, mm.
    bend : float
        Sideways bend at the apex, mm.
    lumps : tuple of SmoothNoise
        One displacement component each; amplitude `lumpiness` mm.
    options : EchoOptions
        Where the numbers come from.
    """

    ndim: int
    centre: Array
    axes: Array
    inner: tuple[float, float, float]
    outer: tuple[float, float, float]
    base: float
    bend: float
    lumps: tuple[SmoothNoise, ...]
    options: EchoOptions

    def coordinates(self, positions: Array) -> Array:
        """Return heart coordinates (3, ...) of positions (ndim, ...) in mm.

        In 2D the slice is the plane z = 0 of the probe frame.
        """
        skip = 3 - self.ndim
        shape = (self.ndim,) + (1,) * (positions.ndim - 1)
        offset = positions - self.centre[skip:].reshape(shape)
        q = np.tensordot(self.axes[:, skip:], offset, axes=1)
        if skip:
            q -= (self.axes[:, 0] * self.centre[0]).reshape((3,) + shape[1:])
        q = q.astype(np.float32, copy=False)
        q[0] += np.float32(self.bend) * np.square(
            q[2] / np.float32(self.inner[2])
        )
        return q

    def lumpy_coordinates(self, positions: Array) -> Array:
        """Return heart coordinates with irregular walls (3, ...)."""
        q = self.coordinates(positions)
        amplitude = np.float32(self.options.lumpiness)
        if amplitude > 0:
            for axis, lump in zip((2, 0, 1), self.lumps, strict=False):
                q[axis] += amplitude * lump(positions)
        return q

    @property
    def rim(self) -> float:
        """Radius of the cavity at the mitral plane, mm."""
        a = (self.inner[0] + self.inner[1]) / 2
        return float(a * np.sqrt(1 - (self.base / self.inner[2]) ** 2))

    @property
    def atrium(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Centre and semi-axes of the left atrium in heart coordinates."""
        half = self.options.atrium / 2
        wide = 0.5 * (half + self.rim)
        centre = (-0.1 * self.rim, 0.0, -self.base - 0.82 * half)
        return centre, (wide, wide, half)

    @property
    def right_ventricle(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Centre and semi-axes of the right ventricle's outer wall."""
        a1, a2, length = self.outer
        return (0.72 * a1, 0.0, -0.35 * length), (
            1.12 * a1 + 6,
            1.05 * a2,
            1.05 * length,
        )

    @property
    def right_atrium(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Centre and semi-axes of the right atrium."""
        half = self.options.atrium / 2
        return (1.75 * self.inner[0] + 4, 0.0, -self.base - 0.8 * half), (
            0.9 * half,
            0.9 * half,
            0.95 * half,
        )

    @property
    def sac(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Centre and semi-axes of the pericardial sac of the whole heart."""
        a1, a2, top = self.outer
        bottom = -self.base - 0.95 * self.options.atrium - 6
        right = 1.84 * a1 + 9
        centre = ((right - a1) / 2, 0.0, (top + bottom) / 2)
        return centre, (
            0.56 * (right + a1),
            1.15 * a2 + 4,
            0.5 * (top - bottom) + 4,
        )


def radius(
    q: Array,
    axes: tuple[float, ...],
    centre: tuple[float, ...] = (0.0, 0.0, 0.0),
) -> Array:
    """Return the ellipsoidal radius (...): 1 on the surface."""
    total = np.square((q[0] - np.float32(centre[0])) / np.float32(axes[0]))
    for i in (1, 2):
        total += np.square(
            (q[i] - np.float32(centre[i])) / np.float32(axes[i])
        )
    result: Array = np.sqrt(total, out=total)
    return result


def make_heart(
    rng: np.random.Generator, options: EchoOptions, ndim: int
) -> Heart:
    """Build the heart that the options describe."""
    o = options
    base = o.base_fraction * o.long_axis
    length = o.long_axis - base
    a1 = o.short_axis / 2 * np.sqrt(o.ellipticity)
    a2 = o.short_axis / 2 / np.sqrt(o.ellipticity)
    apex_wall = _APEX_WALL * o.wall
    axes = _heart_axes(o, ndim)
    flat = ndim == 2
    apex = np.array([0.0 if flat else o.shift_z, o.apex_depth, o.shift_x])
    return Heart(
        ndim=ndim,
        centre=(apex - length * axes[2]).astype(np.float32),
        axes=axes.astype(np.float32),
        inner=(a1, a2, length),
        outer=(a1 + o.wall, a2 + o.wall, length + apex_wall),
        base=base,
        bend=o.bend,
        lumps=tuple(SmoothNoise.draw(rng, ndim, 14.0) for _ in range(ndim)),
        options=o,
    )


def _heart_axes(o: EchoOptions, ndim: int) -> NDArray[np.float64]:
    """Return unit vectors of x1, x2 and s (rows) in (z, y, x)."""
    tilt = np.deg2rad(o.tilt)
    tilt_z = np.deg2rad(o.tilt_z) if ndim == 3 else 0.0
    down = np.array([np.tan(tilt_z), 1.0, np.tan(tilt)])
    s = -down / np.linalg.norm(down)
    left = np.array([0.0, 0.0, -1.0])
    first = left - s * (left @ s)
    first /= np.linalg.norm(first)
    second = np.cross(s, first)
    roll = np.deg2rad(o.roll)
    turned = np.cos(roll) * first + np.sin(roll) * second
    return np.stack([turned, np.cross(s, turned), s])


def labels(heart: Heart, positions: Array) -> NDArray[np.uint8]:
    """Return the label (...) at end-diastolic positions (ndim, ...) in mm.

    1 left-ventricular cavity, 2 myocardium, 3 left atrium, 0 elsewhere.
    """
    q = heart.lumpy_coordinates(positions)
    above = q[2] > -heart.base
    result = np.zeros(q.shape[1:], np.uint8)
    centre, axes = heart.atrium
    result[~above & (radius(q, axes, centre) < 1)] = ATRIUM
    result[above & (radius(q, heart.outer) < 1)] = MYOCARDIUM
    result[above & (radius(q, heart.inner) < 1)] = CAVITY
    return result
