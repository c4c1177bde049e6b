"""PyTorch files since 1.6: a zip archive with a pickle and raw storages."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from napari_adacs.errors import ModelError
from napari_adacs.models.importers.contents import (
    Contents,
    Entry,
    check_budget,
    damaged,
)
from napari_adacs.models.importers.described import Storage, TensorSpec
from napari_adacs.models.importers.inert_pickle import MAX_BYTES, load_inert
from napari_adacs.models.importers.torch_tensors import ByteOrder, entry
from napari_adacs.models.importers.unwrap import unwrap

MAGIC = b'PK\x03\x04'
# Trained weights hardly shrink; what does so by this much is no weights.
_MOST_INFLATION = 100
_HARMLESS_BYTES = 10_000_000
# `zipfile` unpacks other methods without a limit.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_torch_zip(path: Path) -> Contents:
    """Open a zip archive that torch has written.

    Raises
    ------
    ModelError
        If it is something else, is damaged, would unpack to more memory than
        it may take, or holds a pickle that is more than a description.
    """
    with _opened(path) as archive:
        pickles = [
            name
            for name in archive.namelist()
            if PurePosixPath(name).name == 'data.pkl'
            and len(PurePosixPath(name).parts) == 2
        ]
        if len(pickles) != 1:
            raise _not_torch(path)
        folder = str(PurePosixPath(pickles[0]).parent)
        names = set(archive.namelist())
        if f'{folder}/constants.pkl' in names:
            raise ModelError(
                f"'{path.name}' is a TorchScript program, not weights.",
                'Ask for the state_dict() of the network.',
            )
        if archive.getinfo(pickles[0]).file_size > MAX_BYTES:
            raise damaged(path, 'its description is far too long')
        order = _byte_order(archive, f'{folder}/byteorder')
        found = load_inert(
            io.BytesIO(_member(archive, pickles[0])), _named_storage
        )

    def make(spec: TensorSpec) -> Entry:
        def read(storage: Storage) -> bytes:
            with _opened(path) as again:
                return _member(again, f'{folder}/data/{storage.key}')

        return entry(spec, read, path, order)

    return unwrap(path, 'PyTorch file', found, make)


def _named_storage(pid: tuple[Any, ...]) -> Storage:
    return Storage(str(pid[1]), pid[2], pid[4])


def _byte_order(archive: zipfile.ZipFile, name: str) -> ByteOrder:
    try:
        return '>' if _member(archive, name).strip() == b'big' else '<'
    except KeyError:
        return '<'


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Unpack a member, and no more of it than it declares.

    `ZipFile.read` would unpack all there is before it looks at the size.
    """
    with archive.open(name) as file:
        return file.read(archive.getinfo(name).file_size)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive that fits into memory; explain what goes wrong."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(path, archive)
            yield archive
    except ModelError:
        raise  # it is a ValueError too
    except KeyError as error:
        raise damaged(path, 'the values of a tensor are missing') from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        raise damaged(path, 'the archive cannot be read') from error


def _check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    """Look at the declared sizes, which `_member` holds the archive to."""
    members = archive.infolist()
    if any(member.compress_type not in _METHODS for member in members):
        raise damaged(path, 'it is packed in a way that PyTorch does not use')
    packed = sum(member.compress_size for member in members)
    unpacked = sum(member.file_size for member in members)
    if unpacked > max(_MOST_INFLATION * packed, _HARMLESS_BYTES):
        raise ModelError(
            f"'{path.name}' would unpack to {unpacked / 1e6:.0f} MB from "
            f'{packed / 1e6:.1f} MB, which weights never do; it was left '
            'packed.',
            'Check where the file comes from.',
        )
    check_budget(path, unpacked)


def _not_torch(path: Path) -> ModelError:
    return ModelError(
        f"'{path.name}' is a zip archive, but not one that PyTorch wrote.",
        'If it is a packed folder, unpack it and choose the checkpoint in it.',
    )
