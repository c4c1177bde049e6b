"""One front door for image files.

To add a format, write its reader in a file of its own and add a line to
`READERS`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from napari_adacs.errors import InputError
from napari_adacs.io.nifti import read_volume
from napari_adacs.io.npy import read_npy, read_npz
from napari_adacs.io.volume import Volume

READERS: dict[str, Callable[[Path], Volume]] = {
    '.nii': read_volume,
    '.nii.gz': read_volume,
    '.npy': read_npy,
    '.npz': read_npz,
}


def find_reader(
    path: str | os.PathLike[str],
) -> Callable[[Path], Volume] | None:
    """Return the reader for a file name, or None; no file is opened."""
    name = Path(path).name.lower()
    matches = [suffix for suffix in READERS if name.endswith(suffix)]
    return READERS[max(matches, key=len)] if matches else None


def read_image(path: str | os.PathLike[str]) -> Volume:
    """Read an image or segmentation of any format in `READERS`.

    Parameters
    ----------
    path : path-like
        The file; its suffix says which format it has.

    Returns
    -------
    Volume
        Data ([T, Z,] Y, X) and the grid of one frame.

    Raises
    ------
    InputError
        If the format is not read, or the file cannot be used.
    """
    file = Path(path).expanduser()
    reader = find_reader(file)
    if reader is None:
        known = ', '.join(sorted(READERS))
        raise InputError(
            f'{file.name} is not a kind of file that is read here.',
            f'Use one of {known}.',
        )
    return reader(file)
