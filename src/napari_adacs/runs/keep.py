"""Offering the model of a run to everything that registers."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from napari_adacs.errors import InputError
from napari_adacs.models.library import ModelEntry, list_models
from napari_adacs.models.storing import store_bundle
from napari_adacs.runs.files import KEPT, read_json, write_json
from napari_adacs.runs.outcome import bundle_of


def keep(folder: str | Path, name: str = '') -> ModelEntry:
    """Copy the model of a run to the user's model folder.

    A model that was copied before is not copied again, unless training has
    changed it since, or another name is given.

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
    folder = Path(folder)
    bundle = bundle_of(folder)
    if bundle is None:
        raise InputError(
            f'{folder.name} has no model yet.',
            'Stop it, or wait for the end or the first validation of the '
            'last stage.',
        )
    before = kept_entry(folder)
    if before is not None and name in ('', before.name):
        return before
    entry = store_bundle(bundle, name)
    with contextlib.suppress(OSError):
        write_json(folder / KEPT, {'name': entry.name, **_stamp(bundle)})
    return entry


def kept_entry(folder: Path) -> ModelEntry | None:
    """Return the user's copy of the present model of a run, if any."""
    values, bundle = read_json(folder / KEPT), bundle_of(folder)
    if values is None or bundle is None:
        return None
    name = values.pop('name', '')
    if values != _stamp(bundle):
        return None
    mine = (entry for entry in list_models() if entry.source == 'user')
    return next((entry for entry in mine if entry.name == name), None)


def _stamp(bundle: Path) -> dict[str, Any]:
    found = bundle.stat()
    return {
        'file': bundle.name,
        'time': found.st_mtime_ns,
        'size': found.st_size,
    }
