"""Instance optimisation: fit the velocity to one pair.

Starts from a model's estimate and lowers the scheme's own objective on this
pair alone, as VoxelMorph's test-time optimisation does (Balakrishnan et
al., IEEE TMI 38(8), 2019, Sec. V-C).
"""

from __future__ import annotations

import torch
from torch import Tensor

from napari_adacs.models.model import Model
from napari_adacs.networks.base import Motion
from napari_adacs.objectives.similarity import weighted_mse
from napari_adacs.objectives.smoothness import gradient_penalty
from napari_adacs.registration.progress import Reporter
from napari_adacs.spatial.operators import warp
from napari_adacs.weighting.base import Direction, WeightingScheme

_LEARNING_RATE = 0.05
_SMOOTHNESS = 0.02


def refine(
    model: Model,
    motion: Motion,
    moving: Tensor,
    fixed: Tensor,
    steps: int,
    report: Reporter,
    emphasis: Tensor | None = None,
) -> Motion:
    """Return a motion that fits this pair better.

    Parameters
    ----------
    model : Model
        Gives the residual weights and the way from velocity to
        displacement; its networks are not changed.
    motion : Motion
        The start.
    moving, fixed : (1, 1, *shape) torch.Tensor
        Images in [0, 1].
    steps : int
        Adam steps.
    report : Reporter
        Progress and cancelling.
    emphasis : (1, 1, *shape) torch.Tensor, optional
        Multiplies the residual weight by ``1 + emphasis``; 0 or more.
    """
    raw = motion.raw.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([raw], lr=_LEARNING_RATE)
    weight = _weight(model, motion, moving, fixed)
    best_loss, best = float('inf'), motion.raw
    for step in range(steps):
        report(0.2 + 0.4 * step / steps, f'Refining, step {step + 1}')
        displacement = model.displacement.displace(raw)
        direction = Direction(fixed, warp(moving, displacement))
        loss = _data_term(model.scheme, direction, weight, emphasis)
        loss = loss + _SMOOTHNESS * gradient_penalty(raw, 'mean')
        value = loss.item()
        if value < best_loss:
            best_loss, best = value, raw.detach().clone()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.inference_mode():
        return model.displacement.motion(best)


def _data_term(
    scheme: WeightingScheme,
    direction: Direction,
    weight: Tensor | None,
    emphasis: Tensor | None,
) -> Tensor:
    if weight is not None:
        if emphasis is not None:
            weight = weight * (1 + emphasis)
        return weighted_mse(weight, direction.residual())
    term = scheme.data_term(direction, None)
    if emphasis is None:
        return term
    # For the mean squared residual this is the weight 1 + emphasis; for
    # other similarities, a pull of the intensities inside the region.
    return term + weighted_mse(emphasis, direction.residual())


def _weight(
    model: Model, motion: Motion, moving: Tensor, fixed: Tensor
) -> Tensor | None:
    name = model.scheme.auxiliary
    if name is None or name not in model.auxiliaries:
        return None
    with torch.no_grad():
        warped = warp(moving, motion.displacement.clone())
        direction = Direction(fixed, warped)
        output = model.auxiliaries[name](fixed, warped)
        weight = model.scheme.weight(direction, output)
    # A likelihood weights by an inverse variance, in the hundreds; the
    # smoothness is meant for weights up to one.
    return weight / weight.mean().clamp_min(1)
