"""Bringing checkpoints and downloads into the user's model folder."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from napari_adacs.errors import CancelledError
from napari_adacs.io.atomic import atomic_path
from napari_adacs.models.bundle import (
    load_bundle,
    read_header,
    save_bundle,
    with_header,
)
from napari_adacs.models.catalogue import RemoteModel, find_remote
from napari_adacs.models.hub import fetch
from napari_adacs.models.importers.containers import is_checkpoint
from napari_adacs.models.importers.convert import (
    Told,
    checkpoint_header,
    import_checkpoint,
)
from napari_adacs.models.library import (
    ModelEntry,
    list_models,
    new_user_path,
)

Progress = Callable[[float, str], None]
Cancelled = Callable[[], bool]

# Of the whole, what fetching the files takes.
_FETCHING = 0.8


def store_checkpoint(
    paths: Sequence[str | Path],
    told: Told | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> ModelEntry:
    """Convert checkpoints to a bundle in the user's model folder.

    A checkpoint that was converted before, under whatever name, is not
    converted again; a name that is taken gets a number.

    Parameters
    ----------
    paths : sequence of str or Path
        As of `import_checkpoint`.
    told : Told, optional
        What the files do not say.
    progress, cancelled : callable, optional
        As of `hub.fetch`.

    Raises
    ------
    ModelError
        If the files cannot be used or the folder cannot be made.
    CancelledError
        If `cancelled` said so; nothing was stored.
    """
    told = told or Told()
    report = _Report(progress, cancelled)
    report(0.0, 'Looking into the file')
    header = checkpoint_header(*paths, told=told)
    report(0.1, f'Reading {header.title.partition(",")[0]}')
    model = import_checkpoint(*paths, told=told)
    report(0.8, 'Storing the model')
    origin = model.header.training['imported from']
    mine = [e for e in list_models() if e.source == 'user']
    for entry in mine:
        if entry.header.training.get('imported from') == origin:
            return entry
    name = _free_name(model.header.name)
    model = replace(model, header=replace(model.header, name=name))
    path = new_user_path(name)
    report.check()
    save_bundle(path, model)
    report(1.0, 'Done')
    return ModelEntry(model.header, path, 'user')


def download_model(
    name: str,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> ModelEntry:
    """Fetch a model from the hub into the user's model folder.

    Parameters
    ----------
    name : str
        A name of the catalogue, or 'owner/repository/file'.
    progress, cancelled : callable, optional
        As of `hub.fetch`.

    Raises
    ------
    ModelError
        If there is no such model, it cannot be fetched, or it cannot be
        used.
    CancelledError
        If `cancelled` said so; nothing was stored.
    """
    remote = find_remote(name)
    for entry in list_models():
        if remote.name and entry.name == remote.name:
            return entry
    report = _Report(progress, cancelled)
    share = _FETCHING / len(remote.files)
    files = [
        fetch(
            remote.repository,
            file,
            remote.revision,
            report.part(i * share, share),
            cancelled,
        )
        for i, file in enumerate(remote.files)
    ]
    rest = report.part(_FETCHING, 1 - _FETCHING)
    if is_checkpoint(files[0]):
        return store_checkpoint(files, _told(remote), rest, cancelled)
    return _store_bundle(files[0], rest)


def store_bundle(path: Path, name: str = '') -> ModelEntry:
    """Copy a bundle to the user's model folder.

    Parameters
    ----------
    path : Path
        The bundle; only its header is looked at.
    name : str, default: ''
        What the copy is called, by default as the bundle; made fit for a
        file name, with a number if it is taken.

    Raises
    ------
    ModelError
        If it is no bundle or the folder cannot be made.
    InputError
        If the folder cannot be written to.
    """
    header = read_header(path)
    wanted = re.sub(r'[^\w.-]+', '-', name or header.name).strip('-.')
    header = replace(header, name=_free_name(wanted or 'model'))
    target = new_user_path(header.name)
    with_header(path, target, header)
    return ModelEntry(header, target, 'user')


def _told(remote: RemoteModel) -> Told:
    return Told(
        name=remote.name,
        preprocessing=remote.preprocessing,
        title=remote.title,
        domain=remote.domain,
        licence=remote.licence,
    )


def _store_bundle(file: Path, report: Progress) -> ModelEntry:
    """Copy a bundle that was fetched, if it is a good one."""
    header = read_header(file)
    load_bundle(file)
    path = new_user_path(header.name)
    with atomic_path(path) as temporary:
        shutil.copyfile(file, temporary)
    report(1.0, 'Done')
    return ModelEntry(header, path, 'user')


def _free_name(name: str) -> str:
    taken = {entry.name for entry in list_models()}
    number, free = 1, name
    while free in taken:
        number += 1
        free = f'{name}-{number}'
    return free


class _Report:
    """Passes on progress and notices a wish to stop."""

    def __init__(
        self, progress: Progress | None, cancelled: Cancelled | None
    ) -> None:
        self._progress, self._cancelled = progress, cancelled

    def __call__(self, fraction: float, message: str) -> None:
        self.check()
        if self._progress is not None:
            self._progress(fraction, message)

    def check(self) -> None:
        """Raise `CancelledError` if the user wants to stop."""
        if self._cancelled is not None and self._cancelled():
            raise CancelledError('The import was cancelled.')

    def part(self, start: float, share: float) -> Progress:
        """Return a progress that fills a part of this one."""

        def inner(fraction: float, message: str) -> None:
            self(start + share * fraction, message)

        return inner
