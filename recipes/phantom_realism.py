"""Print the realism table of docs/phantom.md.

    python recipes/phantom_realism.py [FOLDER]

FOLDER holds `mitea-034` and `camus-128/train`, real echo that is not part
of this project; without it only the phantom's columns are printed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.ndimage import binary_closing, binary_fill_holes, gaussian_filter

from napari_adacs.phantom.echo import echo_pair

PAIRS = 100
FIRST_SEED = 1000

Image = NDArray[np.float64]
Labels = NDArray[np.integer]
Mask = NDArray[np.bool_]


class Study(NamedTuple):
    """Both frames, their labels (1 cavity, 2 wall) and the sector."""

    moving: Image
    fixed: Image
    moving_labels: Labels
    fixed_labels: Labels
    sector: Mask
    depth_axis: int


def phantoms(ndim: int) -> Iterator[Study]:
    """Yield random phantom pairs."""
    for seed in range(FIRST_SEED, FIRST_SEED + PAIRS):
        pair = echo_pair(seed, ndim)
        yield Study(
            pair.moving.astype(float),
            pair.fixed.astype(float),
            pair.moving_labels,
            pair.fixed_labels,
            pair.sector,
            ndim - 2,
        )


def mitea(folder: Path) -> Iterator[Study]:
    """Yield the real 3D pair."""
    data = {
        name: np.asarray(nibabel.load(folder / f'{name}.nii.gz').dataobj)
        for name in ('ED', 'ES', 'ED_label', 'ES_label')
    }
    swap = np.array([0, 2, 1])
    sector = binary_closing((data['ED'] > 0) | (data['ES'] > 0), iterations=2)
    yield Study(
        data['ED'] / 255,
        data['ES'] / 255,
        swap[data['ED_label']],
        swap[data['ES_label']],
        sector,
        0,
    )


def camus(folder: Path) -> Iterator[Study]:
    """Yield the real 2D pairs."""
    for path in sorted(folder.glob('*.mat')):
        data = loadmat(path)
        frames = [data[name] / 255 for name in ('im_ED', 'im_ES')]
        sector = binary_closing((frames[0] > 0) | (frames[1] > 0), None, 2)
        yield Study(
            *frames,
            data['label_ED'],
            data['label_ES'],
            binary_fill_holes(sector),
            1,
        )


def figures(study: Study) -> dict[str, float]:
    """Return the figures of one study."""
    sector, labels = study.sector, study.moving_labels
    rows = {}
    for name, region in (
        ('cavity', labels == 1),
        ('myocardium', labels == 2),
        ('rest of the sector', labels == 0),
    ):
        grey = study.moving[region & sector]
        for part in (5, 50, 95):
            rows[f'grey of {name}, {part} %'] = float(
                np.percentile(grey, part)
            )
    texture = _texture(study.moving, sector)
    rows['speckle contrast'] = float(texture[sector].std())
    other = max(set(range(study.moving.ndim)) - {study.depth_axis})
    rows['speckle correlation one voxel deeper'] = _lag(
        texture, sector, study.depth_axis
    )
    rows['speckle correlation one voxel aside'] = _lag(texture, sector, other)
    rows['correlation of ED and ES'] = float(
        np.corrcoef(study.moving[sector], study.fixed[sector])[0, 1]
    )
    rows['DSC without registration, cavity'] = _dice(study, 1)
    rows['DSC without registration, myocardium'] = _dice(study, 2)
    areas = [(x == 1).sum() for x in (labels, study.fixed_labels)]
    rows['cavity, ES / ED voxels'] = float(areas[1] / areas[0])
    return rows


def _texture(image: Image, sector: Mask) -> Image:
    """Return the image without its slow part, 0 outside the sector."""
    weight = np.maximum(gaussian_filter(sector.astype(float), 4), 1e-3)
    slow: Image = gaussian_filter(image * sector, 4) / weight
    return np.where(sector, image - slow, 0.0)


def _lag(texture: Image, sector: Mask, axis: int) -> float:
    """Return the autocorrelation of the texture at a lag of one voxel."""
    last = texture.shape[axis] - 1
    here, there = (range(last), range(1, last + 1))
    a, b = (np.take(texture, i, axis) for i in (here, there))
    both = np.take(sector, here, axis) & np.take(sector, there, axis)
    return float((a * b)[both].mean() / np.square(texture[sector]).mean())


def _dice(study: Study, label: int) -> float:
    a, b = study.moving_labels == label, study.fixed_labels == label
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def summary(studies: Iterable[Study]) -> dict[str, str]:
    """Return mean (10 % ... 90 %) of each figure over studies."""
    rows = [figures(study) for study in studies]
    result = {}
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        text = f'{values.mean():.2f}'
        if len(rows) > 1:
            low, high = np.percentile(values, [10, 90])
            text += f' ({low:.2f} ... {high:.2f})'
        result[name] = text
    return result


def main() -> None:
    """Print the table in Markdown."""
    columns = {'3D phantom': summary(phantoms(3))}
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if folder is not None:
        columns['MITEA, one adult'] = summary(mitea(folder / 'mitea-034'))
    columns['2D phantom'] = summary(phantoms(2))
    if folder is not None:
        train = folder / 'camus-128' / 'train'
        columns['CAMUS, 300 adults'] = summary(camus(train))
    lines = ['| | ' + ' | '.join(columns) + ' |']
    lines.append('|---|' + '---|' * len(columns))
    for name in columns['3D phantom']:
        cells = ' | '.join(column[name] for column in columns.values())
        lines.append(f'| {name} | {cells} |')
    sys.stdout.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
