"""One collaborative training step (AdaCS, Algorithm 1; Eqs. 2 and 9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_adacs.models.model import Model
from napari_adacs.networks.base import Motion
from napari_adacs.objectives.known_motion import tissue_distance
from napari_adacs.objectives.overlap import dice_loss
from napari_adacs.spatial.operators import warp
from napari_adacs.training.batch import Batch, Tissue
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.estimates import (
    Active,
    Estimates,
    estimate,
    joint_estimator,
)
from napari_adacs.training.sections import SmoothnessConfig
from napari_adacs.weighting.base import (
    Direction,
    SchemeState,
    WeightingScheme,
)


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
    terms = dict(motions.terms)
    if config.similarity_weight > 0:
        data = _mean(
            scheme.data_term(d, own[i] if own else None)
            for i, d in enumerate(directions)
        )
        terms = {'data': config.similarity_weight * data, **terms}
    if not model.displacement.own_prior:
        terms['smoothness'] = config.smoothness.weight * _roughness(
            scheme, motions.estimated, directions, config.smoothness
        )
    if config.dice_weight > 0:
        overlap = _overlap(batch, motions.forward)
        terms['dice'] = config.dice_weight * overlap
    if config.motion_weight > 0 and batch.tissue is not None:
        distance = _distance(batch.tissue, motions.forward)
        terms['motion'] = config.motion_weight * distance
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


def _overlap(batch: Batch, motion: Motion) -> Tensor:
    if not batch.fixed_masks.shape[1]:
        return motion.displacement.new_zeros(())
    warped = warp(batch.moving_masks, motion.displacement)
    losses = [dice_loss(batch.fixed_masks, warped)]
    if motion.inverse is not None:
        warped = warp(batch.fixed_masks, motion.inverse)
        losses.append(dice_loss(batch.moving_masks, warped))
    return _mean(losses)


def _distance(tissue: Tissue, motion: Motion) -> Tensor:
    moving, fixed = tissue
    losses = [tissue_distance(fixed, warp(moving, motion.displacement))]
    if motion.inverse is not None:
        losses.append(tissue_distance(moving, warp(fixed, motion.inverse)))
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
