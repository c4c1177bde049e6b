"""How strongly each tissue scatters, at end-diastolic positions.

Every tissue has a level in dB relative to the myocardium; bright thin
structures (pericardium, annulus, valve, walls of atria and right ventricle)
add their power to what they lie in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_adacs.phantom.anatomy import Heart, radius
from napari_adacs.phantom.noise import SmoothNoise

Array = NDArray[np.float32]

_CHEST = 10.0  # mm of bright chest wall under the probe


@dataclass(frozen=True, eq=False)
class Tissue:
    """The scattering of one heart and its surroundings.

    Parameters
    ----------
    heart : Heart
        The geometry.
    fine, coarse : SmoothNoise
        Texture of the tissue, scaled by the `texture` option.
    """

    heart: Heart
    fine: SmoothNoise
    coarse: SmoothNoise

    @classmethod
    def draw(cls, rng: np.random.Generator, heart: Heart) -> Tissue:
        """Draw the textures of a heart."""
        fine = SmoothNoise.draw(rng, heart.ndim, 7.0)
        return cls(heart, fine, SmoothNoise.draw(rng, heart.ndim, 22.0))

    def scattering(self, positions: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Return mean echo power (N,) and what is blood (N,).

        Parameters
        ----------
        positions : (ndim, N) numpy.ndarray of float32
            End-diastolic positions in mm.
        """
        heart, o = self.heart, self.heart.options
        q = heart.lumpy_coordinates(positions)
        inner, outer = radius(q, heart.inner), radius(q, heart.outer)
        above = q[2] > -heart.base
        muscle = above & (outer < 1) & (inner >= 1)
        texture = np.float32(o.texture) * (
            np.float32(0.6) * self.fine(positions)
        )
        level = np.float32(o.background) + texture
        level += np.float32(o.texture) * self.coarse(positions)
        level[muscle] = texture[muscle]
        power: Array = np.exp(level * np.float32(np.log(10) / 10))
        aligned = self._alignment(q, positions, outer)
        loss = np.float32(o.anisotropy) * (1 - aligned[muscle])
        power[muscle] *= np.float32(1.6) * _power(-loss)
        right = _right_heart(heart, q)
        blood = above & (inner < 1)
        blood |= ~above & (radius(q, heart.atrium[1], heart.atrium[0]) < 1)
        blood |= right & ~muscle & ~(above & (outer < 1))
        power[blood] = _power(np.float32(o.blood))
        power += self._bright(q, outer, aligned)
        depth = np.sqrt(np.square(positions).sum(axis=0))
        power += _power(np.float32(o.background + 6)) * np.exp(
            -np.square(depth / _CHEST)
        )
        return power.astype(np.float32, copy=False), blood

    def _alignment(self, q: Array, positions: Array, outer: Array) -> Array:
        """Return cos^2 (N,) of the angle between wall normal and beam."""
        heart = self.heart
        normal = q / np.square(np.array(heart.outer, np.float32))[:, None]
        beam = np.tensordot(heart.axes[:, 3 - heart.ndim :], positions, axes=1)
        dot = (normal * beam).sum(axis=0)
        square = np.square(normal).sum(axis=0) * np.square(beam).sum(axis=0)
        result: Array = np.square(dot) / (square + np.float32(1e-6))
        return result

    def _bright(self, q: Array, outer: Array, aligned: Array) -> Array:
        """Return the power (N,) of thin bright structures."""
        heart, o = self.heart, self.heart.options
        ends = _step((q[2] + heart.base) / 3)
        mean = np.float32((heart.outer[0] + heart.outer[1]) / 2)
        sheet = _ridge((outer - 1) * mean - 1, 1.5) * ends
        sheet *= np.float32(0.25) + np.float32(0.75) * aligned
        power = _power(np.float32(o.pericardium)) * sheet
        across = np.hypot(q[0], q[1])
        rim = np.float32(heart.rim)
        ring = np.hypot(across - rim - 2, q[2] + np.float32(heart.base))
        power += _power(np.float32(o.annulus)) * _ridge(ring, 3)
        dome = np.float32(0.25) * rim * (1 - np.square(across / rim))
        leaflet = _ridge(q[2] + np.float32(heart.base) - dome, 1.0)
        power += 2 * leaflet * (across < rim)
        below = 1 - ends
        for centre, axes in (heart.atrium, heart.right_atrium):
            shell = (radius(q, axes, centre) - 1) * np.float32(min(axes))
            power += np.float32(1.2) * _ridge(shell, 1.5) * below
        centre, axes = heart.right_ventricle
        shell = (radius(q, axes, centre) - 1) * np.float32(min(axes))
        power += np.float32(0.9) * _ridge(shell - 2, 2) * ends * (outer > 1)
        result: Array = power
        return result


def _right_heart(heart: Heart, q: Array) -> NDArray[np.bool_]:
    """Return whether heart coordinates (3, N) are in right-heart blood."""
    above = q[2] > -heart.base
    centre, axes = heart.right_ventricle
    ventricle = above & (radius(q, axes, centre) < 1) & (q[0] > 0)
    centre, axes = heart.right_atrium
    atrium: NDArray[np.bool_] = ~above & (radius(q, axes, centre) < 1)
    return atrium | ventricle


def _power(level: Array | np.float32) -> Array:
    """Return the power ratio of decibels."""
    result: Array = np.exp(level * np.float32(np.log(10) / 10))
    return result


def _ridge(distance: Array, width: float) -> Array:
    """Return a Gaussian profile across a sheet, 1 on it."""
    result: Array = np.exp(
        -np.square(distance / np.float32(width)) * np.float32(0.5)
    )
    return result


def _step(x: Array) -> Array:
    """Return a smooth step from 0 to 1 around 0."""
    result: Array = np.float32(0.5) * (1 + np.tanh(x))
    return result
