"""Reading NumPy arrays as images, without their pickles."""

from __future__ import annotations

import lzma
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.io.label_guess import as_labels
from napari_adacs.io.memory import check_budget, format_bytes
from napari_adacs.io.volume import Volume
from napari_adacs.spatial.grid import Grid

# Names under which archives keep the image; 'vol' is VoxelMorph's.
_IMAGE_KEYS = ('image', 'img', 'vol', 'data', 'arr_0')
# What numpy raises for bytes that are no array.
_FORMAT_ERRORS = (
    ValueError,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    TypeError,
    UnicodeError,
    OverflowError,
    RecursionError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
)


def read_npy(
    path: str | os.PathLike[str], *, max_bytes: int | None = None
) -> Volume:
    """Read a .npy file as an image whose spacing is one voxel.

    Parameters
    ----------
    path : path-like
        An array ([T, Z,] Y, X) of real numbers.
    max_bytes : int, optional
        Most memory the array may take; a quarter of what is free if omitted.

    Raises
    ------
    InputError
        If there is no such file, or it does not hold such an array.
    """
    file = _existing(path)

    def read() -> NDArray[Any]:
        with file.open('rb') as stream:
            size = os.fstat(stream.fileno()).st_size
            return _read_array(stream, file.name, size, max_bytes)

    return _volume(_guarded(file.name, read), file, file.name)


def read_npz(
    path: str | os.PathLike[str], *, max_bytes: int | None = None
) -> Volume:
    """Read the image of a .npz file; its spacing is one voxel.

    Parameters
    ----------
    path : path-like
        An archive with one array, or with one called image, img, vol, data
        or arr_0.
    max_bytes : int, optional
        Most memory the array may take; a quarter of what is free if omitted.

    Raises
    ------
    InputError
        If there is no such file or image.
    """
    file = _existing(path)
    chosen = ''

    def read() -> NDArray[Any]:
        nonlocal chosen
        with zipfile.ZipFile(file) as archive:
            chosen = _choose(archive, file.name)
            info = archive.getinfo(f'{chosen}.npy')
            with archive.open(info) as stream:
                return _read_array(
                    stream, file.name, info.file_size, max_bytes
                )

    data = _guarded(file.name, read)
    return _volume(data, file, f'{file.name} {chosen}')


def _existing(path: str | os.PathLike[str]) -> Path:
    file = Path(path).expanduser()
    if not os.path.isfile(file):
        raise InputError(
            f'There is no file {file}.', 'Check the name and the folder.'
        )
    return file


def _guarded(name: str, read: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """Say in a sentence what numpy says with many kinds of errors."""
    try:
        return read()
    except InputError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f'Cannot read {name}: {reason}.', 'Check its permissions.'
        ) from error
    except _FORMAT_ERRORS as error:
        raise InputError(
            f'{name} is damaged or no NumPy file.', 'Save the array again.'
        ) from error


def _choose(archive: zipfile.ZipFile, name: str) -> str:
    keys = [n[:-4] for n in archive.namelist() if n.endswith('.npy')]
    named = [key for key in _IMAGE_KEYS if key in keys]
    if named or len(keys) == 1:
        return (named or keys)[0]
    listed = ', '.join(sorted(keys)[:8]) or 'no arrays'
    raise InputError(
        f'{name} does not say which of its arrays is the image ({listed}).',
        'Call it "image", or save it as a .npy file.',
    )


def _read_array(
    stream: IO[bytes], name: str, size: int, max_bytes: int | None
) -> NDArray[Any]:
    """Read an array after its header was compared with the size it has."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    if dtype.kind not in 'buif':
        raise InputError(
            f'{name} holds values of type {dtype}, not real numbers.',
            'Save plain numbers.',
        )
    declared = stream.tell() + math.prod(shape) * dtype.itemsize
    if declared != size:
        raise InputError(
            f'{name}: the file is truncated or damaged: expected '
            f'{format_bytes(declared)}, got {format_bytes(size)}.',
            'Save the array again.',
        )
    check_budget(name, declared, max_bytes)
    stream.seek(0)
    data: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return data


def _volume(data: NDArray[Any], file: Path, label_name: str) -> Volume:
    if data.ndim not in (2, 3, 4) or data.size == 0:
        raise InputError(
            f'{file.name} has the shape {data.shape}; an image has two to '
            'four axes ([t, z,] y, x).',
            'Save one 2D, 3D or 4D image from it.',
        )
    colour = data.dtype == np.uint8 and data.shape[-1] in (3, 4)
    if colour and data.ndim == 3:
        raise InputError(
            f'{file.name} is a colour picture; registration needs one '
            'intensity per voxel.',
            'Convert it to grey first.',
        )
    data = np.ascontiguousarray(data, dtype=_plain_type(data.dtype))
    labels = as_labels(data, label_name)
    return Volume(
        data=data if labels is None else labels,
        grid=Grid.of_voxels(data.shape[-3:]),
        path=file,
        is_labels=labels is not None,
        description='no voxel size in the file, distances are in voxels',
    )


def _plain_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return a native type that image viewers and networks take."""
    if dtype.kind == 'b':
        return np.dtype(np.uint8)
    if dtype.kind == 'f' and dtype.itemsize not in (4, 8):
        return np.dtype(np.float32)
    return dtype.newbyteorder('=')
