"""The motion that explains the residual of a neighbourhood best.

Lucas and Kanade, "An iterative image registration technique with an
application to stereo vision", IJCAI 1981, with a Gaussian neighbourhood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from napari_adacs.spatial.smoothing import smooth

# Variances are never taken for less than this, of images in [0, 1].
_FLOOR = 1e-2
# A step moves nothing further than this, in working voxels.
_LONGEST_STEP = 3.0


def standardiser(
    sigma: Sequence[float] | None,
) -> Callable[[Tensor], Tensor]:
    """Return what standardises images by their local mean and deviation.

    Parameters
    ----------
    sigma : sequence of float or None
        Size of the neighbourhood in voxels; None leaves images as they are.
    """
    if sigma is None:
        return lambda image: image

    def standardise(image: Tensor) -> Tensor:
        both = smooth(torch.cat([image, image**2]), sigma)
        mean, square = both[:1], both[1:]
        spread = (square - mean**2).clamp_min(0) + _FLOOR
        return (image - mean) / spread.sqrt()

    return standardise


def gradient_of(image: Tensor, sides: Sequence[float]) -> Tensor:
    """Return central differences of (1, *shape) per working voxel."""
    parts = torch.gradient(image[0])
    return torch.stack([p / k for p, k in zip(parts, sides, strict=True)])


def local_motion(
    gradient: Tensor,
    residual: Tensor,
    weight: Tensor | None,
    sigma: Sequence[float],
    shape: Sequence[int],
    damping: float,
    wanted: Tensor | None = None,
    prior: float = 0.0,
) -> Tensor:
    """Solve ``(G * w g g^T + (e + p) I) v = G * w r g + p u`` at each voxel.

    Without damping that v makes ``G * w (r - g v)^2 + p |v - u|^2`` least.

    Parameters
    ----------
    gradient : (ndim, *image_shape) torch.Tensor
        Gradient g of the images.
    residual : (1, *image_shape) torch.Tensor
        Difference r of fixed and warped image.
    weight : (1, *image_shape) torch.Tensor or None
        Weight w of the squared residual.
    sigma : sequence of float
        Of the Gaussian G, in image voxels.
    shape : sequence of int
        Size of the field.
    damping : float
        e, in units of the mean trace of the matrix.
    wanted : (ndim, *shape) torch.Tensor, optional
        u, the motion that would be right if images told nothing, in working
        voxels.
    prior : float, default: 0.0
        p, its weight, in units of the mean trace of the matrix; nothing
        without `wanted`.

    Returns
    -------
    (ndim, *shape) torch.Tensor
        Motion v in working voxels, no longer than `_LONGEST_STEP`.
    """
    ndim = gradient.shape[0]
    weighted = gradient if weight is None else gradient * weight
    pairs = [(i, j) for i in range(ndim) for j in range(i, ndim)]
    products = [weighted[i] * gradient[j] for i, j in pairs]
    products += [weighted[i] * residual[0] for i in range(ndim)]
    summed = smooth(torch.stack(products), sigma, shape)
    matrix = dict(zip(pairs, summed, strict=False))
    trace = sum(matrix[i, i].mean() for i in range(ndim))
    right = summed[len(pairs) :]
    if wanted is not None:
        damping += prior
        right = right + prior * trace * wanted
    for i in range(ndim):
        matrix[i, i] = matrix[i, i] + damping * trace + 1e-12
    return _shortened(_inverse_times(matrix, right))


def _inverse_times(
    matrix: dict[tuple[int, int], Tensor], right: Tensor
) -> Tensor:
    """Solve symmetric 2x2 or 3x3 systems, voxel by voxel."""
    if len(right) == 2:
        a, b, c = matrix[0, 0], matrix[0, 1], matrix[1, 1]
        x = torch.stack(
            [c * right[0] - b * right[1], a * right[1] - b * right[0]]
        )
        return x / (a * c - b * b)
    a, b, c = matrix[0, 0], matrix[0, 1], matrix[0, 2]
    d, e, f = matrix[1, 1], matrix[1, 2], matrix[2, 2]
    # Cofactors; the matrix is symmetric.
    aa, ab, ac = d * f - e * e, c * e - b * f, b * e - c * d
    bb, bc, cc = a * f - c * c, b * c - a * e, a * d - b * b
    x = torch.stack(
        [
            aa * right[0] + ab * right[1] + ac * right[2],
            ab * right[0] + bb * right[1] + bc * right[2],
            ac * right[0] + bc * right[1] + cc * right[2],
        ]
    )
    return x / (a * aa + b * ab + c * ac)


def _shortened(update: Tensor) -> Tensor:
    length = torch.linalg.vector_norm(update, dim=0)
    shortened: Tensor = update * (
        _LONGEST_STEP / length.clamp_min(_LONGEST_STEP)
    )
    return shortened
