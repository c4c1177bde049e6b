"""One collaborative training step (AdaCS, Algorithm 1; Eqs. 2 and 9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from napari_adacs.models.model import Model
from napari_adacs.networks.base import Motion
from napari_adacs.objectives.overlap import dice_loss
from napari_adacs.spatial.operators import warp
from napari_adacs.training.batch import Batch
from napari_adacs.training.config import SmoothnessConfig, TrainConfig
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
    scheme = model.scheme
    with torch.set_grad_enabled(active.displacement):
        motion = model.displacement(
            batch.moving, batch.fixed, inverse=config.bidirectional
        )
        directions = _directions(
            batch.moving, batch.fixed, motion, scheme.uses_mask
        )
    joint = scheme.auxiliary if scheme.joint and active.displacement else None
    outputs = _outputs(model.auxiliaries, directions, active, joint)
    terms: dict[str, Tensor] = {}
    if active.displacement:
        own = outputs.get(scheme.auxiliary or '')
        terms['data'] = _mean(
            scheme.data_term(d, own[i] if own else None)
            for i, d in enumerate(directions)
        )
        terms['smoothness'] = config.smoothness.weight * _roughness(
            scheme, motion, directions, config.smoothness
        )
        if config.dice_weight > 0:
            terms['dice'] = config.dice_weight * _overlap(batch, motion)
        scheme.observe([d.detached() for d in directions], own, state)
    auxiliary: dict[str, Tensor] = {}
    if active.auxiliary:
        for name, per_direction in outputs.items():
            if name == joint:
                continue
            auxiliary.update(
                _auxiliary_terms(
                    companions[name], directions, per_direction, state
                )
            )
    return Losses(terms, auxiliary)


def _directions(
    moving: Tensor, fixed: Tensor, motion: Motion, masked: bool
) -> list[Direction]:
    mask = (moving != 0) | (fixed != 0) if masked else None
    out = [Direction(fixed, warp(moving, motion.displacement), mask)]
    if motion.inverse is not None:
        out.append(Direction(moving, warp(fixed, motion.inverse), mask))
    return out


def _outputs(
    auxiliaries: Mapping[str, nn.Module],
    directions: list[Direction],
    active: Active,
    joint: str | None,
) -> dict[str, list[Tensor]]:
    if not active.auxiliary:
        return {}
    fixed = torch.cat([d.fixed for d in directions])
    warped = torch.cat([d.warped for d in directions])
    # The gradient of an auxiliary loss must not reach the displacement
    # (stop-gradient in AdaCS Eq. 3 and heteroscedastic Eq. 5), unless both
    # estimators share one loss (AdaCS Sec. 5.3.2).
    given = warped.detach()
    return {
        name: list(
            network(fixed, warped if name == joint else given).chunk(
                len(directions)
            )
        )
        for name, network in auxiliaries.items()
    }


def _overlap(batch: Batch, motion: Motion) -> Tensor:
    warped = warp(batch.moving_masks, motion.displacement)
    losses = [dice_loss(batch.fixed_masks, warped)]
    if motion.inverse is not None:
        warped = warp(batch.fixed_masks, motion.inverse)
        losses.append(dice_loss(batch.moving_masks, warped))
    return _mean(losses)


def _roughness(
    scheme: WeightingScheme,
    motion: Motion,
    directions: list[Direction],
    config: SmoothnessConfig,
) -> Tensor:
    if config.on == 'displacement':
        return scheme.smoothness(
            motion.displacement, directions, config.reduction
        )
    # VoxelMorph multiplies by the down-sizing factor.
    return motion.raw_step * scheme.smoothness(
        motion.raw, directions, config.reduction
    )


def _auxiliary_terms(
    scheme: WeightingScheme,
    directions: list[Direction],
    outputs: list[Tensor],
    state: SchemeState,
) -> dict[str, Tensor]:
    collected: dict[str, list[Tensor]] = {}
    for direction, output in zip(directions, outputs, strict=True):
        terms = scheme.auxiliary_terms(direction.detached(), output, state)
        for key, value in terms.items():
            collected.setdefault(key, []).append(value)
    return {key: _mean(values) for key, values in collected.items()}


def _mean(values: object) -> Tensor:
    return torch.stack(list(values)).mean()  # type: ignore[call-overload]
