"""Bytes of a plain or gzip-compressed file, never more than asked for.

A reader that trusts a header allocates what the header says, and one that
trusts a compressed file expands whatever is in it. Here both are bounded:
the declared size is compared with the size on disk before anything is
allocated, and decompression stops where the declared data end.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from napari_adacs.errors import InputError
from napari_adacs.io.memory import format_bytes

_GZIP_MAGIC = b'\x1f\x8b'
# Deflate cannot expand more than 1032-fold, so a smaller file is incomplete.
_LARGEST_EXPANSION = 1032
# Some writers pad to a block; more than that contradicts the header.
_PADDING = 4096
_CHUNK = 1 << 22


class TruncatedError(InputError):
    """A file that ends before the data it declares."""


@dataclass
class ByteSource:
    """A file opened for reading, decompressed on the way.

    Parameters
    ----------
    name : str
        File name, for messages.
    stream : binary file
        Decompressed bytes.
    stored : int
        Size of the file on disk, in bytes.
    compressed : bool
        Whether the file is a gzip file.
    """

    name: str
    stream: BinaryIO
    stored: int
    compressed: bool
    position: int = 0

    def check_declared(self, total: int) -> None:
        """Compare the size a header declares with the size on disk.

        Parameters
        ----------
        total : int
            Bytes of the whole file, decompressed.

        Raises
        ------
        InputError
            If the file is too small, or a plain file is too large.
        """
        if self.compressed:
            if total > (self.stored + 1) * _LARGEST_EXPANSION:
                raise self._truncated(total, self.stored, ' compressed')
        elif self.stored < total:
            raise self._truncated(total, self.stored)
        elif self.stored > total + _PADDING:
            raise self._too_long(total, self.stored)

    def skip_to(self, offset: int, total: int) -> None:
        """Read on to a position without keeping the bytes."""
        while self.position < offset:
            count = min(_CHUNK, offset - self.position)
            self.fill(memoryview(bytearray(count)), total)

    def fill(self, buffer: memoryview, total: int) -> None:
        """Fill a buffer with the next bytes.

        Parameters
        ----------
        buffer : memoryview of bytes
            Where the bytes go.
        total : int
            Declared size of the whole file, for the message.

        Raises
        ------
        TruncatedError
            If the file ends before.
        InputError
            If it is damaged or cannot be read.
        """
        done = 0
        while done < len(buffer):
            part = buffer[done : done + _CHUNK]
            count = self._read_into(part, total)
            if count == 0:
                raise self._truncated(total, self.position)
            done += count
            self.position += count

    def finish(self, total: int) -> None:
        """Check that nothing follows; for gzip, the checksum as well."""
        rest = memoryview(bytearray(_PADDING + 1))
        count = 0
        while count < len(rest):
            step = self._read_into(rest[count:], total)
            if step == 0:
                return
            count += step
        raise self._too_long(total, None)

    def _read_into(self, part: memoryview, total: int) -> int:
        reader = cast('gzip.GzipFile', self.stream)
        try:
            return reader.readinto(part)
        except EOFError as error:
            raise self._truncated(total, self.position) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                f'{self.name} is damaged: its compressed data do not match '
                'their checksum.',
                'Copy or export it again.',
            ) from error
        except OSError as error:
            raise _cannot_read(self.name, error) from error

    def _truncated(self, total: int, got: int, note: str = '') -> InputError:
        return TruncatedError(
            f'{self.name}: the file is truncated: expected '
            f'{format_bytes(total)}, got {format_bytes(got)}{note}.',
            'Copy or export it again.',
        )

    def _too_long(self, total: int, got: int | None) -> InputError:
        found = 'more' if got is None else format_bytes(got)
        return InputError(
            f'{self.name} is longer than its header says: expected '
            f'{format_bytes(total)}, got {found}.',
            'The header is damaged; export the image again.',
        )


@contextlib.contextmanager
def open_source(path: Path) -> Iterator[ByteSource]:
    """Open a file; whether it is compressed is read from its first bytes.

    Raises
    ------
    InputError
        If there is no such file, or it may not be read.
    """
    # os.path, unlike pathlib, never raises where a folder is closed
    if not os.path.exists(path):
        raise InputError(
            f'There is no file {path}.', 'Check the name and the folder.'
        )
    if not os.path.isfile(path):
        raise InputError(f'{path} is not a file.', 'Choose a file in it.')
    try:
        raw = path.open('rb')
    except OSError as error:
        raise _cannot_read(path.name, error) from error
    with raw:
        stored = os.fstat(raw.fileno()).st_size
        compressed = raw.read(2) == _GZIP_MAGIC
        raw.seek(0)
        stream = cast('BinaryIO', gzip.GzipFile(fileobj=raw))
        yield ByteSource(
            path.name, stream if compressed else raw, stored, compressed
        )


def _cannot_read(name: str, error: OSError) -> InputError:
    reason = (error.strerror or type(error).__name__).lower()
    return InputError(
        f'Cannot read {name}: {reason}.', 'Check its permissions.'
    )
