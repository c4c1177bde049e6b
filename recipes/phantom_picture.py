"""Make docs/images/phantom.png: what the echo phantom looks like.

    python recipes/phantom_picture.py [FILE]

Everything in the picture is synthetic. Needs Pillow, which napari brings.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from make_sample_data import sample_pairs
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import binary_erosion, map_coordinates, zoom

from napari_adacs.phantom.echo import EchoPair, echo_pair

TARGET = Path(__file__).parents[1] / 'docs' / 'images' / 'phantom.png'
TILE, GAP, HEAD = 186, 4, 20
TITLES = ('ED (moving)', 'ES (fixed)', 'labels', '|u| in mm', 'nuisance')
CAVITY, WALL, ATRIUM = (255, 214, 70), (255, 84, 84), (80, 200, 255)
# dark blue to yellow, even in lightness
RAMP = np.array(
    [[0, 0, 4], [66, 10, 104], [147, 38, 103], [221, 81, 58], [252, 255, 164]]
)
LARGEST_MM = 16.0

Grey = NDArray[np.float32]
Colour = NDArray[np.uint8]


def main() -> None:
    """Draw the montage."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.parent.mkdir(parents=True, exist_ok=True)
    samples = sample_pairs()
    volume = samples['echo3d']
    rows = [
        _row(volume, 2, 'sagittal plane, 3D'),
        _row(volume, 1, 'short axis, 3D'),
        _row(samples['echo2d'], None, 'four chambers, 2D'),
        _row(echo_pair(130, 2, (192, 192)), None, 'random, 2D'),
    ]
    wide = len(TITLES) * (TILE + GAP) - GAP
    sheet = Image.new('RGB', (wide, len(rows) * (TILE + GAP + HEAD)), 'white')
    draw = ImageDraw.Draw(sheet)
    for i, (name, tiles) in enumerate(rows):
        top = i * (TILE + GAP + HEAD)
        for j, (title, tile) in enumerate(zip(TITLES, tiles, strict=True)):
            left = j * (TILE + GAP)
            text = f'{title} - {name}' if j == 0 else title
            draw.text((left + 2, top + 4), text, fill='black')
            sheet.paste(Image.fromarray(tile), (left, top + HEAD))
    sheet.quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)


def _row(
    pair: EchoPair, axis: int | None, name: str
) -> tuple[str, list[Colour]]:
    """Return the name of a row and its tiles."""
    place = _plane(pair, axis)
    fixed = _shown(pair.fixed[place], pair, axis)
    labels = _resized(pair.fixed_labels[place], pair, axis, 0)
    mask = _resized(pair.fixed_nuisance[place], pair, axis, 0) > 0
    size = np.array(pair.grid.spacing).reshape((-1,) + (1,) * pair.grid.ndim)
    length = np.linalg.norm(pair.displacement * size, axis=0)
    length *= pair.sector
    return name, [
        _grey(_shown(pair.moving[place], pair, axis)),
        _grey(fixed),
        _outlined(fixed, labels),
        _coloured(_resized(length[place], pair, axis, 1) / LARGEST_MM),
        _tinted(fixed, mask),
    ]


def _plane(pair: EchoPair, axis: int | None) -> tuple[slice | int, ...]:
    """Return the index of the plane through the middle of the cavity."""
    if axis is None:
        return (slice(None), slice(None))
    cavity = np.argwhere(pair.moving_labels == 1).mean(axis=0)
    place: list[slice | int] = [slice(None)] * 3
    place[axis] = round(cavity[axis])
    return tuple(place)


def _resized(
    image: NDArray[np.generic], pair: EchoPair, axis: int | None, order: int
) -> Grey:
    """Return a plane as a square tile with its true proportions."""
    spacing = np.delete(pair.grid.spacing, [] if axis is None else [axis])
    if axis == 2:  # (z, y): the depth runs down
        image, spacing = image.T, spacing[::-1]
    extent = np.array(image.shape) * spacing
    step = extent.max() / TILE
    shape = np.round(extent / step).astype(int)
    factors = shape / np.array(image.shape)
    scaled = zoom(image.astype(np.float32), factors, order=order)
    tile = np.zeros((TILE, TILE), np.float32)
    start = (TILE - np.array(scaled.shape)) // 2
    start = np.maximum(start, 0)
    rows, columns = scaled.shape
    tile[start[0] : start[0] + rows, start[1] : start[1] + columns] = scaled
    return tile


def _shown(image: Grey, pair: EchoPair, axis: int | None) -> Grey:
    return np.clip(_resized(image, pair, axis, 1), 0, 1)


def _grey(image: Grey) -> Colour:
    levels = np.round(image * 63) * (255 / 63)
    return np.repeat(levels.astype(np.uint8)[..., None], 3, axis=2)


def _outlined(image: Grey, labels: Grey) -> Colour:
    """Draw the borders of the labels."""
    tile = _grey(image)
    for label, colour in ((3, ATRIUM), (2, WALL), (1, CAVITY)):
        inside = labels == label
        tile[inside & ~binary_erosion(inside)] = colour
    return tile


def _tinted(image: Grey, mask: NDArray[np.bool_]) -> Colour:
    """Mix red into the nuisance mask."""
    tile = _grey(image)
    mixed = 0.55 * tile[mask] + 0.45 * np.array([255, 60, 60])
    tile[mask] = (np.round(mixed / 8) * 8).clip(0, 255).astype(np.uint8)
    return tile


def _coloured(value: Grey) -> Colour:
    """Apply the colour ramp to values in [0, 1]."""
    steps = np.round(np.clip(value, 0, 1) * 30) / 30 * (len(RAMP) - 1)
    channels = [
        map_coordinates(ramp.astype(float), steps[None], order=1)
        for ramp in RAMP.T
    ]
    return np.stack(channels, axis=-1).astype(np.uint8)


if __name__ == '__main__':
    main()
