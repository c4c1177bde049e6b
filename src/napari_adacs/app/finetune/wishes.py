"""What a person wants to train, and what they get if they say nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from napari_adacs.models.header import FROM_ZERO, ModelHeader
from napari_adacs.models.library import list_models
from napari_adacs.runs.folders import runs_folder
from napari_adacs.weighting.described import described_schemes

SCRATCH = 'scratch'
# Of networks that start from nothing (recipes of the bundled models).
_SHAPES = {2: (128, 128), 3: (48, 48, 48)}
_BATCHES = {2: 8, 3: 1}
_SMOOTHNESS = {2: 0.01, 3: 0.003}
_RATE = 4e-4
# A model that has learnt already forgets at the rate it learnt with.
_FINE_TUNING_RATE = 1e-4
_SCHEME = 'adacs'


@dataclass(frozen=True)
class Wishes:
    """What the form says.

    Parameters
    ----------
    name : str
        Name of the model to be.
    start : str
        Model to start from, by name or path, or 'scratch'.
    network : str
        Architecture, of a start from scratch.
    shape : tuple of int
        Grid of the network.
    orientation : str
        How axes are turned before the network sees them.
    scheme : str
        Weighting scheme.
    options : mapping of str to object
        Its hyperparameters.
    learning_rate : float
        At the beginning; it ends at a tenth.
    batch_size : int
        Pairs per step.
    smoothness : float
        Weight of the smoothness penalty.
    minutes : float or None
        Budget in minutes; None for `steps`.
    steps : int
        Budget in steps.
    device : str
        As in `RunConfig`.
    bidirectional, dice_weight, dice_labels, ema, seed, held_out, patience, \
clip, precision
        As in `TrainConfig` and its sections.
    vary : bool
        Whether to vary brightness, noise and shape of the training pairs.
    """

    name: str = 'my-model'
    start: str = SCRATCH
    network: str = 'voxelmorph'
    shape: tuple[int, ...] = _SHAPES[2]
    orientation: str = 'array'
    scheme: str = _SCHEME
    options: Mapping[str, Any] = field(default_factory=dict)
    learning_rate: float = _RATE
    batch_size: int = _BATCHES[2]
    smoothness: float = _SMOOTHNESS[2]
    minutes: float | None = 10.0
    steps: int = 1000
    device: str = 'auto'
    bidirectional: bool = True
    dice_weight: float = 0.0
    dice_labels: tuple[int, ...] = ()
    ema: float = 0.0
    seed: int = 0
    held_out: float = 0.1
    patience: int = 0
    clip: float = 0.0
    precision: str = 'float32'
    vary: bool = True


def usual_wishes(start: ModelHeader | None, ndim: int) -> Wishes:
    """Return what suits a start, before anybody has changed anything.

    Parameters
    ----------
    start : ModelHeader or None
        The model to start from; None for none.
    ndim : int
        Number of axes of the images.
    """
    usual = Wishes(
        name=f'my-{ndim}d-model',
        shape=_SHAPES[ndim],
        batch_size=_BATCHES[ndim],
        smoothness=_SMOOTHNESS[ndim],
        options=usual_options(_SCHEME),
    )
    if start is None:
        return usual
    recipe = start.training
    smoothness = recipe.get('smoothness', {}).get('weight', usual.smoothness)
    return replace(
        usual,
        name=f'{start.name}-tuned',
        start=start.name,
        network=start.network,
        shape=trained_on(start) or usual.shape,
        orientation=start.preprocessing.orientation,
        scheme=start.scheme,
        options=usual_options(start.scheme, start),
        learning_rate=_FINE_TUNING_RATE,
        batch_size=int(recipe.get('batch_size', usual.batch_size)),
        smoothness=float(smoothness),
    )


def trained_on(start: ModelHeader) -> tuple[int, ...]:
    """Return the grid that a model has learnt on; () if nobody knows.

    It may be coarser than the one on which the model registers.
    """
    known = start.training.get('shape') or start.preprocessing.shape
    return tuple(int(n) for n in known)


def usual_options(
    scheme: str, start: ModelHeader | None = None
) -> dict[str, Any]:
    """Return the hyperparameters of a scheme: the start's, or defaults."""
    known = next((s for s in described_schemes() if s.name == scheme), None)
    if known is None:
        return {}
    options = {p.name: p.default for p in known.parameters}
    if start is not None and start.scheme == scheme:
        options |= {
            k: v for k, v in start.scheme_options.items() if k in options
        }
    return options


def can_be_trained(header: ModelHeader) -> bool:
    """Whether a model has anything that could learn."""
    return header.network != FROM_ZERO


def free_name(wanted: str) -> str:
    """Return a name that no model and no run has, with a number if need be."""
    taken = {entry.name for entry in list_models()}
    with contextlib.suppress(OSError):
        taken |= {folder.name for folder in runs_folder().iterdir()}
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f'{wanted}-{number}'
    return name
