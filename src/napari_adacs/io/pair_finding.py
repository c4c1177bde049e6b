"""One name on the command line, several ways to list pairs of files."""

from __future__ import annotations

from pathlib import Path

from napari_adacs.errors import InputError
from napari_adacs.io.pair_files import PairFiles
from napari_adacs.io.pair_manifest import read_manifest
from napari_adacs.io.pair_names import HINT, find_by_names
from napari_adacs.io.pair_pattern import find_by_pattern, is_pattern


def find_pairs(data: str) -> list[PairFiles]:
    """List the pairs of image files behind a name.

    Parameters
    ----------
    data : str
        A table (``.csv``, see `read_manifest`), a pattern (with
        ``{ED>ES}``, see `find_by_pattern`) or a folder (see
        `find_by_names`).

    Raises
    ------
    InputError
        If it is none of these, or there are no pairs.
    """
    if is_pattern(data):
        return find_by_pattern(data)
    path = Path(data).expanduser()
    if path.suffix.lower() in ('.csv', '.tsv'):
        return read_manifest(path)
    if not path.is_dir():
        raise InputError(
            f"There is no folder or table '{data}'.",
            'Give a folder of pairs, a .csv table or a pattern.',
        )
    pairs = find_by_names(path)
    if not pairs:
        raise InputError(f"'{data}' holds no pairs of images.", HINT)
    return pairs
