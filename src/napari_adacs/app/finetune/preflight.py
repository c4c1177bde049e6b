"""What a run will do, or why it cannot, before anything is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped,unused-ignore]

from napari_adacs.app.finetune.recipe import estimator_of, training_config
from napari_adacs.app.finetune.survey import Survey
from napari_adacs.app.finetune.wishes import (
    SCRATCH,
    Wishes,
    can_be_trained,
)
from napari_adacs.app.settings import compute_settings
from napari_adacs.errors import InputError
from napari_adacs.models.header import ModelHeader
from napari_adacs.models.library import find_model, list_models
from napari_adacs.training.config import TrainConfig

# Bytes of a step per voxel of the batch, without and with an estimator, and
# of a process that trains nothing (measured on VoxelMorph, 2D and 3D).
_BYTES, _ESTIMATOR_BYTES, _PROCESS_BYTES = 2600, 1700, 4e8
# Weights, gradients, two moments and the best weights of the large ones.
_HEAVY_BYTES = {'transmorph': 1e9, 'diffusemorph': 2e9}


@dataclass(frozen=True)
class Start:
    """Where a run begins.

    Parameters
    ----------
    header : ModelHeader or None
        The model; None for scratch.
    path : str, default: ''
        Its bundle.
    """

    header: ModelHeader | None = None
    path: str = ''


@dataclass(frozen=True)
class Ready:
    """A run that can be started.

    Parameters
    ----------
    config : TrainConfig
        All that decides it.
    sentences : tuple of str
        The same in words.
    """

    config: TrainConfig
    sentences: tuple[str, ...]


def start_of(value: str, ndim: int) -> Start:
    """Find the model that a choice stands for.

    Raises
    ------
    ModelError
        If there is none.
    InputError
        If it is for other images, or has nothing to train.
    """
    if value == SCRATCH:
        return Start()
    entry = find_model(value)
    header = entry.header
    if header.ndim != ndim:
        raise InputError(
            f'Model {header.name} is for {header.ndim}D images; these are '
            f'{ndim}D.',
            f'Start from a {ndim}D model, or from scratch.',
        )
    if not can_be_trained(header) or entry.source == 'checkpoint':
        raise InputError(
            f'Model {header.name} cannot be trained.',
            'Start from another model, or from scratch.',
        )
    return Start(header, str(entry.path))


def preflight(wishes: Wishes, start: Start, found: Survey) -> Ready:
    """Find out what a run would do, without reading an image.

    Raises
    ------
    InputError
        If it cannot be run.
    """
    _check_name(wishes.name)
    if len(wishes.shape) != found.ndim:
        raise InputError(
            f'The network grid has {len(wishes.shape)} axes and the images '
            f'have {found.ndim}.',
            'Choose another start.',
        )
    if wishes.dice_weight and not wishes.dice_labels:
        raise InputError(
            'It is not said which labels guide the training.',
            'Name them, such as 1, 2, or set the weight of labels to 0.',
        )
    config = training_config(wishes, start.header, start.path, found)
    memory = memory_gb(config)
    _check_memory(memory, wishes.device)
    grid = ' × '.join(map(str, config.shape))
    budget = f'{wishes.steps} steps'
    if wishes.minutes is not None:
        budget = f'{wishes.minutes:g} min'
    return Ready(
        config,
        (
            found.sentence,
            (
                f'Network {config.network.name} on {grid}, {budget} on '
                f'{wishes.device}, about {_readable(memory)} of memory.'
            ),
        ),
    )


def memory_gb(config: TrainConfig) -> float:
    """Estimate the peak memory of a training process in GB."""
    parts = config.optimiser.accumulation
    voxels = math.prod(config.shape) * config.batch_size / parts
    per_voxel = float(_BYTES)
    if estimator_of(config.scheme.name) or config.scheme.companions:
        per_voxel += _ESTIMATOR_BYTES
    heavy = _HEAVY_BYTES.get(config.network.name, 0.0)
    return (voxels * per_voxel + heavy + _PROCESS_BYTES) / 1e9


def _check_name(name: str) -> None:
    if not name.strip() or set(name) & set('/\\:*?"<>|') or name[0] in '.~':
        raise InputError(
            f"'{name}' cannot be the name of a model.",
            'Use letters, digits and hyphens.',
        )
    if name in [entry.name for entry in list_models()]:
        raise InputError(
            f"There is a model called '{name}' already.",
            'Choose another name for the new one.',
        )


def _check_memory(needed: float, device: str) -> None:
    if device.startswith('cuda'):
        return
    cap = compute_settings().memory_cap_gb
    free = psutil.virtual_memory().available / 1e9
    most = min(cap, free) if cap else free
    if needed > most:
        what = 'allowed in the preferences' if cap == most else 'free'
        raise InputError(
            f'This training needs about {_readable(needed)} of memory, and '
            f'{_readable(most)} are {what}.',
            'Lower the batch size, or choose a smaller network grid.',
        )


def _readable(gigabytes: float) -> str:
    if gigabytes < 0.95:
        return f'{max(10, round(100 * gigabytes) * 10)} MB'
    return f'{gigabytes:.1f} GB'
