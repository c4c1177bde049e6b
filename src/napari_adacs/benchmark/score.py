"""Every number of one case by one method, as plain JSON values."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.benchmark.case import Case
from napari_adacs.benchmark.method import Outcome
from napari_adacs.evaluation.before_after import Preset
from napari_adacs.evaluation.calibration import (
    calibration,
    endpoint_error,
    map_correlation,
)
from napari_adacs.evaluation.folding import folding_statistics
from napari_adacs.evaluation.metrics import PAIRED, VOLUMES, LabelMetrics
from napari_adacs.evaluation.report import Evaluation, evaluate
from napari_adacs.evaluation.sparsification import sparsification

Scores = dict[str, Any]
FloatMap = NDArray[np.floating]

PRESETS: tuple[Preset, ...] = ('default', 'code')
CURVE_POINTS = 51
BINS = 20


def score(case: Case, outcome: Outcome) -> Scores:
    """Measure an outcome.

    Parameters
    ----------
    case : Case
        The case, with labels or a true displacement where it has them.
    outcome : Outcome
        What a method found.

    Returns
    -------
    dict
        'units' and 'spacing'; 'labels' by preset: a list of rows, the mean
        last; 'folding'; 'maps' by name; 'displacement_error' where the
        truth is known. Undefined numbers are None.
    """
    field = outcome.field
    grid = case.fixed.grid
    scores: Scores = {
        'units': grid.units,
        'spacing': list(grid.spacing),
        'labels': {},
        'folding': asdict(folding_statistics(field.voxels)),
        'maps': {},
    }
    if case.moving_labels is not None and case.fixed_labels is not None:
        scores['labels'] = {
            preset: _label_rows(_evaluated(case, outcome, preset))
            for preset in PRESETS
            if case.moving_labels.any() or case.fixed_labels.any()
        }
    error = None
    if case.truth is not None:
        error = endpoint_error(field.voxels, case.truth, grid.spacing)
        scores['displacement_error'] = _error_scores(error, case)
    if outcome.residual is not None:
        scores['maps'] = {
            name: _map_scores(name, values, outcome.residual, error, case)
            for name, values in outcome.maps.items()
        }
    cleaned: Scores = _plain(scores)
    return cleaned


def _evaluated(case: Case, outcome: Outcome, preset: Preset) -> Evaluation:
    assert case.moving_labels is not None  # the caller asked
    assert case.fixed_labels is not None
    return evaluate(
        case.moving_labels,
        case.fixed_labels,
        outcome.field,
        grid=case.fixed.grid,
        moving_grid=case.moving.grid,
        preset=preset,
    )


def _label_rows(found: Evaluation) -> list[Scores]:
    return [_label_row(row) for row in (*found.rows, found.mean)]


def _label_row(row: LabelMetrics) -> Scores:
    numbers = {stem: getattr(row, f'{stem}_after') for stem in PAIRED}
    volumes = {
        f'volume_{which}': getattr(row, f'volume_{which}') for which in VOLUMES
    }
    return {
        'label': row.label,
        **numbers,
        **volumes,
        'flags': list(row.flags),
    }


def _error_scores(error: FloatMap, case: Case) -> Scores:
    """Return the mean endpoint error, all over and per label."""
    region = case.region
    scores = {
        'mean': float(error[region].mean()),
        'p95': float(np.percentile(error[region], 95)),
    }
    if case.fixed_labels is not None:
        for label in np.unique(case.fixed_labels):
            if label != 0:
                inside = case.fixed_labels == label
                scores[f'label {label}'] = float(error[inside].mean())
    return scores


def _map_scores(
    name: str,
    values: FloatMap,
    residual: FloatMap,
    error: FloatMap | None,
    case: Case,
) -> Scores:
    """Judge a map by the residual, and by the true error if it is known."""
    doubt = 1 - values if name == 'score' else values
    region = case.region
    scores: Scores = {'residual': _against(doubt, residual**2, region)}
    if error is not None:
        scores['displacement'] = _against(doubt, error, region)
    if name == 'variance':
        found = calibration(values, residual, mask=region, bins=BINS)
        scores['calibration'] = {
            key: value.tolist() if isinstance(value, np.ndarray) else value
            for key, value in vars(found).items()
        }
    return scores


def _against(
    doubt: FloatMap, error: FloatMap, region: NDArray[np.bool_]
) -> Scores:
    curves = sparsification(error, doubt, mask=region)
    followed = map_correlation(doubt, error, mask=region)
    thin = curves.thinned(CURVE_POINTS)
    return {
        'ause': curves.ause,
        'aurg': curves.aurg,
        'random': curves.random,
        'curve': thin.curve.tolist(),
        'oracle': thin.oracle.tolist(),
        'spearman': followed.spearman,
        'pearson': followed.pearson,
    }


def _plain(value: Any) -> Any:
    """Return what JSON can hold; None for NaN and infinity."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
