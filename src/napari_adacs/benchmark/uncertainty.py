"""What the maps of the models are worth: tables and curves over cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.benchmark.curve_plot import Curve, curve_plot
from napari_adacs.benchmark.results import Results
from napari_adacs.benchmark.score import BINS, CURVE_POINTS
from napari_adacs.benchmark.summary import Entry, SummaryTable
from napari_adacs.evaluation.statistics import summarise

# What a map is judged by, and what that is called.
TARGETS = {
    'residual': 'squared residual of the intensities',
    'displacement': 'true displacement error',
}
_MAPS = {'variance': 'variance', 'score': '1 − score'}
_MEASURES = {
    'ause': ('AUSE ↓', 'low'),
    'aurg': ('AURG ↑', 'high'),
    'spearman': ('Spearman ↑', 'high'),
    'pearson': ('Pearson ↑', 'high'),
}
_CALIBRATION = {
    'ece': 'ECE',
    'ence': 'ENCE',
    'slope': 'slope',
    'scale': 'scale',
    'coverage': 'within 1 SD',
}

_MAP_NOTE = (
    'Mean ± sample SD over cases, inside the sector or, where none is known, '
    'where the fixed image is brighter than its minimum. AUSE and AURG depend '
    'on the size of the error, so compare maps of one model by them, and '
    'models by the correlations.'
)
_CALIBRATION_NOTE = (
    'Perfect: ECE and ENCE 0, slope and scale 1, 0.683 within one standard '
    'deviation. A scale above 1 is overconfident.'
)


@dataclass(frozen=True, eq=False)
class MapScores:
    """The scores of one map of one method, over cases."""

    method: str
    name: str
    cases: list[dict[str, Any]]

    @property
    def title(self) -> str:
        """What it is called in tables and legends."""
        return f'{self.method}, {_MAPS[self.name]}'


def judged_maps(results: Results) -> list[MapScores]:
    """Return all maps that were scored."""
    found = [
        MapScores(method, name, results.maps(method, name))
        for method in results.methods
        for name in _MAPS
    ]
    return [scores for scores in found if scores.cases]


def map_table(maps: list[MapScores], target: str) -> SummaryTable | None:
    """Return how well the maps follow one target; None without it."""
    maps = [m for m in maps if any(target in case for case in m.cases)]
    if not maps:
        return None
    columns = [
        _marked(
            [_column(m.cases, target, measure) for m in maps], better == 'high'
        )
        for measure, (_, better) in _MEASURES.items()
    ]
    rows = tuple(
        (Entry(m.title), *cells, Entry(str(len(m.cases))))
        for m, *cells in zip(maps, *columns, strict=True)
    )
    heads = [heading for heading, _ in _MEASURES.values()]
    return SummaryTable(
        f'Maps against the {TARGETS[target]}',
        ('map', *heads, 'cases'),
        rows,
        (_MAP_NOTE,),
    )


def calibration_table(maps: list[MapScores]) -> SummaryTable | None:
    """Return how right the variances are; None without any."""
    maps = [m for m in maps if m.name == 'variance']
    if not maps:
        return None
    rows = tuple(
        (
            Entry(m.method),
            *(
                Entry(_text(_column(m.cases, 'calibration', measure)))
                for measure in _CALIBRATION
            ),
            Entry(str(len(m.cases))),
        )
        for m in maps
    )
    return SummaryTable(
        'Calibration of the variance',
        ('model', *_CALIBRATION.values(), 'cases'),
        rows,
        (_CALIBRATION_NOTE,),
    )


def sparsification_plot(maps: list[MapScores], target: str) -> str | None:
    """Draw mean sparsification curves and oracles; None without target."""
    curves = list(_sparsification_curves(maps, target))
    if not curves:
        return None
    return curve_plot(
        f'Sparsification by the {TARGETS[target]}',
        'fraction removed, most uncertain first (dashed: oracle)',
        'mean error of the rest',
        curves,
    )


def calibration_plot(maps: list[MapScores]) -> str | None:
    """Draw observed against predicted error; None without variances."""
    curves = []
    for colour, m in enumerate(m for m in maps if m.name == 'variance'):
        full = [
            case['calibration']
            for case in m.cases
            if len(case['calibration']['predicted']) == BINS
        ]
        if full:
            x, y = (
                _mean_curve([c[key] for c in full])
                for key in ('predicted', 'observed')
            )
            curves.append(Curve(m.method, x, y, colour, dots=True))
    if not curves:
        return None
    most = max(float(max(c.x.max(), c.y.max())) for c in curves)
    ends = np.array([0.0, most])
    curves.append(Curve('perfect', ends, ends, 6, dashed=True))
    return curve_plot(
        'Calibration of the variance, mean of cases by bin',
        'predicted root mean square residual',
        'observed',
        curves,
    )


def _sparsification_curves(
    maps: list[MapScores], target: str
) -> Iterator[Curve]:
    x = np.linspace(0, 1, CURVE_POINTS)
    for colour, m in enumerate(maps):
        cases = [case[target] for case in m.cases if target in case]
        if cases:
            yield Curve(
                m.title, x, _mean_curve([c['curve'] for c in cases]), colour
            )
            oracle = _mean_curve([c['oracle'] for c in cases])
            yield Curve('', x, oracle, colour, dashed=True)


def _column(
    cases: list[dict[str, Any]], group: str, measure: str
) -> NDArray[np.float64]:
    values = [case[group][measure] for case in cases if group in case]
    return np.array([np.nan if v is None else v for v in values], float)


def _marked(columns: list[NDArray[np.float64]], high: bool) -> list[Entry]:
    """Return mean ± SD of each column, best and second best marked."""
    figures = [round(summarise(column).mean, 4) for column in columns]
    order = sorted({f for f in figures if not np.isnan(f)}, reverse=high)[:2]
    return [
        Entry(_text(column), 1 + order.index(f) if f in order else 0)
        for column, f in zip(columns, figures, strict=True)
    ]


def _text(column: NDArray[np.float64]) -> str:
    found = summarise(column)
    if not found.n:
        return '–'
    sd = f' ± {found.sd:.4f}' if found.n > 1 else ''
    return f'{found.mean:.4f}{sd}'


def _mean_curve(curves: list[list[float]]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = np.mean(np.asarray(curves, float), axis=0)
    return mean
