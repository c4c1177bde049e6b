"""Validation on labelled pairs, at the network's resolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_adacs.networks.base import DisplacementEstimator
from napari_adacs.spatial.jacobian import jacobian_determinant
from napari_adacs.spatial.operators import warp
from napari_adacs.training.pairs import PairSource, TrainingPair


@dataclass(frozen=True)
class Validation:
    """Figures over a set of pairs.

    Parameters
    ----------
    dsc : dict of int to float
        Mean Dice per label, warped masks cut at 0.5.
    mse : float
        Mean squared residual.
    folded_percent : float
        Voxels with a Jacobian determinant of 0 or less.
    """

    dsc: dict[int, float]
    mse: float
    folded_percent: float

    @property
    def mean_dsc(self) -> float:
        """Mean over labels; NaN without labels."""
        values = list(self.dsc.values())
        return float(np.mean(values)) if values else float('nan')


def validate(
    estimator: DisplacementEstimator, pairs: PairSource
) -> Validation:
    """Register every pair and average the figures."""
    scores: dict[int, list[float]] = {}
    errors, folded = [], []
    estimator.eval()
    with torch.inference_mode():
        for index in range(len(pairs)):
            pair = pairs[index]
            moving = torch.from_numpy(pair.moving)[None, None]
            fixed = torch.from_numpy(pair.fixed)[None, None]
            field = estimator(moving, fixed, inverse=False).displacement
            residual = (warp(moving, field) - fixed).square()
            errors.append(float(residual.mean()))
            determinant = jacobian_determinant(field[0].numpy())
            folded.append(float((determinant <= 0).mean()))
            for label, value in _label_dsc(pair, field).items():
                scores.setdefault(label, []).append(value)
    estimator.train()
    return Validation(
        {k: float(np.mean(v)) for k, v in sorted(scores.items())},
        float(np.mean(errors)),
        100 * float(np.mean(folded)),
    )


def _label_dsc(pair: TrainingPair, field: torch.Tensor) -> dict[int, float]:
    if pair.moving_labels is None or pair.fixed_labels is None:
        return {}
    labels = np.union1d(pair.moving_labels, pair.fixed_labels)
    out = {}
    for label in labels[labels > 0]:
        mask = (pair.moving_labels == label).astype(np.float32)
        share = warp(torch.from_numpy(mask)[None, None], field)[0, 0].numpy()
        out[int(label)] = _dice(share >= 0.5, pair.fixed_labels == label)
    return out


def _dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    total = int(a.sum()) + int(b.sum())
    return 1.0 if total == 0 else 2 * int((a & b).sum()) / total
