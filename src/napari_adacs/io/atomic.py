"""Writing files so that a crash never leaves half of one.

A writer gets a temporary name in the folder of the target; only when it has
finished, and the bytes are on the disk, does the new file take the old one's
place.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from napari_adacs.errors import InputError

_NO_SPACE = {
    code
    for name in ('ENOSPC', 'EDQUOT', 'EFBIG')
    if (code := getattr(errno, name, None)) is not None
}


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path that becomes `path` when the block succeeds.

    Parameters
    ----------
    path : path-like
        The file to make or replace. A symbolic link is followed. The mode
        of a file that is replaced is kept.

    Yields
    ------
    pathlib.Path
        An empty file in the same folder whose name has the suffixes of
        `path`, for writers that look at them. If the block raises, it is
        removed and the old file stays as it was.

    Raises
    ------
    InputError
        If the folder is missing or cannot be written to, `path` is a
        folder, or the disk is full.
    """
    target = Path(path).expanduser().resolve()
    temporary = _create_beside(target)
    try:
        yield temporary
        _sync(temporary)
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise _readable(error, target, temporary) from error
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _create_beside(target: Path) -> Path:
    """Create an empty file with the rights a new file would have."""
    if os.path.isdir(target):
        raise InputError(
            f'Cannot write to {target}: it is a folder.', 'Name a file in it.'
        )
    if not os.path.isdir(target.parent):
        raise InputError(
            f'Cannot write {target.name}: there is no folder {target.parent}.',
            'Create it or choose another one.',
        )
    name = f'.tmp-{secrets.token_hex(6)}-{target.name}'
    temporary = target.parent / name
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
    try:
        os.close(os.open(temporary, flags, 0o666))
    except OSError as error:
        raise _cannot_write(target, error) from error
    return temporary


def _sync(file: Path) -> None:
    with file.open('rb+') as stream:
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where folders can be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _readable(
    error: OSError, target: Path, temporary: Path
) -> OSError | InputError:
    """Translate failures of this file; others are not ours to explain."""
    if error.errno in _NO_SPACE:
        return InputError(
            f'The disk is full: {target.name} was not written to '
            f'{target.parent}.',
            'Free some space or choose another folder.',
        )
    ours = {str(temporary), str(target)}
    if {str(error.filename), str(error.filename2)} & ours:
        return _cannot_write(target, error)
    return error


def _cannot_write(target: Path, error: OSError) -> InputError:
    reason = (error.strerror or type(error).__name__).lower()
    return InputError(
        f'Cannot write {target.name} to {target.parent}: {reason}.',
        'Choose a folder you may write to.',
    )
