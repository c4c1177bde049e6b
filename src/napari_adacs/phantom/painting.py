"""Random intensities for maps of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_adacs.phantom.random_fields import (
    relative_coordinates,
    sample,
    smooth_noise,
)
from napari_adacs.phantom.shapes_options import ShapesOptions

Array = NDArray[np.float32]
Labels = NDArray[np.uint8]

# SDs of SynthMorph's image model, Table II, intensities in [0, 1].
_LABEL_SD = (0.02, 0.10)
_BIAS_SD = 0.3
_BLUR_SD = 1.0
_GAMMA_SD = 0.25
_NOISE_SD = 0.05
_TEXTURE = 0.12
# How much the frames of one kind of image differ: in the intensity of a
# label, and in bias field and gamma, as a part of those of two kinds.
_ALIKE = 0.04
_SHARED = 0.15


@dataclass(frozen=True)
class Canvas:
    """What both frames look at.

    Parameters
    ----------
    shape : tuple of int
        Voxels per axis.
    labels : int
        Largest label.
    """

    shape: tuple[int, ...]
    labels: int


def paint_pair(
    rng: np.random.Generator,
    frames: Sequence[Labels],
    places: Sequence[Array],
    canvas: Canvas,
    options: ShapesOptions,
) -> tuple[Array, Array]:
    """Paint two maps of labels.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    frames : two (*shape) numpy.ndarray of uint8
        Labels of the moving and the fixed image.
    places : two (ndim, *shape) numpy.ndarray of float32
        Where each voxel lies on the canvas.
    canvas : Canvas
        Where the texture lives that moves with the labels.
    options : ShapesOptions
        How often images have something.

    Returns
    -------
    moving, fixed : (*shape) numpy.ndarray of float32
        Images in [0, 1].
    """
    shape = frames[0].shape
    speckled = rng.random() < options.speckle
    alike = speckled or rng.random() < options.same_contrast
    means = [_means(rng, canvas.labels), _means(rng, canvas.labels)]
    if alike:
        shift = rng.standard_normal(canvas.labels + 1, dtype=np.float32)
        means[1] = (means[0] + np.float32(_ALIKE) * shift).clip(0, 1)
        means[1][0] = means[0][0]
    textures = _textures(rng, canvas.shape, places, alike)
    images = [
        _paint(rng, frame, mean) + texture
        for frame, mean, texture in zip(frames, means, textures, strict=True)
    ]
    looks = [_Look.draw(rng, shape) for _ in range(2)]
    if alike:
        looks[1] = looks[0].like(looks[1])
    images = [
        _degrade(rng, image, look, (frame == 0) & (mean[0] == 0))
        for image, look, frame, mean in zip(
            images, looks, frames, means, strict=True
        )
    ]
    if speckled:
        images = _speckle(rng, images)
    if rng.random() < options.sector * (2 if speckled else 1):
        outside = ~_fan(rng, shape)
        for image in images:
            image[outside] = 0
    return _scaled(images[0]), _scaled(images[1])


def _means(rng: np.random.Generator, labels: int) -> Array:
    """Return the mean intensity of each label; where nothing is, mostly 0."""
    means = rng.uniform(0.1, 0.9, labels + 1).astype(np.float32)
    if rng.random() < 0.85:
        means[0] = 0
    return means


def _paint(rng: np.random.Generator, labels: Labels, means: Array) -> Array:
    sds = rng.uniform(*_LABEL_SD, len(means)).astype(np.float32)
    if means[0] == 0:
        sds[0] = 0
    noise = rng.standard_normal(labels.shape, dtype=np.float32)
    image = means[labels] + sds[labels] * noise
    sd = float(rng.uniform(0, _BLUR_SD))
    result: Array = gaussian_filter(image, sd, truncate=3)
    return result


def _textures(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    places: Sequence[Array],
    alike: bool,
) -> list[Array]:
    """Return texture that both frames of one kind share, or none."""
    amplitude = np.float32(rng.uniform(0, _TEXTURE))
    if not alike or rng.random() < 0.5:
        return [np.zeros(p.shape[1:], np.float32) for p in places]
    noise = rng.standard_normal(shape, dtype=np.float32)
    texture = gaussian_filter(noise, rng.uniform(0.8, 2.5), truncate=3)
    texture *= amplitude / texture.std()
    return [sample(texture[None], place)[0] for place in places]


@dataclass(frozen=True, eq=False)
class _Look:
    """Logarithms of a bias field and of an exponent."""

    bias: Array
    gamma: float

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, ...]) -> _Look:
        strength = np.float32(rng.uniform(0, _BIAS_SD))
        cells = [float(rng.uniform(1, 3))] * len(shape)
        bias = strength * smooth_noise(rng, 1, shape, cells)[0]
        return cls(bias, _GAMMA_SD * float(rng.standard_normal()))

    def like(self, other: _Look) -> _Look:
        """Return this look with a little of another."""
        bias = self.bias + np.float32(_SHARED) * other.bias
        return _Look(bias, self.gamma + _SHARED * other.gamma)


def _degrade(
    rng: np.random.Generator,
    image: Array,
    look: _Look,
    empty: NDArray[np.bool_],
) -> Array:
    """Apply a bias field, a gamma and noise to an image."""
    image = _scaled(image * np.exp(look.bias))
    image **= np.float32(np.exp(look.gamma))
    level = np.float32(rng.uniform(0, _NOISE_SD))
    image += level * rng.standard_normal(image.shape, dtype=np.float32)
    # Some tools leave what is empty exactly empty.
    if rng.random() < 0.5:
        image[empty] = 0
    return image.clip(0, 1)


def _speckle(rng: np.random.Generator, images: Sequence[Array]) -> list[Array]:
    """Add log-compressed speckle, another pattern to each image.

    The grain is a little longer across the beam, whose axis is random.
    """
    ndim = images[0].ndim
    sds = [float(sd) for sd in rng.uniform(0.8, 1.6, ndim)]
    sds[int(rng.integers(ndim))] *= 0.6
    strength = np.float32(rng.uniform(0.05, 0.13))
    return [
        (image + strength * _log_power(rng, image.shape, sds)).clip(0, 1)
        for image in images
    ]


def _log_power(
    rng: np.random.Generator, shape: tuple[int, ...], sds: Sequence[float]
) -> Array:
    """Return the logarithm of the power of blurred complex noise."""
    power = np.zeros(shape, np.float32)
    for _ in range(2):
        part = rng.standard_normal(shape, dtype=np.float32)
        power += np.square(gaussian_filter(part, sds, truncate=2.5))
    level: Array = np.log(power / power.mean() + np.float32(1e-3))
    # Its mean is Euler's constant below that of the mean power.
    return (level + np.float32(0.577)).clip(-4, 2)


def _fan(
    rng: np.random.Generator, shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Return what a probe at a random border sees."""
    ndim = len(shape)
    x = relative_coordinates(shape)
    side = int(rng.integers(ndim))
    apex = rng.uniform(-0.2, 0.2, ndim).astype(np.float32)
    apex[side] = rng.uniform(-1.15, -0.9)
    away = x - apex.reshape(-1, *([1] * ndim))
    forward = away[side].copy()
    away[side] = 0
    beside = np.sqrt(np.square(away).sum(0))
    distance = np.hypot(forward, beside)
    narrow = beside < np.tan(rng.uniform(0.55, 0.9)) * forward
    seen: NDArray[np.bool_] = narrow & (distance < rng.uniform(1.7, 2.3))
    return np.flip(seen, side) if rng.random() < 0.5 else seen


def _scaled(image: Array) -> Array:
    """Scale an image to [0, 1]."""
    low, high = image.min(), image.max()
    result: Array = (image - low) / max(high - low, np.float32(1e-6))
    return result
