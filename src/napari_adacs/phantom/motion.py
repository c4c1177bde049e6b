"""The motion from end-diastole to end-systole.

A stationary velocity field v carries end-diastolic anatomy to end-systole
in unit time. In heart coordinates p = (x1, x2, s) it is

    v = W(p) [ -c p h(e) + b (-x1, -x2, 2 s) + t s^ + w s/L (-x2, x1, 0) ]

with h(e) = (e^12 + a^12)^(-1/4). For e > a the first term is p / e^3, the
divergence-free flow of an affine map of a point sink: each ellipsoidal
shell of myocardium moves inwards, thickens and keeps its volume, while the
cavity (e < 1) empties. The second term is the divergence-free longitudinal
shortening, the third moves the whole heart along its axis so that base and
apex share the shortening, the fourth is the twist. W is 1 in the heart and
falls smoothly to 0 around it. Smooth random motion is added.

c, b and t solve for the ejection fraction, the shortening and the part of
it that the apex does; `flow` integrates v.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_adacs.phantom.anatomy import Heart, radius
from napari_adacs.phantom.noise import RandomWaves

Array = NDArray[np.float32]

_CORE = 1.02  # radius a of the regularised core over the systolic one
_REACH = 20.0  # mm over which the motion fades outside the heart
_STEPS = 8


@dataclass(frozen=True, eq=False)
class Motion:
    """The stationary velocity field of one heart, in mm per unit time.

    Parameters
    ----------
    heart : Heart
        The end-diastolic geometry.
    sink, stretch, shift, twist : float
        c, b, t (mm) and w (rad) of the module docstring.
    core : float
        Radius a of the regularised core.
    bulk : (ndim,) numpy.ndarray of float32
        Translation of heart and surroundings, mm.
    irregular : RandomWaves
        Random motion of unit power.
    """

    heart: Heart
    sink: float
    stretch: float
    shift: float
    twist: float
    core: float
    bulk: Array
    irregular: RandomWaves

    def velocity(self, positions: Array) -> Array:
        """Return the velocity (ndim, ...) in mm at positions (ndim, ...)."""
        heart, ndim = self.heart, self.heart.ndim
        q = heart.coordinates(positions)
        v = self._in_heart(q)
        # the bend is a shear of heart coordinates: carry v through it
        v[0] -= np.float32(2 * heart.bend / heart.inner[2] ** 2) * q[2] * v[2]
        out = np.tensordot(heart.axes[:, 3 - ndim :].T, v, axes=1)
        out += self.bulk.reshape((ndim,) + (1,) * (positions.ndim - 1))
        if heart.options.irregularity > 0:
            out += np.float32(heart.options.irregularity) * self.irregular(
                positions
            )
        result: Array = (out * self._window(q)).astype(np.float32)
        return result

    def _in_heart(self, q: Array) -> Array:
        """Return the systolic velocity (3, ...) in heart coordinates."""
        e = radius(q, self.heart.inner)
        power = np.square(np.square(np.square(e) * e))
        power += np.float32(self.core**12)
        sink = np.float32(self.sink) / np.sqrt(np.sqrt(power))
        b = np.float32(self.stretch)
        v = -q * sink
        v[:2] -= b * q[:2]
        v[2] += 2 * b * q[2] + np.float32(self.shift)
        if self.heart.ndim == 3:
            turn = np.float32(self.twist / self.heart.inner[2]) * q[2]
            v[0] -= turn * q[1]
            v[1] += turn * q[0]
        return v.astype(np.float32, copy=False)

    def _window(self, q: Array) -> Array:
        """Return the weight (...): 1 in the heart, 0 far from it."""
        outer = self.heart.outer
        mean = np.float32((outer[0] + outer[1]) / 2)
        beside = np.maximum(radius(q, outer) - 1, 0) * mean
        behind = np.maximum(-np.float32(self.heart.base) - q[2], 0)
        distance = np.square(beside / _REACH) + np.square(
            behind / (1.4 * _REACH)
        )
        window: Array = np.exp(-distance).astype(np.float32, copy=False)
        return window


def make_motion(rng: np.random.Generator, heart: Heart) -> Motion:
    """Build the motion that the heart's options describe."""
    ndim, o = heart.ndim, heart.options
    direction = rng.standard_normal(ndim).astype(np.float32)
    direction /= np.linalg.norm(direction) + np.float32(1e-6)
    motion = Motion(
        heart=heart,
        sink=0.0,
        stretch=0.0,
        shift=0.0,
        twist=float(np.deg2rad(o.twist)),
        core=_CORE * (1 - o.ejection_fraction) ** (1 / 3),
        bulk=np.float32(o.bulk) * direction,
        irregular=RandomWaves.draw(rng, ndim, 55.0),
    )
    return _calibrate(motion)


def _calibrate(motion: Motion) -> Motion:
    """Solve for sink, stretch and shift by Newton's method.

    The unknowns meet the ejection fraction, the shortening of the distance
    from apex to mitral plane and the share of it that the apex takes.
    """
    o = motion.heart.options
    goal = np.array(
        [
            o.ejection_fraction,
            o.shortening,
            o.shortening * o.apex_share,
        ]
    )
    x = np.array([o.ejection_fraction / 3, 0.0, 0.0])
    step = np.array([1e-3, 1e-3, 1e-3])
    for _ in range(6):
        start = _outcome(motion, x)
        miss = goal - start
        if np.abs(miss).max() < 1e-3:
            break
        jacobian = np.stack(
            [
                (_outcome(motion, x + step * row) - start) / step
                for row in np.eye(3)
            ],
            axis=1,
        )
        x = x + np.linalg.solve(jacobian, miss)
    return _with(motion, x)


def _with(motion: Motion, x: NDArray[np.float64]) -> Motion:
    return replace(
        motion,
        sink=float(x[0]),
        stretch=float(x[1]),
        shift=float(x[2]) * motion.heart.options.long_axis,
    )


def _outcome(motion: Motion, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (ejection fraction, shortening, apical part of it).

    The meridian of the cavity is carried through the axisymmetric part of
    the velocity with Runge-Kutta steps; volumes are those of revolution.
    """
    heart, moved = motion.heart, _with(motion, x)
    length, base = heart.inner[2], heart.base
    angle = np.linspace(0, np.arccos(-base / length), 40)
    rim = np.sin(angle[-1])
    meridian = np.stack([np.sin(angle), np.cos(angle) * length])
    floor = np.stack([np.linspace(rim, 0, 8), np.full(8, -base)])
    start = np.concatenate([meridian, floor[:, 1:]], axis=1)
    end = start
    h = 1 / _STEPS
    for _ in range(_STEPS):
        k1 = _meridional(moved, end)
        k2 = _meridional(moved, end + h / 2 * k1)
        k3 = _meridional(moved, end + h / 2 * k2)
        k4 = _meridional(moved, end + h * k3)
        end = end + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    before = start[1, 0] - start[1, -1]
    after = end[1, 0] - end[1, -1]
    return np.array(
        [
            1 - _revolution(end) / _revolution(start),
            1 - after / before,
            (start[1, 0] - end[1, 0]) / before,
        ]
    )


def _meridional(
    motion: Motion, points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the velocity at (radius / semi-axis, s) points (2, N)."""
    e2 = points[0] ** 2 + (points[1] / motion.heart.inner[2]) ** 2
    sink = motion.sink / (e2**6 + motion.core**12) ** 0.25
    rate = np.array([[-motion.stretch], [2 * motion.stretch]]) - sink
    v: NDArray[np.float64] = rate * points
    v[1] += motion.shift
    return v


def _revolution(curve: NDArray[np.float64]) -> float:
    """Return the volume of revolution (over pi a1 a2) of a meridian."""
    square = curve[0] ** 2
    return float(-(np.diff(curve[1]) * (square[1:] + square[:-1]) / 2).sum())
