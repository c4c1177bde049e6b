"""Train every weighting scheme from the same start, and compare them.

    python recipes/compare_schemes.py CAMUS -o RUNS --seeds 1 2 3
    python recipes/compare_schemes.py CAMUS -o RUNS --report

CAMUS holds ``train/`` and ``val/`` (see docs/training.md). For each seed a
plain VoxelMorph is trained for `WARMUP` steps; every scheme then goes on from
that network for `JOINT` steps with the same pairs, rate and smoothness, so
that all of them have had the same number of displacement updates. An
auxiliary estimator gets `AUXILIARY` steps of its own before that. The last
state is measured, not the best one: the validation pairs choose nothing.

Each run leaves ``RUNS/<scheme>-<variant>-<seed>/cases.csv``; one that has it
is not repeated, so the command can be stopped and called again.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import ttest_rel

from napari_adacs.evaluation.overlap import dice
from napari_adacs.evaluation.surface import surface_distances
from napari_adacs.io.atomic import atomic_path
from napari_adacs.models.model import Model
from napari_adacs.registration.register import register
from napari_adacs.training.augment import augment
from napari_adacs.training.batch import collate
from napari_adacs.training.config import TrainConfig, config_from_dict
from napari_adacs.training.pairs import MatFolder, PairSource, TrainingPair
from napari_adacs.training.sections import AugmentConfig
from napari_adacs.training.train import train
from napari_adacs.weighting.registry import SCHEMES

WARMUP, AUXILIARY, JOINT = 500, 100, 500
BATCH_SIZE = 8
LEARNING_RATE = 4e-4
SMOOTHNESS = 0.01
MYOCARDIUM = 2
SMALL_ESTIMATOR = {
    'encoder': [8, 16, 16, 16],
    'decoder': [16, 16, 16, 16, 16, 8, 8],
}


@dataclasses.dataclass(frozen=True)
class Variant:
    """A scheme with hyperparameters.

    Parameters
    ----------
    scheme : str
        Name in `weighting.registry`.
    name : str
        '' for the defaults of the paper.
    options : dict
        Hyperparameters that differ from the defaults.
    smoothness : float
        Factor of the smoothness penalty.
    nuisance : float
        Share of the training pairs with shadow or haze in one frame.
    """

    scheme: str
    name: str = ''
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    smoothness: float = SMOOTHNESS
    nuisance: float = 0.0

    @property
    def key(self) -> str:
        """Return the name of the run's folder, without the seed."""
        return '-'.join(filter(None, [self.scheme, self.name]))


DEFAULTS = [
    Variant(scheme)
    for scheme in (
        'vanilla',
        'nll',
        'beta_nll',
        'adareg',
        'adaframe',
        'adacs',
        'heteroscedastic',
    )
]
# A weighting changes the balance of residual and smoothness: each scheme
# is also tried at other balances, so that none wins by that alone.
SEARCH = [
    Variant(scheme, f'smooth{value:g}', smoothness=value)
    for scheme in ('vanilla', 'adacs', 'heteroscedastic')
    for value in (0.0025, 0.005, 0.02, 0.04)
]
# What a weighting is meant for: training pairs of which many do not match
# everywhere. The held-out pairs stay as they are.
NUISANCE = [
    Variant(scheme, f'nuisance{share:g}', nuisance=share)
    for scheme in ('vanilla', 'adacs', 'heteroscedastic')
    for share in (0.5, 1.0)
]
# How boldly a score falls, how smooth it is, and how much the signal-to-noise
# ratio of the heteroscedastic weight counts, around the values of the papers.
HYPERPARAMETERS = [
    Variant(scheme, f'{name}{value:g}', {name: value})
    for scheme, name, values in (
        ('adacs', 'alpha', (0.01, 0.02, 0.08)),
        ('adacs', 'beta', (0.5, 5.0)),
        ('heteroscedastic', 'gamma', (0.25, 0.75, 1.0)),
        ('heteroscedastic', 'beta', (0.0, 1.0)),
    )
    for value in values
]
VARIANTS = {v.key: v for v in DEFAULTS + SEARCH + NUISANCE + HYPERPARAMETERS}
METRICS = ('dsc', 'hd', 'asd')


def main() -> None:
    """Train what is missing, or print the tables."""
    chosen = _arguments()
    if chosen.report:
        print(report(chosen.output))
        return
    torch.set_num_threads(chosen.threads)
    pairs = MatFolder(chosen.data / 'train')
    held_out = MatFolder(chosen.data / 'val')
    for seed in chosen.seeds:
        for key in chosen.variants:
            folder = chosen.output / f'{key}-{seed}'
            if (folder / 'cases.csv').exists():
                continue
            began = time.perf_counter()
            start = _warm_up(pairs, seed, chosen.output)
            variant = VARIANTS[key]
            config = _config(variant, seed, start)
            resume = (folder / 'checkpoint.pt').exists()
            seen = Spoiled(pairs, variant.nuisance)
            model = train(seen, config, folder=folder, resume=resume)
            cases = measure(model, held_out)
            _write_cases(folder / 'cases.csv', cases)
            seconds = time.perf_counter() - began
            scores = np.mean([case['dsc'] for case in cases])
            print(f'{folder.name}: DSC {scores:.4f}, {seconds:.0f} s')
            sys.stdout.flush()


class Spoiled(PairSource):
    """Pairs of which a share have shadow or haze in one frame.

    Each pair is spoiled in one way, the same for every scheme and seed.

    Parameters
    ----------
    pairs : PairSource
        Clean pairs.
    share : float
        From 0 to 1.
    """

    def __init__(self, pairs: PairSource, share: float) -> None:
        self._pairs = pairs
        self._changes = AugmentConfig(nuisance=share)

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> TrainingPair:
        pair = self._pairs[index]
        if not self._changes.nuisance:
            return pair
        rng = torch.Generator().manual_seed(index)
        batch = collate([pair], pair.fixed.shape)
        changed = augment(batch, self._changes, rng)
        return dataclasses.replace(
            pair,
            moving=changed.moving[0, 0].numpy(),
            fixed=changed.fixed[0, 0].numpy(),
        )

    def name(self, index: int) -> str:
        return self._pairs.name(index)


def measure(model: Model, pairs: PairSource) -> list[dict[str, float]]:
    """Return DSC, HD and ASD (voxels) of the myocardium, pair by pair."""
    cases = []
    for index in range(len(pairs)):
        pair = pairs[index]
        if pair.moving_labels is None or pair.fixed_labels is None:
            raise SystemExit(f'{pair.name} has no labels.')
        field = register(pair.moving, pair.fixed, model).field
        moving = (pair.moving_labels == MYOCARDIUM).astype(np.float32)
        fixed = pair.fixed_labels == MYOCARDIUM
        warped = field.warp_image(moving) >= 0.5
        distances = surface_distances(fixed, warped)
        folded = (field.jacobian_determinant() <= 0).mean()
        cases.append(
            {
                'dsc': dice(fixed, warped),
                'hd': distances.hd,
                'asd': distances.asd,
                'folded': 100 * float(folded),
            }
        )
    return cases


def report(folder: Path) -> str:
    """Return the tables as Markdown, one row for each variant."""
    found: dict[str, dict[int, Cases]] = {}
    for path in sorted(folder.glob('*/cases.csv')):
        key, _, seed = path.parent.name.rpartition('-')
        found.setdefault(key, {})[int(seed)] = _read_cases(path)
    headings = ['scheme', 'seeds', 'DSC', 'HD', 'ASD', 'folded %']
    headings += ['DSC against vanilla', 'p']
    lines = [f'| {" | ".join(headings)} |', '|---' * len(headings) + '|']
    for key in (k for k in VARIANTS if k in found):
        runs = list(found[key].values())
        cells = [key, ' '.join(str(seed) for seed in found[key])]
        cells += [_mean_and_spread([run[m] for run in runs]) for m in METRICS]
        cells.append(f'{np.mean([run["folded"] for run in runs]):.4f}')
        plain = _plain(VARIANTS[key]).key
        cells += (
            ['', '']
            if key == plain
            else _against(found[key], found.get(plain, {}))
        )
        lines.append('| ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def _plain(variant: Variant) -> Variant:
    """Return the unweighted variant that has seen the same pairs."""
    return next(
        v
        for v in VARIANTS.values()
        if v.scheme == 'vanilla' and v.nuisance == variant.nuisance
    )


Cases = dict[str, NDArray[np.float64]]


def _mean_and_spread(runs: Sequence[NDArray[np.float64]]) -> str:
    """Mean over cases and seeds, and how far the seeds' means scatter."""
    means = [run.mean() for run in runs]
    spread = np.std(means, ddof=1) if len(means) > 1 else float('nan')
    return f'{np.mean(means):.4f} ± {spread:.4f}'


def _against(
    ours: Mapping[int, Cases], plain: Mapping[int, Cases]
) -> list[str]:
    """Paired t-test over the cases, averaged over the seeds of both."""
    seeds = sorted(ours.keys() & plain.keys())
    if not seeds:
        return ['', '']
    mine, other = (
        np.mean([runs[seed]['dsc'] for seed in seeds], axis=0)
        for runs in (ours, plain)
    )
    p = ttest_rel(mine, other).pvalue
    return [f'{(mine - other).mean():+.4f}', f'{p:.2g}']


def _warm_up(pairs: PairSource, seed: int, output: Path) -> Path:
    folder = output / f'warmup-{seed}'
    bundle = folder / 'model.safetensors'
    if not bundle.exists():
        resume = (folder / 'checkpoint.pt').exists()
        train(pairs, _warm_up_config(seed), folder=folder, resume=resume)
    return bundle


def _warm_up_config(seed: int) -> TrainConfig:
    return _complete(
        seed, {'stages': {'displacement': WARMUP, 'auxiliary': 0, 'joint': 0}}
    )


def _config(variant: Variant, seed: int, start: Path) -> TrainConfig:
    scheme: dict[str, Any] = {
        'name': variant.scheme,
        'options': dict(variant.options),
        'auxiliary_options': SMALL_ESTIMATOR,
    }
    has_estimator = SCHEMES[variant.scheme].auxiliary is not None
    stages = {
        'displacement': 0,
        'auxiliary': AUXILIARY if has_estimator else 0,
        'joint': JOINT,
    }
    return _complete(
        seed + 100,
        {
            'scheme': scheme,
            'stages': stages,
            'start_from': str(start),
            'final_learning_rate': 2e-5,
        },
        variant.smoothness,
    )


def _complete(
    seed: int, values: Mapping[str, Any], smoothness: float = SMOOTHNESS
) -> TrainConfig:
    common = {
        'shape': [128, 128],
        'orientation': 'beam',
        'batch_size': BATCH_SIZE,
        'learning_rate': LEARNING_RATE,
        'final_learning_rate': LEARNING_RATE,
        'scheme': {'name': 'vanilla'},
        'smoothness': {
            'weight': smoothness,
            'on': 'velocity',
            'reduction': 'mean',
        },
        'seed': seed,
        'save_every': 100,
    }
    return config_from_dict(common | dict(values))


def _write_cases(path: Path, cases: Sequence[Mapping[str, float]]) -> None:
    with atomic_path(path) as temporary, temporary.open('w') as file:
        writer = csv.DictWriter(file, list(cases[0]))
        writer.writeheader()
        writer.writerows(cases)


def _read_cases(path: Path) -> Cases:
    with path.open(newline='') as file:
        rows = list(csv.DictReader(file))
    return {
        name: np.array([float(row[name]) for row in rows]) for name in rows[0]
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path, help='folder with train/ and val/')
    parser.add_argument('-o', '--output', type=Path, required=True)
    parser.add_argument('--seeds', type=int, nargs='+', default=[1, 2, 3])
    parser.add_argument(
        '--variants',
        nargs='+',
        choices=VARIANTS,
        default=[variant.key for variant in DEFAULTS],
    )
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--report', action='store_true')
    return parser.parse_args()


if __name__ == '__main__':
    main()
