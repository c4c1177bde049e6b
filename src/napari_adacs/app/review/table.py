"""The review as a table."""

from __future__ import annotations

import csv
import io
import os
from typing import TYPE_CHECKING

import numpy as np

from napari_adacs.app.review.verdicts import NOTHING, Judgement, Place
from napari_adacs.io.atomic import atomic_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_adacs.evaluation.slices import SliceFigures


def review_rows(
    figures: Sequence[SliceFigures],
    judgements: Mapping[Place, Judgement],
    axes: Sequence[int],
) -> list[dict[str, object]]:
    """Return one record per slice along each of the axes.

    Parameters
    ----------
    figures : sequence of SliceFigures
        The slices along every axis.
    judgements : mapping of (axis, index) to Judgement
        What was decided.
    axes : sequence of int
        Which axes to list.

    Returns
    -------
    list of dict
        axis, slice, verdict, note, changed, suspicion (0 to 100), and the
        figure and the deviation of every component; None where a slice has
        none.
    """
    rows: list[dict[str, object]] = []
    for axis in axes:
        along = figures[axis]
        for index in range(len(along)):
            said = judgements.get((axis, index), NOTHING)
            row: dict[str, object] = {
                'axis': axis,
                'slice': index,
                'verdict': '' if said.verdict is None else said.verdict.value,
                'note': said.note,
                'changed': said.at,
                'suspicion': round(100 * float(along.suspicion[index]), 2),
            }
            for component in along.components:
                value = float(component.values[index])
                known = value if np.isfinite(value) else None
                row[component.name] = known
                deviation = float(component.deviations[index])
                row[f'{component.name} deviation'] = round(deviation, 4)
            rows.append(row)
    return rows


def save_review_table(
    path: str | os.PathLike[str], rows: Sequence[Mapping[str, object]]
) -> None:
    """Write records as CSV, atomically.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator='\n')
    writer.writeheader()
    writer.writerows({k: _cell(v) for k, v in row.items()} for row in rows)
    with atomic_path(path) as temporary:
        temporary.write_text(text.getvalue(), encoding='utf-8', newline='')


def _cell(value: object) -> object:
    """Return a cell; a note must not become a formula in a spreadsheet."""
    if isinstance(value, str) and value[:1] in ('=', '+', '-', '@'):
        return f"'{value}"
    return value


def axes_reviewed(
    judgements: Mapping[Place, Judgement], default: int
) -> list[int]:
    """Return the axes along which something was decided, or the default."""
    axes = sorted({axis for axis, _ in judgements})
    return axes or [default]
