"""Where cases come from: one name on the command line, several kinds."""

from __future__ import annotations

from pathlib import Path

from napari_adacs.benchmark.case import CaseSource
from napari_adacs.benchmark.file_cases import FileCases
from napari_adacs.benchmark.mat_cases import MatCases
from napari_adacs.benchmark.phantom_cases import PhantomCases, is_phantom
from napari_adacs.errors import InputError


def open_cases(data: str, ndim: int = 2) -> CaseSource:
    """Find the cases behind a name.

    Parameters
    ----------
    data : str
        Folder of .mat pairs, phantoms such as ``phantom:10``, or anything
        `find_pairs` takes: a folder, table or pattern of image files.
    ndim : {2, 3}, default: 2
        Number of axes of phantoms.

    Raises
    ------
    InputError
        If there are no cases.
    """
    if is_phantom(data):
        return PhantomCases(data, ndim)
    root = Path(data).expanduser()
    if next(root.glob('*.mat'), None) is not None:
        return MatCases(root)
    for below in ('test', 'val'):
        if list(root.glob(f'{below}/*.mat')):
            raise InputError(
                f"There are no pairs of images in '{data}' itself.",
                f"Do you mean '{data}/{below}'?",
            )
    return FileCases(data)


def chosen_names(source: CaseSource, limit: int | None) -> list[str]:
    """Return all names, or `limit` of them evenly spread over the list.

    Evenly, because neighbours are often slices of one patient.
    """
    names = source.names
    if limit is None or limit >= len(names):
        return names
    step = len(names) / limit
    return [names[int(i * step)] for i in range(limit)]
