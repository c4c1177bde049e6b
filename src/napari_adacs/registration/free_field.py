"""Fit a free displacement field to one pair, from coarse to fine.

At every voxel the motion that best explains a small neighbourhood is solved
for in closed form, as Lucas and Kanade do [1]_, on images standardised by
their local mean and deviation, which turns the squared residual into local
cross-correlation [2]_. The field is composed with that motion, not added to
it, and smoothed by a Gaussian, as in the greedy diffeomorphic methods [3]_.
The gradient is the mean of both images' (efficient second-order
minimisation [4]_).

References
----------
.. [1] Lucas and Kanade, "An iterative image registration technique with an
   application to stereo vision", IJCAI 1981.
.. [2] Cachier and Pennec, "3D non-rigid registration by gradient descent on
   a Gaussian-windowed similarity measure", MMBIA 2000.
.. [3] Avants et al., "Symmetric diffeomorphic image registration with
   cross-correlation", Med. Image Anal. 12(1), 2008; Vercauteren et al.,
   "Diffeomorphic demons", NeuroImage 45(1), 2009.
.. [4] Malis, "Improving vision-based control using efficient second-order
   minimization techniques", ICRA 2004.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from napari_adacs.registration.field_smoother import (
    FieldSmoother,
    trust_by_fit,
    trust_by_weight,
)
from napari_adacs.registration.local_motion import (
    gradient_of,
    local_motion,
    standardiser,
)
from napari_adacs.registration.resolutions import Level, levels_of
from napari_adacs.spatial.operators import identity_coordinates, sample
from napari_adacs.spatial.smoothing import resize_vectors


@dataclass(frozen=True)
class FreeFieldOptions:
    """How a free field is fitted.

    Lengths are in voxels of the resolution at work: the finest voxel side,
    doubled at each coarser resolution.

    Parameters
    ----------
    similarity : {'lncc', 'mse'}, default: 'lncc'
        Local cross-correlation, or the squared residual itself.
    steps : int, default: 40
        Most steps at each resolution.
    resolutions : int, default: 3
        Number of resolutions.
    window : float, default: 2.0
        Standard deviation of the neighbourhood that moves together.
    statistics, coarse_statistics : float, default: 3.0 and 1.5
        Standard deviation of the neighbourhood that intensities are
        standardised in (for 'lncc'), at the finest resolution and at the
        others. What is small there is large here, so that a brightening
        wall does not pass for a moving one; at the finest resolution a
        wide one keeps the noise of blood from passing for structure.
    smoothness : float, default: 0.5
        Standard deviation of the Gaussian on the field after each step, in
        voxels of the field.
    damping : float, default: 0.3
        Pulls steps to zero where there is little structure; in units of
        the mean structure.
    kept : int, default: 0
        Number of finest resolutions that keep what the coarser ones found
        and smooth only what they add.
    added_smoothness : float, default: 1.0
        Factor on the smoothness at these.
    prior : float, default: 0.0
        Weight of the squared distance to the start beside the squared
        residual, in units of the mean structure: where images tell little,
        the field stays where it was. Nothing where there is no start.
    bridging : float, default: 1.0
        Factor on the smoothness at the others, where the images have little
        structure or do not fit: there the field takes over from places that
        do. 1 for the same smoothness everywhere.
    """

    similarity: Literal['lncc', 'mse'] = 'lncc'
    steps: int = 40
    resolutions: int = 3
    window: float = 2.0
    statistics: float = 3.0
    coarse_statistics: float = 1.5
    smoothness: float = 0.5
    damping: float = 0.3
    kept: int = 0
    added_smoothness: float = 1.0
    prior: float = 0.0
    bridging: float = 1.0


@dataclass(frozen=True, eq=False)
class FitStep:
    """One step of a fit.

    Parameters
    ----------
    fraction : float
        How much of the fit is done, as if every resolution took all its
        steps.
    loss : float
        Mean weighted squared residual, of standardised images for 'lncc'.
    field : (ndim, *coarse_shape) torch.Tensor
        The field so far, in voxels of its own, coarser grid.
    """

    fraction: float
    loss: float
    field: Tensor


_CONVERGED = 1e-3
_PATIENCE = 5


def fit_free_field(
    moving: Tensor,
    fixed: Tensor,
    options: FreeFieldOptions,
    *,
    spacing: Sequence[float],
    start: Tensor | None = None,
    weight: Tensor | None = None,
) -> Iterator[FitStep]:
    """Fit a field step by step; stop taking steps to stop.

    Parameters
    ----------
    moving, fixed : (1, *shape) torch.Tensor
        Images in [0, 1] on one grid.
    options : FreeFieldOptions
        How.
    spacing : sequence of float
        Voxel size of the grid; only ratios matter.
    start : (ndim, *shape) torch.Tensor, optional
        Displacement in voxels to start from; zero if omitted.
    weight : (1, *shape) torch.Tensor, optional
        Weight of the squared residual, 0 or more.

    Yields
    ------
    FitStep
        After each step.
    """
    shape = tuple(fixed.shape[1:])
    added: Tensor | None = None
    levels = levels_of(shape, spacing, options.resolutions)
    # A voxel at a fine resolution costs as much as one at a coarse one.
    costs = [math.prod(level.image) for level in levels]
    for number, level in enumerate(levels):
        done = sum(costs[:number])
        prior = None if start is None else level.take_over(start, fixed)
        # What is added to the start goes on to the next resolution; the
        # start itself is taken afresh, with all its detail.
        field = level.take_over(added, fixed)
        if prior is not None:
            field = field + prior
        images = level.reduce(moving), level.reduce(fixed)
        weights = None if weight is None else level.reduce(weight)
        steps = _converge(level, *images, weights, field, prior, options)
        for step, (found, loss) in enumerate(steps, start=1):
            field = found
            part = done + costs[number] * step / options.steps
            yield FitStep(part / sum(costs), loss, found)
        added = field if prior is None else field - prior


def _converge(
    level: Level,
    moving: Tensor,
    fixed: Tensor,
    weight: Tensor | None,
    field: Tensor,
    prior: Tensor | None,
    options: FreeFieldOptions,
) -> Iterator[tuple[Tensor, float]]:
    standardised = standardiser(_neighbourhood(level, options))
    target = standardised(fixed)
    target_gradient = gradient_of(target, level.sides)
    places = identity_coordinates(level.image, fixed)
    own_places = identity_coordinates(level.field, fixed)
    sides = _field_sides(level, fixed)
    column = sides.view(-1, *([1] * len(level.image)))
    sigma_window = [options.window / k for k in level.sides]
    smoothed = _smoother(level, sides, field, prior, options)
    trust = None if weight is None else trust_by_weight(weight, level.field)
    best, waited = float('inf'), 0
    for _ in range(options.steps):
        found_at = places + resize_vectors(field, level.image)[None]
        warped = standardised(
            sample(moving[None], found_at, padding='border')[0]
        )
        known = _within(found_at, level.image)
        if weight is not None:
            known = known * weight
        residual = target - warped
        gradient = (gradient_of(warped, level.sides) + target_gradient) / 2
        loss = float((known * residual**2).mean())
        update = local_motion(
            gradient,
            residual,
            known,
            sigma_window,
            level.field,
            options.damping,
            None if prior is None else (prior - field) * column,
            options.prior,
        )
        update = update / column
        moved = sample(
            field[None], own_places + update[None], padding='border'
        )[0]
        if options.bridging != 1:
            trust = trust_by_fit(
                gradient, residual, known, sigma_window, level.field
            )
        field = smoothed(update + moved, trust)
        yield field, loss
        waited = 0 if loss < best * (1 - _CONVERGED) else waited + 1
        best = min(best, loss)
        if waited >= _PATIENCE:
            return


def _smoother(
    level: Level,
    sides: Tensor,
    field: Tensor,
    prior: Tensor | None,
    options: FreeFieldOptions,
) -> FieldSmoother:
    """Return what smooths the field at a resolution, as it is entered."""
    sigma = (options.smoothness * sides.min() / sides).tolist()
    if prior is None and level.finer < options.kept and field.any():
        sigma = [options.added_smoothness * s for s in sigma]
        return FieldSmoother(sigma, field)
    return FieldSmoother(
        sigma, prior, options.bridging if level.finer else 1.0
    )


def _within(places: Tensor, shape: Sequence[int]) -> Tensor:
    """Return 1 where a place is inside of an image, else 0.

    What lies beyond the moving image cannot be compared; taken for its
    border, it would draw the field further out with every step.
    """
    last = torch.tensor([n - 1 for n in shape]).to(places)
    last = last.view(-1, *([1] * len(shape)))
    inside = ((places >= 0) & (places <= last)).all(dim=1)
    return inside.to(places.dtype)


def _field_sides(level: Level, like: Tensor) -> Tensor:
    """Return the sides of a field voxel, in working voxels."""
    sizes = zip(level.sides, level.image, level.field, strict=True)
    return like.new_tensor([k * m / n for k, m, n in sizes])


def _neighbourhood(
    level: Level, options: FreeFieldOptions
) -> list[float] | None:
    """Return where images are standardised, None for the images as is."""
    if options.similarity == 'mse':
        return None
    width = options.coarse_statistics if level.finer else options.statistics
    return [width / k for k in level.sides]
