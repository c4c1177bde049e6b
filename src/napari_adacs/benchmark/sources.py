"""Where cases come from: one name on the command line, several kinds.

To add a kind, write its source in a file of its own and a line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari_adacs.benchmark.case import CaseSource
from napari_adacs.benchmark.mat_cases import MatCases
from napari_adacs.benchmark.nifti_cases import NiftiCases
from napari_adacs.benchmark.phantom_cases import PREFIX, PhantomCases
from napari_adacs.errors import InputError

# What a folder must hold, and how its cases are read; the first that fits.
KINDS: tuple[tuple[str, Callable[[Path], CaseSource]], ...] = (
    ('*.mat', MatCases),
    ('**/*.nii', NiftiCases),
    ('**/*.nii.gz', NiftiCases),
)


def open_cases(data: str, ndim: int = 2) -> CaseSource:
    """Find the cases behind a name.

    Parameters
    ----------
    data : str
        Folder of .mat pairs, folder of NIfTI pairs, or ``phantom:N``.
    ndim : {2, 3}, default: 2
        Number of axes of phantoms.

    Raises
    ------
    InputError
        If there are no cases.
    """
    if data.startswith(PREFIX):
        return PhantomCases(data, ndim)
    root = Path(data).expanduser().resolve()
    if not root.is_dir():
        raise InputError(
            f"There is no folder '{data}'.",
            f'Give a folder of .mat or NIfTI pairs, or {PREFIX}N.',
        )
    for pattern, source in KINDS:
        if next(root.glob(pattern), None) is not None:
            return source(root)
    below = [
        name for name in ('test', 'val') if list(root.glob(f'{name}/*.mat'))
    ]
    raise InputError(
        f"There are no pairs of images in '{data}'.",
        f"Do you mean '{data}/{below[0]}'?"
        if below
        else 'Give a folder of .mat or NIfTI pairs.',
    )


def chosen_names(source: CaseSource, limit: int | None) -> list[str]:
    """Return all names, or `limit` of them evenly spread over the list.

    Evenly, because neighbours are often slices of one patient.
    """
    names = source.names
    if limit is None or limit >= len(names):
        return names
    step = len(names) / limit
    return [names[int(i * step)] for i in range(limit)]
