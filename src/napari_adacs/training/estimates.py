"""One pass of a batch through the networks."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_adacs.models.model import Model
from napari_adacs.networks.base import Motion
from napari_adacs.spatial.operators import warp
from napari_adacs.training.batch import Batch
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.motions import Motions, estimate_motions
from napari_adacs.training.sections import StageConfig
from napari_adacs.weighting.base import Direction


@dataclass(frozen=True)
class Active:
    """Which estimators a step updates."""

    displacement: bool
    auxiliary: bool


def active_at(step: int, stages: StageConfig, has_auxiliary: bool) -> Active:
    """Return what a step updates.

    Parameters
    ----------
    step : int
        Zero-based step.
    stages : StageConfig
        Lengths of the stages.
    has_auxiliary : bool
        Whether there is an auxiliary estimator.

    References
    ----------
    AdaCS, Algorithm 1.
    """
    if step < stages.displacement:
        return Active(displacement=True, auxiliary=False)
    if step < stages.displacement + stages.auxiliary:
        return Active(displacement=False, auxiliary=has_auxiliary)
    return Active(displacement=True, auxiliary=has_auxiliary)


@dataclass(frozen=True, eq=False)
class Estimates:
    """What one pass through the networks gives.

    Parameters
    ----------
    motions : Motions
        Displacements, and the displacement estimator's own losses.
    directions : list of Direction
        Forward, then backward if there is one.
    outputs : dict of str to list of torch.Tensor
        What each auxiliary estimator says to each direction.
    """

    motions: Motions
    directions: list[Direction]
    outputs: Mapping[str, list[Tensor]]


def estimate(
    batch: Batch, model: Model, config: TrainConfig, active: Active
) -> Estimates:
    """Run the displacement estimator, and the active auxiliary ones."""
    joint = joint_estimator(model, active)
    attached = active.displacement or not config.scheme.stop_gradient
    with torch.set_grad_enabled(attached):
        with precision(config, batch.moving.device):
            motions = estimate_motions(
                model.displacement, batch, config.bidirectional
            )
        motion = motions.forward
        directions = _directions(
            batch.moving, batch.fixed, motion, model.scheme.uses_mask
        )
    if not active.auxiliary:
        return Estimates(motions, directions, {})
    return Estimates(
        motions, directions, _outputs(model, directions, config, joint)
    )


def estimate_again(
    estimates: Estimates, model: Model, config: TrainConfig
) -> Estimates:
    """Run the auxiliary estimators once more, on images without a graph."""
    directions = [d.detached() for d in estimates.directions]
    outputs = _outputs(model, directions, config, None)
    return Estimates(estimates.motions, directions, outputs)


def without_graph(estimates: Estimates) -> Estimates:
    """Return the estimates without what backward passes would need."""
    motion = estimates.motions.forward
    bare = Motion(motion.displacement.detach(), None, motion.raw.detach())
    return Estimates(
        Motions(bare, [], {}),
        [d.detached() for d in estimates.directions],
        {k: [o.detach() for o in v] for k, v in estimates.outputs.items()},
    )


def joint_estimator(model: Model, active: Active) -> str | None:
    """Return the estimator that learns from the displacement's own loss."""
    scheme = model.scheme
    return scheme.auxiliary if scheme.joint and active.displacement else None


def precision(
    config: TrainConfig, device: torch.device
) -> AbstractContextManager[object]:
    """Return the context in which networks compute."""
    chosen = config.optimiser.precision
    if chosen == 'float32':
        return contextlib.nullcontext()
    kind = torch.bfloat16 if chosen == 'bfloat16' else torch.float16
    return torch.autocast(device.type, dtype=kind)


def _directions(
    moving: Tensor, fixed: Tensor, motion: Motion, masked: bool
) -> list[Direction]:
    mask = (moving != 0) | (fixed != 0) if masked else None
    out = [Direction(fixed, warp(moving, motion.displacement), mask)]
    if motion.inverse is not None:
        out.append(Direction(moving, warp(fixed, motion.inverse), mask))
    return out


def _outputs(
    model: Model,
    directions: list[Direction],
    config: TrainConfig,
    joint: str | None,
) -> dict[str, list[Tensor]]:
    fixed = torch.cat([d.fixed for d in directions])
    warped = torch.cat([d.warped for d in directions])
    # The gradient of an auxiliary loss must not reach the displacement
    # (stop-gradient in AdaCS Eq. 3 and heteroscedastic Eq. 5), unless both
    # estimators share one loss (AdaCS Sec. 5.3.2).
    given = warped.detach() if config.scheme.stop_gradient else warped
    outputs = {}
    for name, network in model.auxiliaries.items():
        with precision(config, fixed.device):
            output = network(fixed, warped if name == joint else given)
        outputs[name] = list(output.float().chunk(len(directions)))
    return outputs
