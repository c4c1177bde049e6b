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
Mask = NDArray[np.bool_]

_CHEST = 10.0  # mm of bright chest wall under the probe
_LUNG = 14.0  # mm over which the lung around the heart fades
_DECIBEL = np.float32(np.log(10) / 10)


@dataclass(frozen=True, eq=False)
class Tissue:
    """The scattering of one heart and its surroundings.

    Parameters
    ----------
    heart : Heart
        The geometry.
    fine, coarse : SmoothNoise
        Texture of the tissue, scaled by the `texture` option.
    papillary : (2, 3) numpy.ndarray of float32
        Centres of the papillary muscles in heart coordinates.
    valve : float
        Doming of the mitral leaflets over the radius of the annulus.
    """

    heart: Heart
    fine: SmoothNoise
    coarse: SmoothNoise
    papillary: Array
    valve: float

    @classmethod
    def draw(cls, rng: np.random.Generator, heart: Heart) -> Tissue:
        """Draw the textures and small structures of a heart."""
        fine = SmoothNoise.draw(rng, heart.ndim, 6.0)
        coarse = SmoothNoise.draw(rng, heart.ndim, 20.0)
        spread = 1.0 if heart.ndim == 3 else 0.35
        angle = np.pi + rng.normal(0, 0.3) + spread * np.array([-1, 1])
        out = rng.uniform(0.65, 0.95, 2)
        height = heart.inner[2] * rng.uniform(-0.1, 0.4, 2)
        centres = np.stack(
            [
                out * heart.inner[0] * np.cos(angle),
                out * heart.inner[1] * np.sin(angle),
                height,
            ],
            axis=1,
        ).astype(np.float32)
        if heart.ndim == 2:
            centres[:, 1] = 0
        return cls(heart, fine, coarse, centres, rng.uniform(-0.3, 0.6))

    def scattering(self, positions: Array) -> tuple[Array, Mask]:
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
        cavity, wall = above & (inner < 1), above & (outer < 1)
        fine, coarse = self.fine(positions), self.coarse(positions)
        power = self._surroundings(q, positions, fine, coarse)
        blood = _right_heart(heart, q) & ~wall
        blood |= ~above & (radius(q, heart.atrium[1], heart.atrium[0]) < 1)
        power[blood] = _power(np.float32(o.blood))
        aligned = _alignment(
            heart.axes[:, 3 - heart.ndim :], q, positions, heart.outer
        )
        muscle = wall & ~cavity
        texture = np.float32(0.6 * o.texture) * (fine + coarse)
        level = texture - np.float32(o.anisotropy) * (
            np.float32(0.6) - aligned
        )
        power[muscle] = _power(level[muscle])
        power[cavity] = _power(np.float32(o.blood))
        muscles = cavity & self._muscles(q, inner, fine)
        power[muscles] = _power(np.float32(o.papillary) + texture[muscles])
        blood |= cavity & ~muscles
        patches = _power(texture)
        power += self._bright(q, outer, aligned) * patches
        return power, blood

    def _surroundings(
        self, q: Array, positions: Array, fine: Array, coarse: Array
    ) -> Array:
        """Return the power (N,) of chest wall, sac, fat and lung."""
        heart, o = self.heart, self.heart.options
        centre, axes = heart.sac
        outside = (radius(q, axes, centre) - 1) * np.float32(min(axes))
        shifted = q - np.array(centre, np.float32)[:, None]
        aligned = _alignment(
            heart.axes[:, 3 - heart.ndim :], shifted, positions, axes
        )
        level = np.float32(o.background) + np.float32(o.texture) * (
            np.float32(0.5) * fine + np.float32(1.3) * coarse
        )
        lung = np.exp(-np.maximum(outside, 0) / np.float32(_LUNG))
        level += np.where(outside > 0, 10 * lung - 6, np.float32(0))
        power = _power(level)
        sac = _ridge(outside - 2, 3) * (
            np.float32(0.15) + np.float32(0.85) * aligned
        )
        power += sac * _power(
            np.float32(o.pericardium - 4) + np.float32(o.texture) * coarse
        )
        depth = np.sqrt(np.square(positions).sum(axis=0))
        chest = np.exp(-np.square(depth / np.float32(_CHEST)))
        power += chest * _power(
            np.float32(o.chest) + np.float32(o.texture) * fine
        )
        return power

    def _muscles(self, q: Array, inner: Array, fine: Array) -> Mask:
        """Return where papillary muscles and trabeculae (N,) are."""
        size = (4.5, 4.5, 0.25 * self.heart.inner[2])
        inside: Mask = (inner > 0.8) & (fine > 1.1)
        for centre in self.papillary:
            distance = radius(q, size, tuple(map(float, centre)))
            inside |= distance < 1 + np.float32(0.25) * fine
        return inside

    def _bright(self, q: Array, outer: Array, aligned: Array) -> Array:
        """Return the power (N,) of thin bright structures."""
        heart, o = self.heart, self.heart.options
        height = q[2] + np.float32(heart.base)
        ends = np.float32(0.5) * (1 + np.tanh(height / 3))
        mean = np.float32((heart.outer[0] + heart.outer[1]) / 2)
        sheet = _ridge((outer - 1) * mean - 1, 1.5) * ends
        sheet *= np.float32(0.15) + np.float32(0.85) * aligned
        power = _power(np.float32(o.pericardium)) * sheet
        across = np.hypot(q[0], q[1])
        rim = np.float32(heart.rim)
        ring = np.hypot(across - rim - 2, height)
        power += _power(np.float32(o.annulus)) * _ridge(ring, 3)
        dome = np.float32(self.valve) * rim * (1 - np.square(across / rim))
        leaflet = _ridge(height - dome, 1.0) * (across < rim)
        power += _power(np.float32(o.annulus - 3)) * leaflet
        for centre, axes in (heart.atrium, heart.right_atrium):
            shell = (radius(q, axes, centre) - 1) * np.float32(min(axes))
            power += np.float32(1.2) * _ridge(shell, 1.5) * (1 - ends)
        centre, axes = heart.right_ventricle
        shell = (radius(q, axes, centre) - 1) * np.float32(min(axes))
        power += np.float32(0.9) * _ridge(shell - 2, 2) * ends * (outer > 1)
        result: Array = power
        return result


def _alignment(
    frame: Array,
    offset: Array,
    positions: Array,
    axes: tuple[float, ...],
) -> Array:
    """Return cos^2 (N,) of the angle of an ellipsoid's normal to the beam."""
    normal = offset / np.square(np.array(axes, np.float32))[:, None]
    beam = np.tensordot(frame, positions, axes=1)
    dot = (normal * beam).sum(axis=0)
    square = np.square(normal).sum(axis=0) * np.square(beam).sum(axis=0)
    result: Array = np.square(dot) / (square + np.float32(1e-6))
    return result


def _right_heart(heart: Heart, q: Array) -> Mask:
    """Return whether heart coordinates (3, N) are in right-heart blood."""
    above = q[2] > -heart.base
    centre, axes = heart.right_ventricle
    ventricle = above & (radius(q, axes, centre) < 1) & (q[0] > 0)
    centre, axes = heart.right_atrium
    atrium: Mask = ~above & (radius(q, axes, centre) < 1)
    result: Mask = atrium | ventricle
    return result


def _power(level: Array | np.float32) -> Array:
    """Return the power ratio of decibels."""
    result: Array = np.exp(level * _DECIBEL)
    return result


def _ridge(distance: Array, width: float) -> Array:
    """Return a Gaussian profile across a sheet, 1 on it."""
    result: Array = np.exp(
        -np.square(distance / np.float32(width)) * np.float32(0.5)
    )
    return result
