"""The table of metrics as people read it, in the window and the shell."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_adacs.errors import InputError
from napari_adacs.evaluation.tables import (
    Cell,
    markdown_table,
    tab_separated_rows,
    write_csv,
)
from napari_adacs.io.atomic import atomic_path

if TYPE_CHECKING:
    from napari_adacs.evaluation.metrics import LabelMetrics
    from napari_adacs.evaluation.report import Evaluation

# Attribute stem, heading, digits, whether it is a length.
_COLUMNS = (
    ('dsc', 'DSC', 3, False),
    ('hd', 'HD', 1, True),
    ('hd95', 'HD95', 1, True),
    ('asd', 'ASD', 2, True),
)
MEANINGS = {
    'Label': 'Value of the label; the last row is the mean over all labels.',
    'DSC': 'Dice similarity coefficient: 1 where both agree everywhere.',
    'HD': 'Hausdorff distance: the largest distance of the two surfaces.',
    'HD95': 'Larger one of the two directed 95th percentiles.',
    'ASD': 'Mean distance from the fixed surface to the other.',
}
NOTHING = '–'
_SUFFIXES = ('.csv', '.md')
ARROW = ' → '


@dataclass(frozen=True)
class MetricTable:
    """Cells of a table, as text.

    Parameters
    ----------
    headers : tuple of str
        Headings, with units.
    meanings : tuple of str
        What each column is.
    rows : tuple of tuple of str
        One per label, then the mean; cells are 'before → after'.
    notes : tuple of str
        What to know about each row; '' for nothing.
    """

    headers: tuple[str, ...]
    meanings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def metric_table(evaluation: Evaluation) -> MetricTable:
    """Lay out an evaluation as a table of text."""
    unit = 'mm' if evaluation.units == 'mm' else 'voxels'
    headers = [
        f'{heading} ({unit})' if is_length else heading
        for _, heading, _, is_length in _COLUMNS
    ]
    rows = (*evaluation.rows, evaluation.mean)
    return MetricTable(
        ('Label', *headers),
        (
            MEANINGS['Label'],
            *(MEANINGS[heading] for _, heading, _, _ in _COLUMNS),
        ),
        tuple(_cells(row) for row in rows),
        tuple(row.notes for row in rows),
    )


def folded_sentence(evaluation: Evaluation) -> str:
    """Say how much of the displacement folds; '' without one."""
    percent = evaluation.folded_percent
    return '' if percent is None else f'Folded voxels: {percent:.3g} %.'


def plain_text(evaluation: Evaluation) -> str:
    """Return the table and its remarks for a terminal."""
    table = metric_table(evaluation)
    lines = [table.headers, *table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [
        '  '.join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    return '\n'.join([*text, *remarks(evaluation)])


def remarks(evaluation: Evaluation, most: int = 5) -> list[str]:
    """Return what to know about a table, a sentence each.

    Parameters
    ----------
    evaluation : Evaluation
        The table.
    most : int, default: 5
        Number of labels to remark on; the others are counted.
    """
    noted = [
        f'Label {row.label}: {row.notes}.'
        for row in evaluation.rows
        if row.flags
    ]
    if len(noted) > most:
        noted[most:] = [f'{len(noted) - most} more labels have notes.']
    folded = folded_sentence(evaluation)
    return [*([folded] if folded else []), *noted, *evaluation.notes]


def check_table_name(path: str | os.PathLike[str]) -> None:
    """Check that a table can be written under a name.

    Raises
    ------
    InputError
        If it ends neither in .csv nor in .md.
    """
    if Path(path).suffix.lower() not in _SUFFIXES:
        raise InputError(
            f'A table cannot be written as {Path(path).name}.',
            f'End the name in {" or ".join(_SUFFIXES)}.',
        )


def save_table(path: str | os.PathLike[str], evaluation: Evaluation) -> None:
    """Write an evaluation as CSV or Markdown, as the name says.

    Raises
    ------
    InputError
        If the name ends otherwise or the file cannot be written.
    """
    check_table_name(path)
    if Path(path).suffix.lower() == '.csv':
        evaluation.to_csv(path)
        return
    _write(path, evaluation.to_markdown())


def save_records(
    path: str | os.PathLike[str],
    records: Sequence[Mapping[str, Cell]],
    digits: Mapping[str, int],
) -> None:
    """Write rows as CSV or Markdown, as the name says.

    Parameters
    ----------
    path : path-like
        File to make or replace.
    records : sequence of mapping
        Rows with the same keys.
    digits : mapping of str to int
        Decimals of columns of numbers in Markdown.

    Raises
    ------
    InputError
        If the name ends otherwise or the file cannot be written.
    """
    check_table_name(path)
    if Path(path).suffix.lower() == '.csv':
        write_csv(path, records)
        return
    _write(path, markdown_table(records, digits))


def _write(path: str | os.PathLike[str], text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def tab_separated(evaluation: Evaluation) -> str:
    """Return all records for the clipboard, as spreadsheets paste them."""
    return tab_separated_rows(evaluation.records())


def _cells(row: LabelMetrics) -> tuple[str, ...]:
    title = f'{row.label} {row.name}'.strip()
    cells = [title]
    for stem, _, digits, _ in _COLUMNS:
        before = _number(getattr(row, f'{stem}_before'), digits)
        after = _number(getattr(row, f'{stem}_after'), digits)
        cells.append(f'{before}{ARROW}{after}')
    return tuple(cells)


def _number(value: float | None, digits: int) -> str:
    if value is None or np.isnan(value):
        return NOTHING
    return f'{value:.{digits}f}'
