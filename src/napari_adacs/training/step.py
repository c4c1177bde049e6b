"""One collaborative training step (AdaCS, Algorithm 1; Eqs. 2 and 9)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_adacs.models.model import Model
from napari_adacs.networks.base import Motion
from napari_adacs.objectives.overlap import dice_loss
from napari_adacs.spatial.operators import warp
from napari_adacs.training.batch import Batch
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.motions import Motions, estimate_motions
from napari_adacs.training.sections import SmoothnessConfig
from napari_adacs.weighting.base import (
    Direction,
    SchemeState,
    WeightingScheme,
)


@dataclass(frozen=True)
class Active:
    """Which estimators a step updates."""

    displacement: bool
    auxiliary: bool


@dataclass(frozen=True, eq=False)
class Losses:
    """Differentiable losses of one step, by what they train.

    Parameters
    ----------
    displacement : dict of str to torch.Tensor
        Terms of the displacement estimator, to be summed.
    auxiliary : dict of str to torch.Tensor
        Terms of the auxiliary estimators, to be summed. A joint scheme's
        own estimator has none while its displacement trains too.
    """

    displacement: Mapping[str, Tensor]
    auxiliary: Mapping[str, Tensor]


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


def compute_losses(
    batch: Batch,
    model: Model,
    companions: Mapping[str, WeightingScheme],
    config: TrainConfig,
    state: SchemeState,
    active: Active,
) -> Losses:
    """Compute all losses from a single forward pass of each network.

    Both estimators learn from the displacement before the update. The
    published loop runs the displacement estimator a second time, after its
    update, to train the other one; the two differ by one step's change.

    Parameters
    ----------
    batch : Batch
        Pairs.
    model : Model
        What is trained.
    companions : dict of str to WeightingScheme
        For each auxiliary estimator, the scheme that says what it minimises.
    config : TrainConfig
        Regularity, directions and supervision.
    state : SchemeState
        Changed in place by the momentum.
    active : Active
        Which estimators this step updates.
    """
    estimates = estimate(batch, model, config, active)
    terms = displacement_terms(estimates, batch, model, config, active)
    seen = observation(estimates, model, active)
    if seen is not None:
        model.scheme.observe(float(seen), state)
    return Losses(
        terms,
        auxiliary_terms(estimates, model, companions, config, state, active),
    )


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


def displacement_terms(
    estimates: Estimates,
    batch: Batch,
    model: Model,
    config: TrainConfig,
    active: Active,
) -> dict[str, Tensor]:
    """Return what the displacement estimator minimises (AdaCS, Eq. 2)."""
    if not active.displacement:
        return {}
    scheme, directions = model.scheme, estimates.directions
    own = estimates.outputs.get(scheme.auxiliary or '')
    motions = estimates.motions
    terms = {
        'data': _mean(
            scheme.data_term(d, own[i] if own else None)
            for i, d in enumerate(directions)
        ),
        **motions.terms,
    }
    if not model.displacement.own_prior:
        terms['smoothness'] = config.smoothness.weight * _roughness(
            scheme, motions.estimated, directions, config.smoothness
        )
    if config.dice_weight > 0:
        overlap = _overlap(batch, motions.forward)
        terms['dice'] = config.dice_weight * overlap
    return terms


def observation(
    estimates: Estimates, model: Model, active: Active
) -> Tensor | None:
    """Return what the scheme remembers of a displacement step, if any."""
    if not active.displacement:
        return None
    own = estimates.outputs.get(model.scheme.auxiliary or '')
    with torch.no_grad():
        return model.scheme.observation(
            [d.detached() for d in estimates.directions], own
        )


def auxiliary_terms(
    estimates: Estimates,
    model: Model,
    companions: Mapping[str, WeightingScheme],
    config: TrainConfig,
    state: SchemeState,
    active: Active,
) -> dict[str, Tensor]:
    """Return what the auxiliary estimators minimise (AdaCS, Eq. 9)."""
    joint = joint_estimator(model, active)
    terms: dict[str, Tensor] = {}
    for name, per_direction in estimates.outputs.items():
        if name == joint:
            continue
        scheme, directions = companions[name], estimates.directions
        if config.scheme.stop_gradient or not scheme.leaks_residual:
            directions = [d.detached() for d in directions]
        terms |= _auxiliary_terms(scheme, directions, per_direction, state)
    return terms


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


def _overlap(batch: Batch, motion: Motion) -> Tensor:
    warped = warp(batch.moving_masks, motion.displacement)
    losses = [dice_loss(batch.fixed_masks, warped)]
    if motion.inverse is not None:
        warped = warp(batch.fixed_masks, motion.inverse)
        losses.append(dice_loss(batch.moving_masks, warped))
    return _mean(losses)


def _roughness(
    scheme: WeightingScheme,
    motions: Sequence[Motion],
    directions: list[Direction],
    config: SmoothnessConfig,
) -> Tensor:
    on_velocity = config.on == 'velocity'
    penalties = []
    # A backward motion lives on the grid of the backward direction.
    for motion, seen in zip(
        motions, (directions, directions[::-1]), strict=False
    ):
        field = motion.raw if on_velocity else motion.displacement
        # VoxelMorph multiplies by the down-sizing factor.
        factor = motion.raw_step if on_velocity else 1.0
        penalties.append(
            factor * scheme.smoothness(field, seen, config.reduction)
        )
    return _mean(penalties)


def _auxiliary_terms(
    scheme: WeightingScheme,
    directions: list[Direction],
    outputs: list[Tensor],
    state: SchemeState,
) -> dict[str, Tensor]:
    collected: dict[str, list[Tensor]] = {}
    for direction, output in zip(directions, outputs, strict=True):
        terms = scheme.auxiliary_terms(direction, output, state)
        for key, value in terms.items():
            collected.setdefault(key, []).append(value)
    return {key: _mean(values) for key, values in collected.items()}


def _mean(values: object) -> Tensor:
    return torch.stack(list(values)).mean()  # type: ignore[call-overload]
