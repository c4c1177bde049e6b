"""Folders of files that appear together or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from napari_adacs.errors import InputError

_HINT = 'Choose a folder you may write to.'


def check_folder(path: str | os.PathLike[str]) -> None:
    """Check that files can be written to a folder, which may not exist yet.

    Nothing is left behind, so that a long computation can be refused before
    it starts.

    Raises
    ------
    InputError
        If the folder is a file, lies in one, or cannot be written to.
    """
    _temporary(_resolved(path)).rmdir()


@contextlib.contextmanager
def staged_folder(
    path: str | os.PathLike[str], replaces: Collection[str] = ()
) -> Iterator[Path]:
    """Give a temporary folder whose files move to `path` on success.

    Parameters
    ----------
    path : path-like
        The folder; made when the block succeeds. Other files in it stay.
    replaces : collection of str, default: ()
        Names of files of an earlier run: those that the block did not make
        anew are removed, so that the folder never mixes two runs.

    Yields
    ------
    pathlib.Path
        An empty folder. If the block raises, it is removed and `path` stays
        as it was.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    target = _resolved(path)
    temporary = _temporary(target)
    try:
        yield temporary
        try:
            _publish(temporary, target, replaces)
        except OSError as error:
            raise _cannot_write(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _publish(temporary: Path, target: Path, replaces: Collection[str]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    files = sorted(temporary.iterdir())
    for file in files:
        if (target / file.name).is_dir():
            raise InputError(
                f'Cannot write {file.name} to {target}: a folder has that '
                'name.',
                _HINT,
            )
    for file in files:
        os.replace(file, target / file.name)
    for name in set(replaces) - {file.name for file in files}:
        (target / name).unlink(missing_ok=True)


def _resolved(path: str | os.PathLike[str]) -> Path:
    return Path(path).expanduser().resolve()


def _temporary(target: Path) -> Path:
    """Make a folder in the nearest one that exists, on the same disk."""
    nearest = target
    while not nearest.exists():
        nearest = nearest.parent
    if not nearest.is_dir():
        raise InputError(
            f'Cannot write to {target}: {nearest.name} is a file.', _HINT
        )
    try:
        return Path(tempfile.mkdtemp(prefix='.tmp-', dir=nearest))
    except OSError as error:
        raise _cannot_write(target, error) from error


def _cannot_write(target: Path, error: OSError) -> InputError:
    reason = (error.strerror or type(error).__name__).lower()
    return InputError(f'Cannot write to {target}: {reason}.', _HINT)
