"""Figures of a training run, from its log and its previews.

    python recipes/plot_log.py RUN [RUN ...] -o FOLDER [--format svg|png]

Writes ``losses``, ``validation``, ``momentum`` (Fig. 5 of the AdaCS paper:
the momentum of the residual over training, a line for each run) and
``maps-RUN`` (how score, variance or weight of one validation pair changed).
A figure is left out where the run has nothing to show in it. Needs
matplotlib, which the plugin itself does not.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402 - after the choice of Agg
from matplotlib.colors import LogNorm, Normalize  # noqa: E402

LOSSES = (
    'data',
    'smoothness',
    'dice',
    'correspondence',
    'deficit',
    'variation',
    'likelihood',
)
MAPS = ('score', 'variance', 'weight')
MOST_COLUMNS = 6
# What a curve is averaged over, as a share of its length.
WINDOW = 0.02

Curve = tuple[np.ndarray, np.ndarray]


def read_log(folder: Path) -> dict[str, Curve]:
    """Return steps and values of every figure in ``log.csv``."""
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    with (folder / 'log.csv').open(newline='', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            found[row['name']].append((int(row['step']), float(row['value'])))
    return {
        name: tuple(np.array(column) for column in zip(*rows, strict=True))
        for name, rows in found.items()
    }


def smooth(values: np.ndarray) -> np.ndarray:
    """Return a running mean, shorter at the ends."""
    width = max(1, round(WINDOW * len(values)))
    sums = np.cumsum(np.concatenate([[0.0], values]))
    ends = np.minimum(np.arange(len(values)) + width // 2 + 1, len(values))
    starts = np.maximum(np.arange(len(values)) - width // 2, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def with_gaps(steps: np.ndarray, values: np.ndarray) -> Curve:
    """Break a curve where a stage left it out."""
    places = np.flatnonzero(np.diff(steps) > 1) + 1
    return (
        np.insert(steps.astype(float), places, np.nan),
        np.insert(values, places, np.nan),
    )


def plot_losses(logs: dict[str, dict[str, Curve]]) -> plt.Figure | None:
    """Draw every loss term, a panel each."""
    names = [n for n in LOSSES if any(n in log for log in logs.values())]
    if not names:
        return None
    figure, axes = plt.subplots(
        1, len(names), figsize=(3.2 * len(names), 2.8), squeeze=False
    )
    for axis, name in zip(axes[0], names, strict=True):
        for run, log in logs.items():
            if name in log:
                steps, values = log[name]
                axis.plot(*with_gaps(steps, smooth(values)), label=run, lw=1)
        axis.set(title=name, xlabel='step')
    axes[0, 0].legend(fontsize='small')
    return figure


def plot_validation(logs: dict[str, dict[str, Curve]]) -> plt.Figure | None:
    """Draw Dice per label, residual and folding on held-out pairs."""
    names = sorted(
        {n for log in logs.values() for n in log if n.startswith('val_')}
    )
    if not names:
        return None
    figure, axes = plt.subplots(
        1, len(names), figsize=(3.2 * len(names), 2.8), squeeze=False
    )
    for axis, name in zip(axes[0], names, strict=True):
        for run, log in logs.items():
            if name in log:
                axis.plot(*log[name], label=run, marker='.', lw=1)
        title = name.removeprefix('val_').replace('dsc_', 'DSC, label ')
        axis.set(title=title, xlabel='step')
    axes[0, 0].legend(fontsize='small')
    return figure


def plot_momentum(logs: dict[str, dict[str, Curve]]) -> plt.Figure | None:
    """Draw the momentum of the residual (AdaCS, Eq. 7 and Fig. 5)."""
    curves = {
        run: log['momentum'] for run, log in logs.items() if 'momentum' in log
    }
    if not curves:
        return None
    figure, axis = plt.subplots(figsize=(4.5, 3.2))
    for run, (steps, values) in curves.items():
        axis.plot(steps, values, label=run, lw=1.2)
    axis.set(xlabel='step', ylabel='momentum $m_T$')
    axis.legend(fontsize='small')
    return figure


def plot_maps(folder: Path) -> plt.Figure | None:
    """Draw how the maps of one validation pair changed."""
    files = sorted((folder / 'previews').glob('step_*.npz'))
    if not files:
        return None
    chosen = np.unique(
        np.linspace(0, len(files) - 1, MOST_COLUMNS).round().astype(int)
    )
    slices = {
        int(files[i].stem.split('_')[1]): dict(np.load(files[i]))
        for i in chosen
    }
    first = next(iter(slices.values()))
    rows = ['warped', *(name for name in MAPS if name in first)]
    if 'score' in first and np.array_equal(first['score'], first['weight']):
        rows.remove('weight')  # the weight of AdaCS is its score
    figure, axes = plt.subplots(
        len(rows),
        len(slices) + 1,
        figsize=(1.8 * (len(slices) + 1), 1.9 * len(rows)),
        squeeze=False,
        layout='constrained',
    )
    for row, name in zip(axes, rows, strict=True):
        _plot_row(row, name, slices)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    return figure


def _plot_row(
    row: np.ndarray, name: str, slices: dict[int, dict[str, np.ndarray]]
) -> None:
    """Draw the fixed image, then one map over the steps, on one scale.

    It is that of the last map: an estimator that is not trained yet says
    the same everywhere, which may lie far off.
    """
    last = list(slices.values())[-1][name].astype(float)
    low, high = np.percentile(last, (1, 99))
    scale = Normalize(low, max(high, low + 1e-6))
    if name == 'variance':
        scale = LogNorm(max(low, 1e-6), max(high, 2e-6))
    fixed = next(iter(slices.values()))['fixed'].astype(float)
    row[0].imshow(fixed.T, cmap='gray')
    row[0].set_title('fixed', fontsize='small')
    colours = 'gray' if name == 'warped' else 'viridis'
    for axis, (step, values) in zip(row[1:], slices.items(), strict=True):
        shown = axis.imshow(
            values[name].astype(float).T, cmap=colours, norm=scale
        )
        axis.set_title(f'{name}, step {step}', fontsize='small')
    row[-1].figure.colorbar(shown, ax=list(row), fraction=0.02, pad=0.01)


def main() -> None:
    """Draw everything there is to draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('runs', nargs='+', type=Path, metavar='RUN')
    parser.add_argument('-o', '--out', type=Path, required=True)
    parser.add_argument('--format', choices=('svg', 'png'), default='svg')
    chosen = parser.parse_args()
    for run in chosen.runs:
        if not (run / 'log.csv').exists():
            parser.error(f'{run} has no log.csv: it is no training run.')
    logs = {run.name: read_log(run) for run in chosen.runs}
    figures = {
        'losses': plot_losses(logs),
        'validation': plot_validation(logs),
        'momentum': plot_momentum(logs),
    }
    figures |= {f'maps-{run.name}': plot_maps(run) for run in chosen.runs}
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        if figure is None:
            print(f'{name}: nothing to show')
            continue
        path = chosen.out / f'{name}.{chosen.format}'
        if figure.get_layout_engine() is None:
            figure.tight_layout()
        figure.savefig(path, dpi=150)
        print(path)


if __name__ == '__main__':
    main()
