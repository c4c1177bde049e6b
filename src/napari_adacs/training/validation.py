"""Validation on labelled pairs, at the network's resolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from napari_adacs.evaluation.overlap import dice
from napari_adacs.networks.base import DisplacementEstimator
from napari_adacs.spatial.jacobian import jacobian_determinant
from napari_adacs.spatial.operators import warp
from napari_adacs.training.pairs import PairSource, TrainingPair
from napari_adacs.training.processes import Processes


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

    def to_log(self) -> dict[str, float]:
        """Return the figures under their names in the log."""
        out = {'val_mse': self.mse, 'val_folded': self.folded_percent}
        if self.dsc:
            out['val_dsc'] = self.mean_dsc
        return out | {f'val_dsc_{k}': v for k, v in self.dsc.items()}


@dataclass(frozen=True)
class _Figures:
    """Figures of one pair."""

    dsc: dict[int, float]
    mse: float
    folded: float


def validate(
    estimator: DisplacementEstimator,
    pairs: PairSource,
    processes: Processes | None = None,
) -> Validation:
    """Register every pair and average the figures.

    Parameters
    ----------
    estimator : DisplacementEstimator
        On any device; its mode is restored.
    pairs : PairSource
        Pairs on the network's grid.
    processes : Processes, optional
        Who shares the work; all get the same figures.
    """
    processes = processes or Processes()
    device = next(estimator.parameters()).device
    was_training = estimator.training
    estimator.eval()
    try:
        mine = range(processes.rank, len(pairs), processes.size)
        found = {i: _figures(estimator, pairs[i], device) for i in mine}
    finally:
        estimator.train(was_training)
    # In the order of the pairs, so that sums round alike for any number.
    everything: dict[int, _Figures] = {}
    for share in processes.collect(found):
        everything |= share
    return _averaged([everything[i] for i in sorted(everything)])


def _figures(
    estimator: DisplacementEstimator, pair: TrainingPair, device: torch.device
) -> _Figures:
    with torch.inference_mode():
        moving = torch.from_numpy(pair.moving)[None, None].to(device)
        fixed = torch.from_numpy(pair.fixed)[None, None].to(device)
        field = estimator(moving, fixed, inverse=False).displacement
        residual = (warp(moving, field) - fixed).square()
        determinant = jacobian_determinant(field[0].cpu().numpy())
        return _Figures(
            _label_dsc(pair, field.cpu()),
            float(residual.mean()),
            float((determinant <= 0).mean()),
        )


def _averaged(found: list[_Figures]) -> Validation:
    scores: dict[int, list[float]] = {}
    for figures in found:
        for label, value in figures.dsc.items():
            scores.setdefault(label, []).append(value)
    return Validation(
        {k: float(np.mean(v)) for k, v in sorted(scores.items())},
        float(np.mean([f.mse for f in found])),
        100 * float(np.mean([f.folded for f in found])),
    )


def _label_dsc(pair: TrainingPair, field: torch.Tensor) -> dict[int, float]:
    if pair.moving_labels is None or pair.fixed_labels is None:
        return {}
    labels = np.union1d(pair.moving_labels, pair.fixed_labels)
    out = {}
    for label in labels[labels > 0]:
        mask = (pair.moving_labels == label).astype(np.float32)
        share = warp(torch.from_numpy(mask)[None, None], field)[0, 0].numpy()
        out[int(label)] = dice(share >= 0.5, pair.fixed_labels == label)
    return out
