"""The papers' table: a row per method, the best and second best marked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_adacs.benchmark.method import UNREGISTERED
from napari_adacs.benchmark.results import (
    ASD,
    DSC,
    ERROR,
    FOLDED,
    HD,
    SECONDS,
    SMOOTH,
    Label,
    Metric,
    Results,
)
from napari_adacs.evaluation.before_after import Preset
from napari_adacs.evaluation.statistics import summarise


@dataclass(frozen=True)
class Entry:
    """A cell: a text, and its place if it is the best (1) or second (2)."""

    text: str
    place: int = 0


@dataclass(frozen=True)
class SummaryTable:
    """One table.

    Parameters
    ----------
    title : str
        What it is about.
    heads : tuple of str
        Headings; the first is that of the methods.
    rows : tuple of tuple of Entry
        A row per method.
    notes : tuple of str
        What to know before reading it.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    notes: tuple[str, ...]


def summary_table(
    results: Results,
    label: Label | None,
    preset: Preset = 'default',
    name: str = '',
) -> SummaryTable:
    """Lay out the means of one label, or of a benchmark without labels.

    Parameters
    ----------
    results : Results
        All records.
    label : int, 'mean' or None
        The label; None where no case has any.
    preset : {'default', 'code'}, default: 'default'
        Rules of overlap and distances.
    name : str, default: ''
        Name of the label.
    """
    metrics = [*([] if label is None else [DSC, HD, ASD])]
    metrics += [ERROR] if results.knows_truth else []
    metrics += [FOLDED, SMOOTH, SECONDS]
    columns = [_column(results, m, label or 'mean', preset) for m in metrics]
    counts = [_counts(results, m, label, preset) for m in results.methods]
    rows = tuple(
        (Entry(method), *cells, Entry(count))
        for method, count, *cells in zip(
            results.methods, counts, *columns, strict=True
        )
    )
    unit = _unit(results, preset)
    heads = [
        m.heading + (f' ({unit})' if m.is_length else '') + _arrow(m)
        for m in metrics
    ]
    return SummaryTable(
        _title(label, preset, name),
        ('method', *heads, 'cases'),
        rows,
        _notes(results, label, preset),
    )


def _column(
    results: Results, metric: Metric, label: Label, preset: Preset
) -> list[Entry]:
    """Return the cells of a metric, marked."""
    texts, figures = [], []
    for method in results.methods:
        found = summarise(results.values(metric, method, label, preset))
        figure = found.median if metric is SECONDS else found.mean
        # Marked as printed: what looks the same is the same.
        figures.append(round(figure, metric.digits) if found.n else np.nan)
        text = f'{figure:.{metric.digits}f}' if found.n else '–'
        if metric not in (FOLDED, SECONDS) and found.n > 1:
            text += f' ± {found.sd:.{metric.digits}f}'
        texts.append(text)
    places = _places(figures, metric, results.methods)
    return [Entry(*cell) for cell in zip(texts, places, strict=True)]


def _places(
    figures: list[float], metric: Metric, methods: list[str]
) -> list[int]:
    """Return 1 for the best, 2 for the second best, 0 for the others.

    Doing nothing folds nothing and takes no time: it does not compete.
    """
    if not metric.better:
        return [0] * len(figures)
    competing = {
        figure
        for figure, method in zip(figures, methods, strict=True)
        if method != UNREGISTERED and not np.isnan(figure)
    }
    order = sorted(competing, reverse=metric.better == 'high')[:2]
    return [
        0
        if method == UNREGISTERED or figure not in order
        else 1 + order.index(figure)
        for figure, method in zip(figures, methods, strict=True)
    ]


def _counts(
    results: Results, method: str, label: Label | None, preset: Preset
) -> str:
    """Say how many cases are in a row, and what is wrong with how many."""
    if label is None:
        used = np.isfinite(results.values(FOLDED, method)).sum()
        return str(int(used))
    used = np.isfinite(results.values(DSC, method, label, preset)).sum()
    flagged = results.flagged(method, label, preset)
    return f'{int(used)}' + (f' ({flagged} flagged)' if flagged else '')


def _title(label: Label | None, preset: Preset, name: str) -> str:
    rules = " (rules of the authors' script)" if preset == 'code' else ''
    if label is None:
        return 'All cases'
    if label == 'mean':
        return f'Mean over labels{rules}'
    return f'Label {label}{f", {name}" if name else ""}{rules}'


def _notes(
    results: Results, label: Label | None, preset: Preset
) -> tuple[str, ...]:
    notes = [
        (
            'Mean ± sample SD over cases; seconds are the median of one '
            'registration without loading. Best in bold, second best marked; '
            "'unregistered' does not compete."
        )
    ]
    if label is not None:
        notes.append(
            'Flagged cases have an empty mask; they are left out, as in the '
            "authors' tables."
            if preset == 'code'
            else 'Flagged cases have an empty mask; they count with DSC 0 '
            'and the diagonal of the image as distance.'
        )
    failed = {
        m: sum(r['method'] == m for r in results.failed)
        for m in results.methods
    }
    notes += [
        f'{method} failed for {n} of {len(results.cases)} cases, which are '
        'not in its means.'
        for method, n in failed.items()
        if n
    ]
    return tuple(notes)


def _unit(results: Results, preset: Preset) -> str:
    if preset == 'code' or results.units == 'voxel':
        return 'px'
    return results.units


def _arrow(metric: Metric) -> str:
    return {'high': ' ↑', 'low': ' ↓', '': ''}[metric.better]
