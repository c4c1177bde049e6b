"""The motion of a batch while training, one way or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from napari_adacs.networks.base import DisplacementEstimator, Motion, Terms
from napari_adacs.training.batch import Batch


@dataclass(frozen=True, eq=False)
class Motions:
    """What a displacement estimator says to a batch.

    Parameters
    ----------
    forward : Motion
        Motion whose `displacement` pulls moving onto fixed and whose
        `inverse`, when training goes both ways, pulls fixed onto moving.
    estimated : sequence of Motion
        What the network emitted: the forward motion, and the backward one
        where it does not follow from the forward one.
    terms : dict of str to torch.Tensor
        The estimator's own losses.
    """

    forward: Motion
    estimated: Sequence[Motion]
    terms: Terms


def estimate_motions(
    estimator: DisplacementEstimator, batch: Batch, bidirectional: bool
) -> Motions:
    """Estimate the motion of a batch, with gradients.

    An estimator without an inverse sees the swapped pairs too when training
    goes both ways: the negated displacement would not be the inverse.

    Parameters
    ----------
    estimator : DisplacementEstimator
        What is trained.
    batch : Batch
        Pairs.
    bidirectional : bool
        Whether the way back is wanted.
    """
    moving, fixed = batch.moving, batch.fixed
    if not bidirectional or estimator.invertible:
        motion, terms = estimator.learn(moving, fixed, bidirectional)
        return Motions(motion, [motion], terms)
    both, terms = estimator.learn(
        torch.cat([moving, fixed]), torch.cat([fixed, moving]), False
    )
    forward, backward = (_half(both, i) for i in range(2))
    return Motions(
        replace(forward, inverse=backward.displacement),
        [forward, backward],
        terms,
    )


def _half(motion: Motion, which: int) -> Motion:
    variance = motion.log_variance
    return replace(
        motion,
        displacement=motion.displacement.chunk(2)[which],
        raw=motion.raw.chunk(2)[which],
        log_variance=None if variance is None else variance.chunk(2)[which],
    )
