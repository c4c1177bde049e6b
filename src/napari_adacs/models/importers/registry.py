"""The formats of checkpoints, and how one is recognised.

To add a format, write its file and add one line here. A format is a function
that looks at names and shapes and returns a `Found`, None if it is none of
its own, or raises a `ModelError` if it is but cannot be represented.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari_adacs.errors import ModelError
from napari_adacs.models.importers.containers import open_checkpoint
from napari_adacs.models.importers.contents import Contents
from napari_adacs.models.importers.diffusemorph import find_diffusemorph
from napari_adacs.models.importers.estimators import find_estimator
from napari_adacs.models.importers.found import Found, cannot
from napari_adacs.models.importers.keras2018 import find_keras2018
from napari_adacs.models.importers.keras_dense import find_keras_dense
from napari_adacs.models.importers.strangers import refusal
from napari_adacs.models.importers.transmorph import find_transmorph
from napari_adacs.models.importers.voxelmorph import find_voxelmorph
from napari_adacs.models.importers.voxelmorph_strided import (
    find_voxelmorph_strided,
)
from napari_adacs.models.importers.vxm_pairwise import find_vxm_pairwise

FORMATS: tuple[Callable[[Contents], Found | None], ...] = (
    find_voxelmorph,
    find_estimator,
    find_voxelmorph_strided,
    find_vxm_pairwise,
    find_transmorph,
    find_diffusemorph,
    find_keras_dense,
    find_keras2018,
)

# What looking for a layer that should be there ends in, if it is not.
_CONTRADICTIONS = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    StopIteration,
    RecursionError,
)


def inspect_checkpoint(path: str | Path) -> Found:
    """Say what a public checkpoint is, without reading its weights.

    Parameters
    ----------
    path : str or Path
        The file; its name does not matter.

    Returns
    -------
    Found
        Family, dimension, options; `Found.sentences` in words.

    Raises
    ------
    ModelError
        If it is damaged, hostile, or none of the known networks.
    """
    contents = open_checkpoint(Path(path).expanduser())
    try:
        for find in FORMATS:
            found = find(contents)
            if found is not None:
                return found
    except ModelError:
        raise  # it is a ValueError too
    except _CONTRADICTIONS as error:
        raise cannot(
            contents, 'its names and shapes contradict each other'
        ) from error
    raise refusal(contents)
