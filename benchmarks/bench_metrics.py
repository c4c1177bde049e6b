"""Time of the overlap and surface metrics beside other tools, in one run.

    python benchmarks/bench_metrics.py [--labels] [--repeats N]

Prints Markdown tables. Absolute times depend on the machine and on what else
it does; the column to read is the ratio, for everything is timed in turns in
the same process. SimpleITK is a development dependency; surface-distance,
MedPy and MONAI are used where they are installed (`pip install --no-deps
--target DIR surface-distance medpy monai` and DIR on PYTHONPATH is enough).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.spatial import cKDTree

from napari_adacs.evaluation.comparison import compare_labels, compare_masks
from napari_adacs.evaluation.report import evaluate
from napari_adacs.evaluation.surface import bounding_box, surface

Mask = NDArray[np.bool_]
Run = Callable[[], object]

SPACING = (0.7, 0.5, 0.5)


def shells() -> tuple[Mask, Mask]:
    """Two ellipsoidal shells in 128³, a heart before and after beating."""
    grid = np.ogrid[:128, :128, :128]

    def ellipsoid(centre: tuple[float, ...], radii: tuple[float, ...]) -> Mask:
        terms = zip(grid, centre, radii, strict=True)
        return sum(((x - c) / r) ** 2 for x, c, r in terms) <= 1

    at, there = (64, 64, 64), (65, 63, 64)
    first = ellipsoid(at, (45, 36, 36)) & ~ellipsoid(at, (33, 25, 25))
    second = ellipsoid(there, (43, 34.5, 34.5)) & ~ellipsoid(
        there, (28, 20, 20)
    )
    return first, second


def maurer(a: Mask, b: Mask) -> Run:
    """Return the bar: one pair of SimpleITK distance maps on the crop."""
    import SimpleITK as sitk  # noqa: N813

    box = bounding_box(a | b)
    surfaces = [surface(m[box]).astype(np.uint8) for m in (a, b)]

    def run() -> None:
        for one in surfaces:
            image = sitk.GetImageFromArray(one)
            image.SetSpacing(SPACING[::-1])
            sitk.SignedMaurerDistanceMap(
                image, squaredDistance=False, useImageSpacing=True
            )

    return run


def transform(a: Mask, b: Mask) -> Run:
    """Return the plain way: scipy's full transform on the crop."""
    box = bounding_box(a | b)
    surfaces = [surface(m[box]) for m in (a, b)]

    def run() -> None:
        for one, other in (surfaces, surfaces[::-1]):
            distance_transform_edt(~one, sampling=SPACING)[other]

    return run


def tree(a: Mask, b: Mask) -> Run:
    """Return the other plain way: k-d trees on all cores."""
    box = bounding_box(a | b)
    points = [np.argwhere(surface(m[box])) * SPACING for m in (a, b)]

    def run() -> None:
        for one, other in (points, points[::-1]):
            cKDTree(one, leafsize=32, balanced_tree=False).query(
                other, workers=-1
            )

    return run


def surface_distance(a: Mask, b: Mask) -> Run:
    """Return DeepMind's package: HD, HD95 and mean distances."""
    import surface_distance as sd

    def run() -> None:
        found = sd.compute_surface_distances(a, b, SPACING)
        sd.compute_robust_hausdorff(found, 100)
        sd.compute_robust_hausdorff(found, 95)
        sd.compute_average_surface_distance(found)

    return run


def monai(a: Mask, b: Mask) -> Run:
    """Return MONAI's three calls."""
    import monai.metrics as mm
    import torch

    first, second = (torch.from_numpy(m)[None, None].float() for m in (a, b))
    how = {'include_background': True, 'spacing': list(SPACING)}

    def run() -> None:
        mm.compute_hausdorff_distance(first, second, **how)
        mm.compute_hausdorff_distance(first, second, percentile=95, **how)
        mm.compute_average_surface_distance(
            first, second, symmetric=True, **how
        )

    return run


def medpy(a: Mask, b: Mask) -> Run:
    """Return MedPy's three calls."""
    from medpy.metric import binary

    def run() -> None:
        for metric in (binary.hd, binary.hd95, binary.assd):
            metric(a, b, SPACING)

    return run


PEERS: dict[str, tuple[str, Callable[[Mask, Mask], Run]]] = {
    'SimpleITK: Maurer maps on the crop, nothing else': ('SimpleITK', maurer),
    'scipy: k-d trees on the crop, nothing else': ('scipy', tree),
    'scipy: transforms on the crop, nothing else': ('scipy', transform),
    'surface-distance: HD, HD95, mean': ('surface_distance', surface_distance),
    'MONAI: HD, HD95, ASSD': ('monai', monai),
    'MedPy: HD, HD95, ASSD': ('medpy', medpy),
}


def time_in_turns(runs: dict[str, Run], repeats: int) -> dict[str, float]:
    """Return the median time of each in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: float(np.median(found)) for name, found in times.items()}


def show(title: str, times: dict[str, float]) -> None:
    """Print a table; ours is the first row and the unit of the ratio."""
    ours = next(iter(times.values()))
    print(f'\n### {title}\n\n| | ms | ours / it |\n|:--|--:|--:|')
    for name, found in times.items():
        print(f'| {name} | {found:.1f} | {ours / found:.3f} |')


def bench_pair(repeats: int) -> None:
    """Time one pair of masks."""
    a, b = shells()
    runs: dict[str, Run] = {
        'napari-adacs: DSC, Jaccard, HD, HD95, ASD, ASSD': lambda: (
            compare_masks(a, b, SPACING)
        )
    }
    for name, (module, build) in PEERS.items():
        if importlib.util.find_spec(module):
            runs[name] = build(a, b)
    show('One pair of masks, 128³', time_in_turns(runs, repeats))


def brains() -> tuple[str, list[NDArray[np.integer]]]:
    """Return 35 labels in 160×192×224: real ones if there are any."""
    beside = Path(__file__).resolve().parents[2] / 'shared'
    root = Path(os.environ.get('ADACS_SHARED', beside))
    for folder in (root / 'data' / 'oasis', root / 'oasis'):
        files = sorted(folder.glob('*/*seg*35*.nii.gz'))
        if len(files) >= 2:
            import nibabel as nib

            return 'OASIS', [
                np.asarray(nib.load(f).dataobj).astype(np.uint8)
                for f in files[:2]
            ]
    rng = np.random.default_rng(0)
    shape = (160, 192, 224)
    centres = rng.uniform(0.2, 0.8, (35, 3)) * shape
    inside = (
        np.linalg.norm(np.indices(shape).T / shape - 0.5, axis=-1).T < 0.42
    )
    out = []
    for _ in range(2):
        bend = [
            20 * gaussian_filter(rng.standard_normal(shape), 6)
            for _ in range(3)
        ]
        places = np.stack(np.indices(shape) + bend, -1)
        nearest = cKDTree(centres).query(places, workers=-1)[1] + 1
        out.append((nearest * inside).astype(np.uint8))
    return 'made up', out


def bench_labels(repeats: int) -> None:
    """Time all metrics of 35 labels."""
    kind, (moving, fixed) = brains()
    labels = np.union1d(moving, fixed)[1:].tolist()
    runs: dict[str, Run] = {
        'napari-adacs: all metrics of all labels': lambda: compare_labels(
            fixed, moving, labels
        ),
        'napari-adacs: evaluate(), the table before registration': lambda: (
            evaluate(moving, fixed, spacing=1.0)
        ),
    }
    if importlib.util.find_spec('monai'):
        runs['MONAI: HD, HD95, ASSD of all labels'] = lambda: [
            monai(fixed == label, moving == label)() for label in labels
        ]
    title = f'{len(labels)} labels, 160×192×224 ({kind})'
    show(title, time_in_turns(runs, repeats))


def main() -> None:
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--labels', action='store_true')
    parser.add_argument('--repeats', type=int, default=7)
    arguments = parser.parse_args()
    warnings.filterwarnings('ignore')
    load = os.getloadavg()[0] if hasattr(os, 'getloadavg') else float('nan')
    print(f'{os.cpu_count()} cores, load {load:.1f} at the start')
    bench_pair(arguments.repeats)
    if arguments.labels:
        bench_labels(max(1, arguments.repeats // 7))


if __name__ == '__main__':
    main()
