"""Figures of two models on the same pairs, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_adacs.benchmark.fine_tuning import (
    ASD,
    HD,
    MEASURES,
    Key,
    PairFigures,
)
from napari_adacs.evaluation.statistics import wilcoxon_test
from napari_adacs.runs.outcome import Comparison


def compare(
    before: Sequence[PairFigures] | None, after: Sequence[PairFigures]
) -> list[Comparison]:
    """Compare the figures of two models.

    Parameters
    ----------
    before : sequence of PairFigures or None
        Of the first model; None compares with no registration.
    after : sequence of PairFigures
        Of the second model, of the same pairs in the same order.

    Returns
    -------
    list of Comparison
        A row per measure and label. Slices of one patient are no
        independent observations: the test is over means of patients.
    """
    keys = {key for figures in after for key in figures.registered}
    return [
        _row(key, before, after)
        for measure in MEASURES
        for key in sorted(keys, key=_order)
        if key[0] == measure
    ]


def _order(key: Key) -> tuple[bool, int, str]:
    label = key[1]
    return not label.isdecimal(), int(label) if label.isdecimal() else 0, label


def _row(
    key: Key,
    before: Sequence[PairFigures] | None,
    after: Sequence[PairFigures],
) -> Comparison:
    last = np.array([f.registered.get(key, np.nan) for f in after])
    plain = np.array([f.unregistered.get(key, np.nan) for f in after])
    first = (
        plain
        if before is None
        else np.array([f.registered.get(key, np.nan) for f in before])
    )
    both = np.isfinite(first) & np.isfinite(last)
    groups = np.array([figures.group for figures in after])[both]
    units = {figures.units for figures in after}
    unit = units.pop() if len(units) == 1 else 'voxel'
    return Comparison(
        *key,
        unit if key[0] in (HD, ASD) else '',
        _mean(plain[both]),
        _mean(first[both]),
        _mean(last[both]),
        int(both.sum()),
        len(set(groups.tolist())),
        _p(first[both], last[both], groups),
    )


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float('nan')


def _p(first: np.ndarray, last: np.ndarray, groups: np.ndarray) -> float:
    names = np.unique(groups)
    if names.size < 2:
        return float('nan')
    means = [
        [float(values[groups == name].mean()) for name in names]
        for values in (last, first)
    ]
    return wilcoxon_test(*means).p
