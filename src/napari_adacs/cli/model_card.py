"""What a trained model says about itself: its model card."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_adacs.cli.run_history import public, read_history
from napari_adacs.io.record import package_versions
from napari_adacs.models.bundle import read_header, with_header
from napari_adacs.models.card import USE
from napari_adacs.models.header import ModelHeader
from napari_adacs.runs.outcome import Comparison
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.sources.listing import is_made, made_pairs

if TYPE_CHECKING:
    import torch

    from napari_adacs.training.sources.opening import TrainingData

_USES = {'train': 'trained on', 'val': 'held out', 'skipped': 'skipped'}


@dataclass(frozen=True)
class Facts:
    """What a card tells of a run, beside its recipe.

    Parameters
    ----------
    names : sequence of str
        The data, as on the command line.
    data : TrainingData
        The pairs behind them.
    config : TrainConfig
        What was trained.
    device : torch.device
        Where.
    steps : int
        How many were done.
    seconds : float
        Time they took.
    rows : sequence of Comparison
        Before and after.
    """

    names: Sequence[str]
    data: TrainingData
    config: TrainConfig
    device: torch.device
    steps: int
    seconds: float
    rows: Sequence[Comparison]


def write_card(bundle: Path, facts: Facts) -> None:
    """Write a card into a bundle, in place.

    Raises
    ------
    AdacsError
        If the bundle cannot be read or written.
    """
    header = read_header(bundle)
    history = read_history(bundle.parent)
    with_header(bundle, bundle, _with_card(header, facts, history))


def _with_card(
    header: ModelHeader, facts: Facts, history: dict[str, Any]
) -> ModelHeader:
    # Its name: paths are of this computer.
    start = str(header.training.get('start_from', ''))
    start = start or str(history.get('started from', ''))
    metrics = {**header.metrics}
    if facts.rows:
        metrics['held-out pairs'] = {
            f'{row.measure} {row.label}'.strip(): _figures(row)
            for row in facts.rows
        }
    return replace(
        header,
        description=header.description or _sentence(start, facts),
        training={**header.training, 'run': history | _run(start, facts)},
        metrics=metrics,
    )


def _run(start: str, facts: Facts) -> dict[str, Any]:
    stages = facts.config.stages
    return {
        'started from': start or 'scratch',
        'pairs': _pairs(facts),
        'split': _split(facts.config),
        'labels': _labels(facts.config),
        'steps': facts.steps,
        'of planned steps': stages.total,
        'seconds': round(facts.seconds, 1),
        'device': _device(facts.device),
        'versions': dict(package_versions()),
        'intended use': USE,
    }


def _sentence(start: str, facts: Facts) -> str:
    what = f'Fine-tuned from {start}' if start else 'Trained'
    names = ', '.join(map(public, facts.names))
    return f'{what} on {len(facts.data.training)} pairs of {names}. {USE}'


def _pairs(facts: Facts) -> dict[str, dict[str, int]]:
    """Return how many pairs of each source are used for what."""
    found: dict[str, dict[str, int]] = {}
    for source, _, use, _ in facts.data.rows:
        counts = found.setdefault(public(source), {})
        counts[_USES[use]] = counts.get(_USES[use], 0) + 1
    for name in facts.names:
        if is_made(name):
            found[name] = {_USES['train']: made_pairs(name)}
    if facts.data.validation is not None and facts.names:
        first = found.setdefault(public(facts.names[0]), {})
        first.setdefault(_USES['val'], len(facts.data.validation))
    return found


def _split(config: TrainConfig) -> str:
    data = config.data
    return (
        "the data's own, else "
        f'{100 * data.held_out:g} % of patients held out '
        f'(seed {data.split_seed})'
    )


def _labels(config: TrainConfig) -> str:
    """Say what labels had to do with training."""
    if config.dice_weight <= 0:
        return 'not used for training'
    which = ', '.join(map(str, config.dice_labels))
    chosen = f'labels {which}' if which else 'labels drawn at every step'
    alone = '' if config.similarity_weight > 0 else ', without similarity'
    return f'Dice of {chosen}, weight {config.dice_weight:g}{alone}'


def _device(device: torch.device) -> str:
    if device.type == 'cuda':
        import torch

        return torch.cuda.get_device_name(device)
    return f'{device.type}, {platform.machine()}'


def _figures(row: Comparison) -> dict[str, Any]:
    figures = {
        'unregistered': row.unregistered,
        'before': row.before,
        'after': row.after,
        'pairs': row.n,
        'patients': row.patients,
        'p': row.p,
        'unit': row.unit,
    }
    # JSON knows no NaN.
    return {
        name: value
        for name, value in figures.items()
        if value == value and value != ''
    }
