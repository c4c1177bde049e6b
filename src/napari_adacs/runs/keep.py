"""Offering the model of a run to everything that registers."""

from __future__ import annotations

from pathlib import Path

from napari_adacs.errors import InputError
from napari_adacs.models.library import ModelEntry
from napari_adacs.models.storing import store_bundle
from napari_adacs.runs.outcome import bundle_of


def keep(folder: str | Path, name: str = '') -> ModelEntry:
    """Copy the model of a run to the user's model folder.

    Parameters
    ----------
    folder : str or Path
        Folder of the run, which may still go on.
    name : str, default: ''
        What it is called there, by default as in the configuration; with a
        number if that is taken.

    Returns
    -------
    ModelEntry
        The model, as `list_models` shows it from now on.

    Raises
    ------
    InputError, ModelError
        If there is no model yet, or it cannot be written.
    """
    bundle = bundle_of(Path(folder))
    if bundle is None:
        raise InputError(
            f'{Path(folder).name} has no model yet.',
            'Stop it, or wait for the end or the first validation of the '
            'last stage.',
        )
    return store_bundle(bundle, name)
