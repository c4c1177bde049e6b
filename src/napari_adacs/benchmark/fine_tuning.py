"""What training has changed: a model before and after, on the same pairs.

Measured on the grid of the network, on pairs that were not trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_adacs.evaluation.folding import folding_statistics
from napari_adacs.evaluation.report import evaluate
from napari_adacs.models.model import Model
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid
from napari_adacs.spatial.operators import warp
from napari_adacs.training.pairs import PairSource, TrainingPair

# Measure and label ('' where it is of the whole image).
Key = tuple[str, str]
DSC, HD, ASD = 'DSC', 'HD', 'ASD'
MSE, NCC, FOLDED = 'MSE', 'NCC', 'folded %'
# Measure by measure, as in the tables of the papers.
MEASURES = (DSC, HD, ASD, MSE, NCC, FOLDED)
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class PairFigures:
    """Figures of one pair.

    Parameters
    ----------
    name, group : str
        The pair, and whose it is.
    units : str
        Of the distances.
    unregistered, registered : dict
        Figures by measure and label, before and after registration.
    """

    name: str
    group: str
    units: str
    unregistered: Mapping[Key, float]
    registered: Mapping[Key, float]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            'name': self.name,
            'group': self.group,
            'units': self.units,
            'unregistered': _rows(self.unregistered),
            'registered': _rows(self.registered),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PairFigures:
        """Return what `to_dict` made plain.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is something else.
        """
        return cls(
            values['name'],
            values['group'],
            values['units'],
            {(m, label): float(v) for m, label, v in values['unregistered']},
            {(m, label): float(v) for m, label, v in values['registered']},
        )


def _rows(figures: Mapping[Key, float]) -> list[list[str | float]]:
    return [[*key, value] for key, value in figures.items()]


def measure_model(
    model: Model,
    pairs: PairSource,
    indices: Sequence[int],
    device: torch.device,
    go_on: Callable[[int], bool] | None = None,
) -> list[PairFigures]:
    """Register pairs with a model, and measure how well.

    Parameters
    ----------
    model : Model
        Its displacement network is asked, without refining.
    pairs : PairSource
        Pairs on the network's grid.
    indices : sequence of int
        Which of them, in this order.
    device : torch.device
        Where to compute.
    go_on : callable, optional
        Asked before each pair, with the number of those that are done,
        whether to go on.

    Returns
    -------
    list of PairFigures
        With labels DSC, Hausdorff and average surface distance of each;
        else squared residual and correlation. Folded voxels in any case.
    """
    estimator = model.displacement.to(device)
    was_training = estimator.training
    estimator.eval()
    found: list[PairFigures] = []
    try:
        with torch.inference_mode():
            for index in indices:
                if go_on is not None and not go_on(len(found)):
                    break
                pair = pairs[index]
                moving = torch.from_numpy(pair.moving)[None, None].to(device)
                fixed = torch.from_numpy(pair.fixed)[None, None].to(device)
                field = estimator(moving, fixed, inverse=False).displacement
                found.append(_figures(pair, moving, fixed, field))
    finally:
        estimator.train(was_training)
    return found


def spread(count: int) -> list[int]:
    """Return all indices, so that the first ones are spread over all."""
    return sorted(range(count), key=lambda index: index * _GOLDEN % 1)


def _figures(
    pair: TrainingPair, moving: Tensor, fixed: Tensor, field: Tensor
) -> PairFigures:
    voxels = field[0].float().cpu().numpy()
    if pair.moving_labels is not None and pair.fixed_labels is not None:
        before, after = _label_figures(pair, voxels)
    else:
        before = _image_figures(moving, fixed)
        after = _image_figures(warp(moving, field), fixed)
    before[FOLDED, ''] = 0.0
    after[FOLDED, ''] = folding_statistics(voxels).folded_percent
    group = pair.group or pair.name
    return PairFigures(pair.name, group, pair.units, before, after)


def _label_figures(
    pair: TrainingPair, voxels: NDArray[np.float32]
) -> tuple[dict[Key, float], dict[Key, float]]:
    spacing = pair.spacing or (1.0,) * pair.fixed.ndim
    grid = Grid.from_spacing(pair.fixed.shape, spacing, units=pair.units)
    moving, fixed = pair.moving_labels, pair.fixed_labels
    assert moving is not None  # the caller asked
    assert fixed is not None
    if not (moving.any() or fixed.any()):
        return {}, {}
    table = evaluate(moving, fixed, DisplacementField(voxels, grid), grid=grid)
    rows = [*table.rows, *([table.mean] if len(table.rows) > 1 else [])]
    before: dict[Key, float] = {}
    after: dict[Key, float] = {}
    for row in rows:
        for name in (DSC, HD, ASD):
            key, stem = (name, str(row.label)), name.lower()
            before[key] = _number(getattr(row, f'{stem}_before'))
            after[key] = _number(getattr(row, f'{stem}_after'))
    return before, after


def _number(value: float | None) -> float:
    return float('nan') if value is None else float(value)


def _image_figures(image: Tensor, fixed: Tensor) -> dict[Key, float]:
    a, b = image.double().flatten(), fixed.double().flatten()
    mse = float((a - b).square().mean())
    a, b = a - a.mean(), b - b.mean()
    norms = float(a.norm() * b.norm())
    correlation = float(a @ b) / norms if norms > 0 else float('nan')
    return {(MSE, ''): mse, (NCC, ''): correlation}
