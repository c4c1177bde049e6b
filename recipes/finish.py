"""Measure a trained model and store it as a bundled one.

    python recipes/finish.py RUN/model.safetensors --val CAMUS/val
    python recipes/finish.py RUN/model.safetensors --phantom 20
    python recipes/finish.py RUN/model.safetensors --val ACDC/val \
        --name 'acdc-128 val' --phantom 0

Registers every pair through the public `register`, on the images' own grid,
and writes the figures into the model's header, its card: mean Dice, Hausdorff
and average surface distance per label with a bootstrap confidence interval
(warped masks cut at 0.5), folding, the three worst pairs, and how well score
and variance find the phantom's nuisance. A label counts in the pairs that show
it in both frames. Slices of one patient are alike: the interval is that of the
means of the patients. Figures of other data sets that the header has stay.

Data, split, commands and time are in the header of whatever `train` has made.
Where they are not, as in older models or for the stages before the last one,
--data, --split, --labels, --time and --command say them, and --limits where
the model fails, if `[info] limits` of the recipe does not. docs/model-cards.md
is written anew.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from model_cards import PAGE, cards
from numpy.typing import NDArray

from napari_adacs.benchmark.card_figures import (
    CaseFigures,
    case_figures,
    overlap_figures,
)
from napari_adacs.evaluation.sparsification import roc_auc
from napari_adacs.models.bundle import load_bundle, save_bundle
from napari_adacs.models.card import model_card
from napari_adacs.models.model import Model
from napari_adacs.models.packing import Storage
from napari_adacs.phantom.echo import EchoPair, echo_pair, random_options
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.register import register, register_on_grids
from napari_adacs.registration.result import RegistrationResult
from napari_adacs.training.pairs import MatFolder

BUNDLED = Path(__file__).parents[1] / 'src/napari_adacs/models/bundled'
FIRST_TEST_SEED = 50_000
SHAPE = {2: (256, 256), 3: (64, 64, 64)}
STORAGE: Storage = 'byte'
SMALLEST_NUISANCE = 0.002  # of the sector; less is nothing to detect


def main() -> None:
    """Measure, print, save."""
    chosen = _arguments()
    model = _as_stored(load_bundle(chosen.model))
    metrics = dict(model.header.metrics)
    if chosen.val:
        # What training has measured on the same pairs, more coarsely.
        metrics.pop('held-out pairs', None)
        metrics[chosen.name] = overlap_figures(_mat_cases(model, chosen.val))
    if chosen.phantom:
        metrics['phantom'] = overlap_figures(
            case_figures(
                result.field,
                pair.moving_labels,
                pair.fixed_labels,
                f'phantom {FIRST_TEST_SEED + index}',
            )
            for index, (result, pair) in enumerate(
                _phantom_results(model, chosen.phantom)
            )
        )
        found = _detection(model, chosen.phantom)
        if found:
            metrics['phantom nuisance AUC'] = found
    told = {
        name: getattr(chosen, name)
        for name in ('preference', 'refine_prior')
        if getattr(chosen, name) is not None
    }
    header = dataclasses.replace(
        model.header,
        metrics=metrics,
        training=_training(model.header.training, chosen),
        **told,
    )
    print(model_card(header).to_text())
    path = BUNDLED / f'{header.name}.safetensors'
    path.parent.mkdir(exist_ok=True)
    save_bundle(path, dataclasses.replace(model, header=header), STORAGE)
    print(f'{path.name}: {path.stat().st_size / 1e6:.2f} MB')
    PAGE.write_text(cards(), 'utf-8')


def _as_stored(model: Model) -> Model:
    """Return the model that people will get: weights of 8 bits."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / 'stored.safetensors'
        save_bundle(path, model, STORAGE)
        return load_bundle(path)


def _training(
    training: Mapping[str, Any], chosen: argparse.Namespace
) -> dict[str, Any]:
    """Return what the header says of training, with what was told."""
    out, run = dict(training), dict(training.get('run') or {})
    if '/' in str(out.get('start_from', '')):
        # Paths of a computer are of no use to anybody else.
        out['start_from'] = ''
    told = {
        'pairs': chosen.data,
        'split': chosen.split,
        'labels': chosen.labels,
        'seconds': chosen.time,
    }
    run |= {key: value for key, value in told.items() if value}
    if chosen.command:
        *earlier, run['command'] = chosen.command
        run['earlier'] = [{'command': command} for command in earlier]
    if chosen.limits:
        out['info'] = dict(out.get('info') or {}) | {'limits': chosen.limits}
    return out | {'run': run} if run else out


def _mat_cases(model: Model, folder: Path) -> Iterator[CaseFigures]:
    pairs = MatFolder(folder)
    for index in range(len(pairs)):
        pair = pairs[index]
        result = register(pair.moving, pair.fixed, model)
        patient = pair.name.partition('_')[0]
        moving, fixed = pair.moving_labels, pair.fixed_labels
        if moving is not None and fixed is not None:
            yield case_figures(result.field, moving, fixed, pair.name, patient)


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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', type=Path)
    parser.add_argument('--val', type=Path, help='folder of .mat pairs')
    parser.add_argument('--name', default='camus-128 val', help='of it')
    parser.add_argument('--data', help='what it was trained on')
    parser.add_argument('--split', help='how that was divided')
    parser.add_argument('--labels', help='what labels taught, in any stage')
    parser.add_argument('--time', help='how long training took, on what')
    parser.add_argument('--limits', help='where it is known to fail')
    parser.add_argument(
        '--preference',
        type=int,
        help='among models for one kind of image the largest is taken',
    )
    parser.add_argument(
        '--refine-prior',
        type=float,
        help='how much refining holds on to its estimate',
    )
    parser.add_argument(
        '--command',
        action='append',
        help='what trains it; once per stage, in order',
    )
    parser.add_argument(
        '--phantom', type=int, default=20, help='phantom pairs; 0 for none'
    )
    return parser.parse_args()


if __name__ == '__main__':
    main()
