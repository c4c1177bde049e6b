"""Rows as CSV and Markdown."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence

import numpy as np

from napari_adacs.io.atomic import atomic_path

Cell = float | str | None


def write_csv(
    path: str | os.PathLike[str], records: Sequence[Mapping[str, Cell]]
) -> None:
    """Write records as UTF-8 CSV, all of it or nothing.

    Numbers are written with all their digits, None as an empty cell and NaN
    as 'nan'.

    Parameters
    ----------
    path : path-like
        File to make or replace.
    records : sequence of mapping
        Rows with the same keys, which become the header.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    with (
        atomic_path(path) as temporary,
        temporary.open('w', encoding='utf-8', newline='') as stream,
    ):
        writer = csv.DictWriter(stream, list(records[0]))
        writer.writeheader()
        writer.writerows(records)


def markdown_table(
    records: Sequence[Mapping[str, Cell]], digits: Mapping[str, int]
) -> str:
    """Return records as a GitHub Markdown table.

    Parameters
    ----------
    records : sequence of mapping
        Rows with the same keys, which become the header.
    digits : mapping of str to int
        Decimals of the numbers in a column.
    """
    heads = list(records[0])
    numeric = [head in digits for head in heads]
    lines = [
        _line(heads),
        _line(['---:' if right else ':---' for right in numeric]),
    ]
    lines += [
        _line([_text(record[head], digits.get(head)) for head in heads])
        for record in records
    ]
    return '\n'.join(lines) + '\n'


def tab_separated_rows(records: Sequence[Mapping[str, Cell]]) -> str:
    """Return records as spreadsheets paste them, with all digits.

    Parameters
    ----------
    records : sequence of mapping
        Rows with the same keys, which become the header.
    """
    lines = ['\t'.join(records[0])] if records else []
    lines += ['\t'.join(map(_pasted, row.values())) for row in records]
    return '\n'.join(lines) + '\n'


def _pasted(value: Cell) -> str:
    if value is None:
        return ''
    return value if isinstance(value, str) else repr(value)


def _line(cells: Sequence[str]) -> str:
    return f'| {" | ".join(cells)} |'


def _text(value: Cell, digits: int | None) -> str:
    if value is None:
        return '–'
    if isinstance(value, str) or digits is None:
        return str(value).replace('|', '\\|').replace('\n', ' ')
    return '–' if np.isnan(value) else f'{value:.{digits}f}'
