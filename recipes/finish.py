"""Measure a trained model and store it as a bundled one.

    python recipes/finish.py RUN/model.safetensors --val CAMUS/val
    python recipes/finish.py RUN/model.safetensors --phantom 20
    python recipes/finish.py RUN/model.safetensors --val ACDC/val \
        --name 'acdc-128 val' --phantom 0

Registers every pair through the public `register`, on the images' own grid,
and writes the figures into the model's header: mean Dice per label with a
bootstrap confidence interval (warped masks cut at 0.5), folding, and how well
score and variance find the phantom's nuisance. A label counts in the pairs
that show it in both frames. Slices of one patient are alike: the interval is
that of the means of the patients.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.evaluation.overlap import dice
from napari_adacs.evaluation.sparsification import roc_auc
from napari_adacs.evaluation.statistics import bootstrap_interval
from napari_adacs.models.bundle import load_bundle, save_bundle
from napari_adacs.models.model import Model
from napari_adacs.phantom.echo import EchoPair, echo_pair, random_options
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.register import register, register_on_grids
from napari_adacs.registration.result import RegistrationResult
from napari_adacs.training.pairs import MatFolder

BUNDLED = Path(__file__).parents[1] / 'src/napari_adacs/models/bundled'
FIRST_TEST_SEED = 50_000
SHAPE = {2: (256, 256), 3: (64, 64, 64)}
SMALLEST_NUISANCE = 0.002  # of the sector; less is nothing to detect


def main() -> None:
    """Measure, print, save."""
    chosen = _arguments()
    model = load_bundle(chosen.model)
    metrics: dict[str, Any] = {}
    if chosen.val:
        metrics[chosen.name] = _overlap(_mat_results(model, chosen.val))
    if chosen.phantom:
        metrics['phantom'] = _overlap(
            (result, pair.moving_labels, pair.fixed_labels, str(index))
            for index, (result, pair) in enumerate(
                _phantom_results(model, chosen.phantom)
            )
        )
        metrics['phantom nuisance AUC'] = _detection(model, chosen.phantom)
    for name, values in metrics.items():
        print(name, values)
    header = dataclasses.replace(model.header, metrics=metrics)
    path = BUNDLED / f'{header.name}.safetensors'
    path.parent.mkdir(exist_ok=True)
    save_bundle(path, dataclasses.replace(model, header=header), half=True)
    print(f'{path.name}: {path.stat().st_size / 1e6:.2f} MB')


def _mat_results(model: Model, folder: Path) -> Iterator[tuple[Any, ...]]:
    pairs = MatFolder(folder)
    for index in range(len(pairs)):
        pair = pairs[index]
        result = register(pair.moving, pair.fixed, model)
        patient = pair.name.partition('_')[0]
        yield result, pair.moving_labels, pair.fixed_labels, patient


def _phantom_results(
    model: Model, count: int, nuisance: bool = False
) -> Iterator[tuple[RegistrationResult, EchoPair]]:
    ndim, seed, found = model.header.ndim, FIRST_TEST_SEED, 0
    while found < count:
        options = random_options(np.random.default_rng(seed), ndim)
        if nuisance:
            options = dataclasses.replace(options, nuisance_frame='fixed')
        pair = echo_pair(seed, ndim, SHAPE[ndim], options=options)
        seed += 1
        share = pair.fixed_nuisance.sum() / pair.sector.sum()
        if nuisance and share < SMALLEST_NUISANCE:
            continue
        found += 1
        yield _register_phantom(model, pair), pair


def _register_phantom(model: Model, pair: EchoPair) -> RegistrationResult:
    return register_on_grids(
        ImageOnGrid(pair.moving, pair.grid, 'moving'),
        ImageOnGrid(pair.fixed, pair.grid, 'fixed'),
        RunConfig(model.header.name),
        model=model,
    )


def _overlap(cases: Any) -> dict[str, Any]:
    before: dict[int, list[float]] = {}
    after: dict[int, list[float]] = {}
    patients: dict[int, dict[str, list[float]]] = {}
    folded = []
    for result, moving_labels, fixed_labels, patient in cases:
        folded.append(
            100 * float((result.field.jacobian_determinant() <= 0).mean())
        )
        for label in np.intersect1d(fixed_labels, moving_labels):
            if label == 0:
                continue
            mask = (moving_labels == label).astype(np.float32)
            warped = result.field.warp_image(mask) >= 0.5
            fixed = fixed_labels == label
            found, key = dice(warped, fixed), int(label)
            before.setdefault(key, []).append(dice(mask > 0, fixed))
            after.setdefault(key, []).append(found)
            of_label = patients.setdefault(key, {})
            of_label.setdefault(patient, []).append(found)
    return {
        'cases': len(folded),
        'DSC before': {k: _mean(v) for k, v in before.items()},
        'DSC': {k: _mean(v) for k, v in after.items()},
        'DSC 95% CI': {
            k: _interval([float(np.mean(v)) for v in of_label.values()])
            for k, of_label in patients.items()
        },
        'folded %': round(float(np.mean(folded)), 5),
    }


def _detection(model: Model, count: int) -> dict[str, float]:
    found: dict[str, list[float]] = {'1 - score': [], 'variance': []}
    for result, pair in _phantom_results(model, count, nuisance=True):
        maps: dict[str, NDArray[np.float32]] = {}
        if result.score is not None:
            maps['1 - score'] = 1 - result.score
        if result.variance is not None:
            maps['variance'] = result.variance
        for name, values in maps.items():
            found[name].append(
                roc_auc(pair.fixed_nuisance, values, pair.sector)
            )
    return {name: _mean(v) for name, v in found.items() if v}


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 4)


def _interval(values: list[float]) -> list[float]:
    interval = bootstrap_interval(values)
    return [round(float(interval.low), 4), round(float(interval.high), 4)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', type=Path)
    parser.add_argument('--val', type=Path, help='folder of .mat pairs')
    parser.add_argument('--name', default='camus-128 val', help='of it')
    parser.add_argument(
        '--phantom', type=int, default=20, help='phantom pairs; 0 for none'
    )
    return parser.parse_args()


if __name__ == '__main__':
    main()
