"""Pictures as PNG, with nothing but the standard library."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def encode_png(pixels: NDArray[Any]) -> bytes:
    """Return an RGB picture as the bytes of a PNG file.

    Parameters
    ----------
    pixels : (height, width, 3) numpy.ndarray of uint8
        The picture.

    Raises
    ------
    ValueError
        If it is no such array.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError('a picture is (height, width, 3) of uint8')
    height, width = pixels.shape[:2]
    # Each row is preceded by its filter, none.
    rows = np.zeros((height, 1 + 3 * width), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b''.join(
        (
            b'\x89PNG\r\n\x1a\n',
            _chunk(b'IHDR', header),
            _chunk(b'IDAT', zlib.compress(rows.tobytes(), 6)),
            _chunk(b'IEND', b''),
        )
    )


def data_uri(pixels: NDArray[Any]) -> str:
    """Return a picture as the address of an <img> that needs no file."""
    text = base64.b64encode(encode_png(pixels)).decode('ascii')
    return f'data:image/png;base64,{text}'


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return (
        struct.pack('>I', len(content))
        + kind
        + content
        + struct.pack('>I', check)
    )
