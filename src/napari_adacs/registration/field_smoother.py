"""Smoothing of a field while it is fitted.

The Gaussian after each step is the regularisation of the greedy methods
(Avants et al., Med. Image Anal. 12(1), 2008). Here it can leave a part of the
field alone, and can be wider where the images tell little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_adacs.spatial.smoothing import smooth

# Nowhere is the field more certain of others than this.
_LEAST_CERTAINTY = 1e-2
# Share of the mean squared residual that counts as noise everywhere.
_NOISE = 0.1


@dataclass(frozen=True, eq=False)
class FieldSmoother:
    """Smooths a field, or how it differs from another one.

    Parameters
    ----------
    sigma : sequence of float
        Of the Gaussian, in voxels of the field.
    prior : (ndim, *shape) torch.Tensor, optional
        What is kept as it is: only what differs from it is smoothed.
        Smoothing a network's estimate, or that of a coarser resolution, step
        after step would wear off what the images say nothing about.
    wide : float, default: 1.0
        Factor on `sigma` where there is no trust.
    """

    sigma: Sequence[float]
    prior: Tensor | None = None
    wide: float = 1.0

    def __call__(self, field: Tensor, trust: Tensor | None) -> Tensor:
        """Return the smooth field.

        Parameters
        ----------
        field : (ndim, *shape) torch.Tensor
            Displacement.
        trust : (1, *shape) torch.Tensor or None
            Positive: how much each voxel counts for its neighbours.
            With `wide`, from 0 (smoothed widely) to 1 (as usual).
        """
        added = field if self.prior is None else field - self.prior
        if trust is None:
            added = smooth(added, self.sigma)
        elif self.wide == 1:
            added = _normalised(added, trust, self.sigma)
        else:
            sigma = [self.wide * s for s in self.sigma]
            widely = _normalised(added, trust, sigma)
            added = torch.lerp(widely, smooth(added, self.sigma), trust)
        return added if self.prior is None else self.prior + added


def trust_by_weight(weight: Tensor, shape: Sequence[int]) -> Tensor:
    """Return how certain a field is by a weight, on the field's grid.

    Parameters
    ----------
    weight : (1, *image_shape) torch.Tensor
        Weight of the squared residual.
    shape : sequence of int
        Size of the field.
    """
    on_field = smooth(weight, 0.0, shape)
    return on_field.clamp_min(_LEAST_CERTAINTY * on_field.mean())


def trust_by_fit(
    gradient: Tensor,
    residual: Tensor,
    weight: Tensor,
    sigma: Sequence[float],
    shape: Sequence[int],
) -> Tensor:
    """Return where the images have structure that fits.

    With s the squared gradient and r the residual of a neighbourhood, each
    relative to its mean, the ratio ``q = s / (r^2 + 0.1)`` is a
    signal-to-noise ratio of the local motion: its variance by least squares
    is noise over structure. The trust is ``q / (1 + q)``.

    Parameters
    ----------
    gradient : (ndim, *image_shape) torch.Tensor
        Gradient of the images.
    residual, weight : (1, *image_shape) torch.Tensor
        Difference of the images, and weight of its square.
    sigma : sequence of float
        Of the Gaussian neighbourhood, in image voxels.
    shape : sequence of int
        Size of the field.

    Returns
    -------
    (1, *shape) torch.Tensor
        From 0.01 to 1.
    """
    squares = torch.stack([(gradient**2).sum(dim=0), residual[0] ** 2])
    structure, noise = smooth(weight * squares, sigma, shape).clamp_min(0)
    # A constant image has neither; 0 / 0 would spread.
    structure = structure / structure.mean().clamp_min(1e-12)
    noise = noise / noise.mean().clamp_min(1e-12)
    ratio = structure / (noise + _NOISE)
    trust: Tensor = (ratio / (1 + ratio)).clamp_min(_LEAST_CERTAINTY)
    return trust[None]


def _normalised(
    field: Tensor, certainty: Tensor, sigma: Sequence[float]
) -> Tensor:
    """Smooth so that places of little certainty take over from neighbours.

    Normalised convolution (Knutsson and Westin, CVPR 1993).
    """
    both = smooth(torch.cat([field * certainty, certainty]), sigma)
    return both[:-1] / both[-1:]
