"""Instance optimisation of a network: train it on, on one pair.

Lowers the objective the model was trained with, as VoxelMorph's test-time
optimisation does (Balakrishnan et al., IEEE TMI 38(8), 2019, Sec. V-C), with
a penalty on folding. The model itself stays as it is: a copy is trained.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from napari_adacs.models.model import Model
from napari_adacs.networks.base import DisplacementEstimator, Motion
from napari_adacs.networks.registry import build_displacement
from napari_adacs.objectives.folding import folding_penalty
from napari_adacs.objectives.similarity import local_correlation, weighted_mse
from napari_adacs.objectives.smoothness import gradient_penalty
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.progress import Reporter
from napari_adacs.spatial.operators import warp
from napari_adacs.weighting.base import Direction

_LEARNING_RATE = 3e-4
_SMOOTHNESS = 0.02
_FOLDING = 1.0

Watch = Callable[[float, float, Motion], None]


def refine_network(
    model: Model,
    moving: Tensor,
    fixed: Tensor,
    config: RunConfig,
    report: Reporter,
    weight: Tensor | None = None,
    watch: Watch | None = None,
) -> Motion:
    """Return the motion of a copy of the estimator, trained on this pair.

    Parameters
    ----------
    model : Model
        Its displacement estimator is the start.
    moving, fixed : (1, 1, *shape) torch.Tensor
        Images in [0, 1].
    config : RunConfig
        Steps, similarity and smoothness.
    report : Reporter
        Progress; a wish to stop ends the training, and the best state so
        far is returned.
    weight : (1, 1, *shape) torch.Tensor, optional
        Weight of the squared residual.
    watch : callable, optional
        Called with (fraction done, loss, motion) after each step.
    """
    estimator = _copy(model).to(fixed.device)
    optimiser = torch.optim.Adam(estimator.parameters(), lr=_LEARNING_RATE)
    best_loss = float('inf')
    best: Motion | None = None
    for step in range(config.refine_steps):
        if best is not None and report.stop_refining():
            break
        motion = estimator(moving, fixed)
        loss = _objective(motion, moving, fixed, weight, config)
        value = float(loss.detach())
        if value < best_loss or best is None:
            best_loss, best = value, _detached(motion)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        done = (step + 1) / config.refine_steps
        report.refining(done, value)
        if watch is not None:
            watch(done, value, _detached(motion))
    if best is None:
        raise ValueError('There were no steps to take.')
    return best


def _copy(model: Model) -> DisplacementEstimator:
    """Return an estimator of its own with the weights of the model's.

    Built anew, because hooks that watch the model's layers cannot be copied.
    """
    header = model.header
    options = {'ndim': header.ndim, **header.network_options}
    estimator = build_displacement(header.network, options)
    estimator.load_state_dict(model.displacement.state_dict())
    return estimator.eval()


def _objective(
    motion: Motion,
    moving: Tensor,
    fixed: Tensor,
    weight: Tensor | None,
    config: RunConfig,
) -> Tensor:
    direction = Direction(fixed, warp(moving, motion.displacement))
    if config.refine_similarity == 'lncc':
        residual = 1 - local_correlation(fixed, direction.warped)
    else:
        residual = direction.residual()
    data = weighted_mse(weight, residual)
    smoothness = _SMOOTHNESS * config.refine_smoothness
    return (
        data
        + smoothness * gradient_penalty(motion.displacement, 'mean')
        + _FOLDING * folding_penalty(motion.displacement)
    )


def _detached(motion: Motion) -> Motion:
    inverse = motion.inverse
    return Motion(
        motion.displacement.detach(),
        None if inverse is None else inverse.detach(),
        motion.raw.detach(),
        motion.raw_step,
    )
