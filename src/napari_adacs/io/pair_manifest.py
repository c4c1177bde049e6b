"""Pairs listed in a table."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping
from pathlib import Path

from napari_adacs.errors import InputError
from napari_adacs.io.pair_files import SPLITS, PairFiles

_NEEDED = ('moving', 'fixed')
COLUMNS = (
    *_NEEDED,
    'moving_labels',
    'fixed_labels',
    'moving_frame',
    'fixed_frame',
    'name',
    'patient',
    'split',
)


def read_manifest(path: str | Path) -> list[PairFiles]:
    """Read pairs from a table with a line for each.

    Parameters
    ----------
    path : str or Path
        CSV file with a heading. `moving` and `fixed` name image files,
        `moving_labels` and `fixed_labels` segmentations, relative to the
        file's folder; `moving_frame` and `fixed_frame` frames of sequences
        from 0; `name`, `patient` and `split` (train, val or test) may be
        given. Only `moving` and `fixed` are needed.

    Raises
    ------
    InputError
        If the table cannot be read, lacks a column, has one that is
        unknown, or a line that cannot be used.
    """
    file = Path(path).expanduser()
    try:
        text = file.read_text('utf-8-sig')
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f'{file.name} cannot be read as a table in UTF-8.',
            'Save it as CSV.',
        ) from error
    reader = csv.DictReader(text.splitlines(), delimiter=_delimiter(text))
    _check_columns(file.name, list(reader.fieldnames or []))
    pairs = [
        _pair(file, reader.line_num, row)
        for row in reader
        if any((value or '').strip() for value in _cells(row))
    ]
    if not pairs:
        raise InputError(f'{file.name} lists no pairs.')
    _check_names(file.name, pairs)
    return pairs


def _cells(row: Mapping[str | None, object]) -> list[str]:
    return [str(value) for value in row.values() if value is not None]


def _delimiter(text: str) -> str:
    heading = text.splitlines()[0] if text else ''
    return max(',;\t', key=heading.count)


def _check_columns(name: str, found: list[str]) -> None:
    for column in _NEEDED:
        if column not in found:
            raise InputError(
                f"{name} has no column '{column}'.",
                f'Columns are {", ".join(COLUMNS)}; the first two are needed.',
            )
    for column in found:
        if column not in COLUMNS:
            close = difflib.get_close_matches(column, COLUMNS, 1)
            guess = f"Did you mean '{close[0]}'? " if close else ''
            raise InputError(
                f"{name} has a column '{column}' that means nothing here.",
                f'{guess}Columns are {", ".join(COLUMNS)}.',
            )


def _pair(file: Path, line: int, row: Mapping[str, str | None]) -> PairFiles:
    value = {key: (row.get(key) or '').strip() for key in COLUMNS}
    where = f'Line {line} of {file.name}'
    for column in _NEEDED:
        if not value[column]:
            raise InputError(f"{where} has no '{column}'.")
    if value['split'] and value['split'] not in SPLITS:
        raise InputError(
            f"{where} has the split '{value['split']}'.",
            f'Use {", ".join(SPLITS)} or nothing.',
        )
    folder = file.parent

    def path(column: str) -> Path | None:
        return folder / value[column] if value[column] else None

    return PairFiles(
        value['name'] or f'{value["moving"]} → {value["fixed"]}',
        folder / value['moving'],
        folder / value['fixed'],
        path('moving_labels'),
        path('fixed_labels'),
        _frame(where, value['moving_frame']),
        _frame(where, value['fixed_frame']),
        value['patient'],
        value['split'],
    )


def _frame(where: str, text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        raise InputError(
            f"{where} has the frame '{text}'.", 'Frames are numbers from 0.'
        )
    return int(text)


def _check_names(table: str, pairs: list[PairFiles]) -> None:
    seen: set[str] = set()
    for pair in pairs:
        if pair.name in seen and pair.moving_frame is None:
            raise InputError(
                f"{table} lists '{pair.name}' twice.",
                "Remove one line, or give each a 'name' of its own.",
            )
        seen.add(pair.name)
