"""Telling kinds of images apart, to choose a model for them (no torch).

An echo is known by its sector: outside of it the image is empty, and its
width grows in proportion to the distance from the probe. Cine MRI has no such
mark; only names and metadata tell. Whatever is not clear is 'general'.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.registration.about import About
from napari_adacs.registration.inputs import ImageOnGrid

# Words in the domain of models: a model made for '2D echo' is for echo.
ECHO, CINE, GENERAL = 'echo', 'cine', 'general'

_SAMPLES = {2: 96, 3: 48}  # most voxels per axis that are looked at
_EMPTY = 0.02  # of the intensity range
_EMPTY_SHARES = (0.15, 0.85)
_LOOKED_AT = 0.6  # of the depth; then the far edge of the sector begins
_FEWEST_PLANES = 8
# On real echoes 0.997 and more of the variance of the width is that of a
# straight line; on brains, bodies and random shapes 0.96 at most.
_STRAIGHT = 0.98
_OPENS = 1.8  # how much wider it is there than at 5 % of the depth
_WORDS = {
    ECHO: (
        *('tte', 'tee', 'ultrasound', 'echocardiogram', 'echocardiography'),
        *('camus', 'mitea', 'echonet', 'a2c', 'a3c', 'a4c', 'plax', 'psax'),
    ),
    CINE: ('cine', 'cmr', 'ssfp', 'bssfp', 'truefisp', 'sax', 'acdc', 'mnms'),
}
# How ACDC names its files, and what dcm2niix writes for MR alone.
_ACDC = re.compile(r'patient\d{3}_(frame\d{2}|4d)')
_ECHO_TIME = re.compile(r'\bTE=\d')


@dataclass(frozen=True)
class Kind:
    """What images are.

    Parameters
    ----------
    name : {'echo', 'cine', 'general'}
        A word in the domain of models for them.
    why : str
        A phrase.
    """

    name: str
    why: str


@dataclass(frozen=True)
class Seen:
    """What is known of one image.

    Parameters
    ----------
    about : About
        What its file says.
    sector : bool, optional
        Whether it has an ultrasound sector; None if nobody has looked.
    """

    about: About
    sector: bool | None = None


def seen(image: ImageOnGrid) -> Seen:
    """Look at an image; takes a few milliseconds."""
    return Seen(image.about, has_sector(image.data))


def recognise(moving: Seen, fixed: Seen) -> Kind:
    """Tell what a pair of images is.

    Parameters
    ----------
    moving, fixed : Seen
        What is known of them.
    """
    kinds = [_kind(image) for image in (moving, fixed)]
    names = {kind.name for kind in kinds if kind.name}
    if not names:
        return Kind(GENERAL, 'neither echo nor cine MRI was recognised')
    if len(names) > 1:
        return Kind(GENERAL, 'the images are of different kinds')
    unlike = {moving.sector, fixed.sector} == {True, False}
    if unlike and not all(kind.name for kind in kinds):
        return Kind(GENERAL, 'only one image has an ultrasound sector')
    # Of two clues the fixed image's.
    return next(kind for kind in reversed(kinds) if kind.name)


def _kind(image: Seen) -> Kind:
    """Return what one image says; without a name if it says nothing."""
    about = image.about
    words = set(re.findall(r'[a-z0-9]+', about.text.lower()))
    cine = not words.isdisjoint(_WORDS[CINE]) or bool(
        _ACDC.search(about.text.lower())
    )
    modality = about.modality.strip().upper()
    if modality == 'US':
        return Kind(ECHO, 'the file says ultrasound')
    if modality == 'MR' and (cine or about.in_frames):
        return Kind(CINE, 'the file says MR, in frames')
    if modality:
        return Kind(GENERAL, f'the file says {modality}')
    if image.sector:
        return Kind(ECHO, 'the image has an ultrasound sector')
    echo = not words.isdisjoint(_WORDS[ECHO])
    if echo and cine:
        return Kind('', '')
    if echo:
        return Kind(ECHO, 'its name says echo')
    if cine:
        return Kind(CINE, 'its name says cine MRI')
    if about.in_frames and _ECHO_TIME.search(about.text):
        return Kind(CINE, 'the file says MR, in frames')
    return Kind('', '')


def has_sector(image: Any) -> bool:
    """Whether an image is empty but for a fan or a cone.

    Parameters
    ----------
    image : (*shape) array_like
        2D or 3D; few of its voxels are read.
    """
    values = np.asarray(image[sample_of(image.shape)])
    if values.dtype.kind not in 'buif' or min(values.shape) < _FEWEST_PLANES:
        return False
    values = values.astype(np.float32)
    if not np.isfinite(values).all():
        return False
    low, high = float(values.min()), float(np.percentile(values, 99.5))
    inside = values > low + _EMPTY * (high - low)
    least, most = _EMPTY_SHARES
    if not least < 1 - inside.mean() < most:
        return False
    widths = [_widths(inside, axis) for axis in range(inside.ndim)]
    return any(
        _opens_evenly(width[::sense]) for width in widths for sense in (1, -1)
    )


def sample_of(shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Return which voxels of an image are looked at."""
    most = _SAMPLES.get(len(shape), _SAMPLES[3])
    return tuple(slice(None, None, max(1, -(-n // most))) for n in shape)


def _widths(inside: NDArray[np.bool_], axis: int) -> NDArray[np.float64]:
    """Return how wide each plane across an axis is filled.

    Between its outermost voxels, as a part of the image: cavities are dark.
    In 3D the geometric mean of both widths.
    """
    planes = np.moveaxis(inside, axis, 0)
    product = np.ones(len(planes))
    for other in range(1, inside.ndim):
        rest = tuple(a for a in range(1, inside.ndim) if a != other)
        line: NDArray[np.bool_] = np.any(planes, axis=rest) if rest else planes
        first = line.argmax(axis=1)
        last = line.shape[1] - line[:, ::-1].argmax(axis=1)
        product *= np.where(line.any(axis=1), last - first, 0) / line.shape[1]
    widths = product ** (1 / (inside.ndim - 1))
    filled = np.flatnonzero(widths)
    if not filled.size:
        return widths[:0]
    return widths[filled[0] : filled[-1] + 1]


def _opens_evenly(widths: NDArray[np.float64]) -> bool:
    """Whether widths grow like those of a sector, seen from its probe."""
    count = int(_LOOKED_AT * widths.size)
    if count < _FEWEST_PLANES // 2:
        return False
    depth, near = np.arange(count) / widths.size, widths[:count]
    slope, start = np.polyfit(depth, near, 1)
    end, begin = start + _LOOKED_AT * slope, start + 0.05 * slope
    if slope <= 0 or end < _OPENS * begin:
        return False
    left = near - (start + slope * depth)
    return bool(left.var() < (1 - _STRAIGHT) * near.var())
