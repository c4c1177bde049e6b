"""PyTorch files before 1.6: pickles one after the other, then the values."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO, Any

from napari_adacs.errors import ModelError
from napari_adacs.models.importers.contents import (
    Contents,
    Entry,
    check_budget,
    damaged,
)
from napari_adacs.models.importers.described import Storage, TensorSpec
from napari_adacs.models.importers.inert_pickle import load_inert
from napari_adacs.models.importers.torch_tensors import entry, item_size
from napari_adacs.models.importers.unwrap import unwrap

MAGIC = b'\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.'
_VERSION = 1001
_SIZE = struct.Struct('<q')


def read_torch_legacy(path: Path) -> Contents:
    """Open a file of the format that torch wrote before version 1.6.

    Raises
    ------
    ModelError
        As `read_torch_zip`.
    """
    storages: dict[str, Storage] = {}

    def storage(pid: tuple[Any, ...]) -> Storage:
        if len(pid) > 5 and pid[5] is not None:
            raise ModelError(
                f"'{path.name}' holds views of storages as PyTorch wrote "
                'them before 0.4.',
                'Load and save it again with a newer PyTorch.',
            )
        made = Storage(str(pid[1]), pid[2], pid[4])
        return storages.setdefault(made.key, made)

    with path.open('rb') as file:
        load_inert(file, storage)  # the magic number
        version = load_inert(file, storage)
        about = load_inert(file, storage)
        found = load_inert(file, storage)
        keys = load_inert(file, storage)
        little = not isinstance(about, dict) or about.get('little_endian')
        if version != _VERSION or little is False:
            raise damaged(path, 'it was written on an unknown system')
        check_budget(
            path, sum(s.size * item_size(s) for s in storages.values())
        )
        places = _places(path, file, keys, storages)

    def make(spec: TensorSpec) -> Entry:
        def read(storage: Storage) -> bytes:
            with path.open('rb') as file:
                file.seek(places[storage.key])
                return file.read(storage.size * item_size(storage))

        return entry(spec, read, path, '<')

    return unwrap(path, 'PyTorch file (before 1.6)', found, make)


def _places(
    path: Path, file: IO[bytes], keys: object, storages: dict[str, Storage]
) -> dict[str, int]:
    """Find where the values of each storage begin."""
    places: dict[str, int] = {}
    end = path.stat().st_size
    if not isinstance(keys, list):
        raise damaged(path, 'the list of its tensors cannot be read')
    for key in keys:
        storage = storages.get(key) if isinstance(key, str) else None
        head = file.read(_SIZE.size)
        if storage is None or len(head) < _SIZE.size:
            raise damaged(path, 'the values of a tensor are missing')
        places[storage.key] = start = file.tell()
        after = start + storage.size * item_size(storage)
        if _SIZE.unpack(head)[0] != storage.size or after > end:
            raise damaged(path, 'the values of a tensor are cut off')
        file.seek(after)
    if set(storages) - set(places):
        raise damaged(path, 'the values of a tensor are missing')
    return places
