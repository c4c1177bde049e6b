"""The figures of a model card from registered pairs with labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.evaluation.overlap import dice
from napari_adacs.evaluation.statistics import bootstrap_interval
from napari_adacs.evaluation.surface import surface_distances
from napari_adacs.spatial.field import DisplacementField

_FAILURES = 3
_DIGITS = 4


@dataclass(frozen=True)
class CaseFigures:
    """What one pair gives.

    Parameters
    ----------
    name, patient : str
        Which pair, and whose.
    before, after : dict of int to dict of str to float
        DSC, HD and ASD in voxels of each label that both frames show.
    folded : float
        Percentage of voxels.
    """

    name: str
    patient: str
    before: Mapping[int, Mapping[str, float]]
    after: Mapping[int, Mapping[str, float]]
    folded: float


def case_figures(
    field: DisplacementField,
    moving_labels: NDArray[Any],
    fixed_labels: NDArray[Any],
    name: str,
    patient: str = '',
) -> CaseFigures:
    """Measure one pair.

    Parameters
    ----------
    field : DisplacementField
        What was found, on the grid of the labels.
    moving_labels, fixed_labels : (*shape) numpy.ndarray
        Labels; 0 is background.
    name : str
        Of the pair.
    patient : str, optional
        Pairs of one patient are alike; the name, if empty.
    """
    before, after = {}, {}
    for label in np.intersect1d(fixed_labels, moving_labels):
        if label == 0:
            continue
        fixed = fixed_labels == label
        mask = moving_labels == label
        # The papers cut warped masks at one half.
        warped = field.warp_image(mask.astype(np.float32)) >= 0.5
        before[int(label)] = _measures(fixed, mask)
        after[int(label)] = _measures(fixed, warped)
    folded = 100 * float((field.jacobian_determinant() <= 0).mean())
    return CaseFigures(name, patient or name, before, after, folded)


def overlap_figures(cases: Iterable[CaseFigures]) -> dict[str, Any]:
    """Summarise pairs for a model's header.

    Means are over pairs; 95 % bootstrap intervals are those of the means of
    patients. The pairs with the lowest mean DSC are named as failures.

    Parameters
    ----------
    cases : iterable of CaseFigures
        At least one.
    """
    found = list(cases)
    out: dict[str, Any] = {
        'cases': len(found),
        'patients': len({case.patient for case in found}),
        'units': 'voxels',
        'folded %': round(float(np.mean([c.folded for c in found])), 5),
    }
    labels = sorted({label for case in found for label in case.after})
    for measure in ('DSC', 'HD', 'ASD'):
        seen = {k: [c for c in found if k in c.after] for k in labels}
        out[f'{measure} before'] = {
            k: _mean([c.before[k][measure] for c in of_label])
            for k, of_label in seen.items()
        }
        out[measure] = {
            k: _mean([c.after[k][measure] for c in of_label])
            for k, of_label in seen.items()
        }
        out[f'{measure} 95% CI'] = {
            k: _interval(of_label, k, measure) for k, of_label in seen.items()
        }
    out['failures'] = _failures(found)
    return out


def _measures(
    fixed: NDArray[np.bool_], other: NDArray[np.bool_]
) -> dict[str, float]:
    distances = surface_distances(fixed, other)
    return {
        'DSC': dice(other, fixed),
        'HD': distances.hd,
        'ASD': distances.asd,
    }


def _failures(cases: list[CaseFigures]) -> list[dict[str, Any]]:
    labelled = [case for case in cases if case.after]
    worst = sorted(labelled, key=lambda c: (_mean_dsc(c.after), c.name))
    return [
        {
            'case': case.name,
            'DSC before': round(_mean_dsc(case.before), _DIGITS),
            'DSC': round(_mean_dsc(case.after), _DIGITS),
            'labels': {
                k: round(v['DSC'], _DIGITS) for k, v in case.after.items()
            },
            'folded %': round(case.folded, 5),
        }
        for case in worst[:_FAILURES]
    ]


def _mean_dsc(labels: Mapping[int, Mapping[str, float]]) -> float:
    return float(np.mean([values['DSC'] for values in labels.values()]))


def _interval(
    cases: list[CaseFigures], label: int, measure: str
) -> list[float]:
    patients: dict[str, list[float]] = {}
    for case in cases:
        value = case.after[label][measure]
        patients.setdefault(case.patient, []).append(value)
    interval = bootstrap_interval(
        [float(np.mean(v)) for v in patients.values()]
    )
    return [round(float(interval.low), 4), round(float(interval.high), 4)]


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), _DIGITS)
