"""From what a person wants to the configuration of a training run."""

from __future__ import annotations

from typing import Any

from napari_adacs.app.finetune.survey import Survey
from napari_adacs.app.finetune.wishes import SCRATCH, Wishes, trained_on
from napari_adacs.errors import InputError
from napari_adacs.models.header import ModelHeader
from napari_adacs.training.config import TrainConfig, config_from_dict
from napari_adacs.weighting.described import described_schemes

# Shares of the steps (displacement, auxiliary): a model brings a displacement
# that moves at once, and an estimator that has to get used to new images.
_FROM_SCRATCH = 0.4, 0.1
_FINE_TUNED = 0.2, 0.1
_NEW_ESTIMATOR = 0.2, 0.2
_FINAL = 0.1
# Of the auxiliary estimators that come with the bundled models.
_ESTIMATOR = {
    'encoder': [8, 16, 16, 16],
    'decoder': [16, 16, 16, 16, 16, 8, 8],
}
_VARIED = {'gamma': 0.2, 'frame_gamma': 0.05, 'noise': 0.02, 'warp': 1.0}
_LOOKS = 20


def training_config(
    wishes: Wishes,
    start: ModelHeader | None,
    start_path: str,
    found: Survey,
) -> TrainConfig:
    """Return the configuration of a run.

    Parameters
    ----------
    wishes : Wishes
        What the form says.
    start : ModelHeader or None
        Model to start from.
    start_path : str
        Its bundle; '' without one.
    found : Survey
        What there is to train on.

    Raises
    ------
    InputError
        If a value cannot be used.
    """
    scratch = wishes.start == SCRATCH or start is None
    every = max(1, wishes.steps // _LOOKS)
    first = wishes.learning_rate
    return config_from_dict(
        {
            'name': wishes.name,
            'network': _network(wishes, start),
            'scheme': _scheme(wishes, start),
            'stages': stages(wishes, start),
            'smoothness': _smoothness(wishes, start),
            'augment': _VARIED if wishes.vary else {},
            'optimiser': {
                'ema': wishes.ema,
                'clip': wishes.clip,
                'precision': wishes.precision,
            },
            'stopping': {'patience': wishes.patience},
            'data': {'held_out': wishes.held_out},
            'batch_size': wishes.batch_size,
            'learning_rate': first,
            'final_learning_rate': _FINAL * first,
            'dice_weight': wishes.dice_weight,
            'dice_labels': list(wishes.dice_labels),
            'bidirectional': wishes.bidirectional,
            **_grid(wishes, start),
            'orientation': wishes.orientation,
            'seed': wishes.seed,
            'validate_every': every,
            'save_every': every,
            'start_from': '' if scratch else start_path,
            'info': _info(wishes, start, found),
        }
    )


def stages(wishes: Wishes, start: ModelHeader | None) -> dict[str, int]:
    """Return the steps of the three stages (AdaCS, Algorithm 1)."""
    estimator = estimator_of(wishes.scheme)
    if estimator is None:
        return {'displacement': wishes.steps, 'auxiliary': 0, 'joint': 0}
    shares = _FROM_SCRATCH
    if start is not None and wishes.start != SCRATCH:
        known = estimator in start.auxiliaries
        shares = _FINE_TUNED if known else _NEW_ESTIMATOR
    first, second = (round(share * wishes.steps) for share in shares)
    return {
        'displacement': first,
        'auxiliary': second,
        'joint': wishes.steps - first - second,
    }


def estimator_of(scheme: str) -> str | None:
    """Return the auxiliary estimator that a scheme trains, or None."""
    for known in described_schemes():
        if known.name == scheme:
            return known.auxiliary
    raise InputError(f"There is no weighting scheme called '{scheme}'.")


def _grid(wishes: Wishes, start: ModelHeader | None) -> dict[str, Any]:
    """Return the grid to train on, and how the model will use it.

    What registers on a finer grid than it was trained on goes on to do so.
    """
    out: dict[str, Any] = {'shape': list(wishes.shape)}
    if start is None:
        return out
    used = start.preprocessing
    if used.shape and wishes.shape == trained_on(start) != used.shape:
        out['model_shape'] = list(used.shape)
    return out | {'grid': used.grid}


def _network(wishes: Wishes, start: ModelHeader | None) -> dict[str, Any]:
    if start is None:
        return {'name': wishes.network}
    return {'name': start.network, 'options': dict(start.network_options)}


def _scheme(wishes: Wishes, start: ModelHeader | None) -> dict[str, Any]:
    estimator = estimator_of(wishes.scheme)
    options = dict(_ESTIMATOR)
    companions: list[str] = []
    if start is not None:
        # all estimators of a run have one size: that of those that exist
        known = start.auxiliaries
        sizes = [known[estimator]] if estimator and estimator in known else []
        sizes += list(known.values())
        options = dict(sizes[0]) if sizes else options
        companions = [
            name
            for name in known
            if name != estimator and dict(known[name]) == options
        ]
    return {
        'name': wishes.scheme,
        'options': dict(wishes.options),
        'auxiliary_options': options,
        'companions': companions,
    }


def _smoothness(wishes: Wishes, start: ModelHeader | None) -> dict[str, Any]:
    made_with = {} if start is None else start.training.get('smoothness', {})
    return {
        'weight': wishes.smoothness,
        'on': made_with.get('on', 'velocity'),
        'reduction': made_with.get('reduction', 'mean'),
    }


def _info(
    wishes: Wishes, start: ModelHeader | None, found: Survey
) -> dict[str, Any]:
    pairs = found.training + found.held_out
    data = f'{pairs} pairs of {found.patients} patients'
    if start is None:
        return {
            'title': wishes.name,
            'description': f'Trained on {data}.',
            'licence': 'that of the training images',
        }
    licence = f'that of the training images, and {start.licence}'
    return {
        'title': f'{wishes.name}, from {start.name}',
        'description': f'{start.name}, fine-tuned on {data}.',
        'domain': start.domain,
        'refine_prior': start.refine_prior,
        'licence': licence if start.licence else 'not stated',
    }
