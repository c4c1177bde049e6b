"""Guessing whether an image is a segmentation."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

# 35 structures of a brain are many; 8-bit images have more grey levels.
_MOST_LABELS = 128
_MOST_LABELS_UNNAMED = 16
_LARGEST_LABEL = 65535
_CHUNK = 1 << 20


def as_labels(
    data: NDArray[Any], name: str, declared: bool = False
) -> NDArray[Any] | None:
    """Return the image as integer labels if it looks like a segmentation.

    Labels are whole numbers, none negative, and few. How few depends on the
    evidence: the file declares labels, its name says so, or its type is an
    integer type.

    Parameters
    ----------
    data : numpy.ndarray
        The image.
    name : str
        File name.
    declared : bool, default: False
        Whether the file itself says that it holds labels.

    Returns
    -------
    numpy.ndarray of integers or None
        `data` itself if its type is an integer type, a copy if the labels
        were stored as floats, and None for an image.
    """
    integer = data.dtype.kind in 'ui'
    named = declared or _named_like_labels(name)
    if data.size == 0 or not (integer or named):
        return None
    low, high = float(data.min()), float(data.max())
    if not (low >= 0 and high <= _LARGEST_LABEL):
        return None
    labels = data
    if not integer:
        labels = data.astype(np.uint8 if high <= 255 else np.uint16)
        if not np.array_equal(labels, data):
            return None
    if declared:
        return labels
    most = _MOST_LABELS if named else _MOST_LABELS_UNNAMED
    count = _count_values(labels, int(high), most)
    # one value only is an empty image as well as an empty segmentation
    return labels if count <= most and (named or count > 1) else None


def _count_values(labels: NDArray[Any], highest: int, most: int) -> int:
    """Count the distinct values, up to the first count above `most`."""
    present = np.zeros(highest + 1, dtype=bool)
    flat = labels.reshape(-1)
    for start in range(0, flat.size, _CHUNK):
        present[flat[start : start + _CHUNK]] = True
        if np.count_nonzero(present) > most:
            break
    return int(np.count_nonzero(present))


def _named_like_labels(name: str) -> bool:
    words = re.findall('[a-z]+', name.lower())
    return any(
        word == 'gt'
        or word.startswith('seg')
        or word.endswith('seg')
        or 'label' in word
        or 'mask' in word
        for word in words
    )
