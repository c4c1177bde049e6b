"""The resolutions at which a field is fitted, coarse to fine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from napari_adacs.spatial.smoothing import resize_vectors, smooth

# No axis gets fewer voxels than this at a coarse resolution.
_FEWEST = 8
# A voxel of an image with this many voxels along its axes is finer than any
# motion that can be told from noise: the field lives on every second one.
_HALVED_FROM = 48
_ANTI_ALIAS = 0.5


@dataclass(frozen=True)
class Level:
    """One resolution.

    Parameters
    ----------
    image, field : tuple of int
        Sizes of the reduced image and of the field.
    sides : tuple of float
        Image voxel side over the working voxel side, for each axis.
    shrink : tuple of float
        Voxels of the full image in one of the reduced image.
    finer : int
        How many finer ones there are.
    """

    image: tuple[int, ...]
    field: tuple[int, ...]
    sides: tuple[float, ...]
    shrink: tuple[float, ...]
    finer: int

    def reduce(self, values: Tensor) -> Tensor:
        """Smooth and resize (C, *shape) to this resolution."""
        sigmas = [_ANTI_ALIAS * s if s > 1 else 0.0 for s in self.shrink]
        if tuple(values.shape[1:]) == self.image and not any(sigmas):
            return smooth(values, [_ANTI_ALIAS / s for s in self.sides])
        return smooth(values, sigmas, self.image)

    def take_over(self, field: Tensor | None, like: Tensor) -> Tensor:
        """Bring a field of another resolution to this one; None is zero."""
        if field is None:
            return like.new_zeros((len(self.field), *self.field))
        return resize_vectors(field, self.field)


def levels_of(
    shape: tuple[int, ...], spacing: Sequence[float], count: int
) -> list[Level]:
    """Return the resolutions for an image, the coarsest first.

    Axes with thick slices keep their voxels until the others are as coarse.
    """
    finest = min(s for s, n in zip(spacing, shape, strict=True) if n > 1)
    out: list[Level] = []
    for exponent in reversed(range(count)):
        side = finest * 2**exponent
        image = tuple(
            n
            if s >= 0.75 * side
            else max(min(n, _FEWEST), round(n * s / side))
            for n, s in zip(shape, spacing, strict=True)
        )
        sides = tuple(
            s * n / m / side
            for s, n, m in zip(spacing, shape, image, strict=True)
        )
        halved = exponent == 0 and min(shape) >= _HALVED_FROM
        field = tuple(
            (m + 1) // 2 if halved and k < 1.5 else m
            for m, k in zip(image, sides, strict=True)
        )
        shrink = tuple(n / m for n, m in zip(shape, image, strict=True))
        level = Level(image, field, sides, shrink, exponent)
        if not out or out[-1].image != image:
            out.append(level)
    return out
