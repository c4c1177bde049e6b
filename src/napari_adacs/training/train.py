"""The public entry to training."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from napari_adacs.errors import InputError, ModelError
from napari_adacs.models.bundle import save_bundle
from napari_adacs.models.header import ModelHeader, Preprocessing
from napari_adacs.models.library import find_model, load_model
from napari_adacs.models.model import Model, build_model
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.device_errors import readable_device_errors
from napari_adacs.training.log import check_tensorboard
from napari_adacs.training.pairs import PairList, PairSource, TrainingPair
from napari_adacs.training.processes import connected
from napari_adacs.training.run_files import MODEL
from napari_adacs.training.trainer import Progress, Trainer
from napari_adacs.training.wishes import KeepTo
from napari_adacs.weighting.registry import build_scheme


def train(
    pairs: PairSource | Sequence[TrainingPair],
    config: TrainConfig,
    *,
    validation: PairSource | Sequence[TrainingPair] | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    device: str | torch.device = 'cpu',
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
    pause: Callable[[], bool] | None = None,
    keep_to: KeepTo | None = None,
) -> Model:
    """Train a model with a weighting scheme.

    Parameters
    ----------
    pairs : sequence of TrainingPair
        Training pairs, images in [0, 1].
    config : TrainConfig
        Network, scheme, stages and hyperparameters.
    validation : sequence of TrainingPair, optional
        Held-out pairs; with labels, the best state is returned.
    folder : str or Path, optional
        Where to keep checkpoint, log and, at the end, `model.safetensors`.
    resume : bool, default: False
        Whether to continue the run in `folder`.
    device : str or torch.device, default: 'cpu'
        Where to compute; with several processes on CUDA, each needs its
        own.
    progress : callable, optional
        Called with (step, total, losses).
    cancel : callable, optional
        Asked before each step whether to stop.
    pause : callable, optional
        Asked before each step whether to rest, until it says no.
    keep_to : callable, optional
        Asked before each step, with (step, stages), how long the stages
        shall be from now on: a `training.deadline.Deadline`. Not with
        several processes.

    Returns
    -------
    Model
        The trained model, in evaluation mode.

    Raises
    ------
    InputError
        If there are no pairs, nothing to resume, no labels to be guided by,
        or a loss diverges.
    ModelError
        If the model to start from is damaged or has another network.
    DeviceError
        If the device runs out of memory or cannot compute as asked.

    Notes
    -----
    Started by torchrun, the processes share each batch.
    """
    where = torch.device(device)
    if config.log.tensorboard:
        check_tensorboard()
    # The caller's own random numbers stay as they were.
    with connected(where) as processes, own_random_numbers(where):
        torch.manual_seed(config.seed)
        model = new_model(config)
        path = Path(folder) if folder is not None else None
        if path is not None:
            path.mkdir(parents=True, exist_ok=True)
        if not resume and config.start_from:
            start_from(model, config.start_from)
        held_out = None if validation is None else as_source(validation)
        source = as_source(pairs)
        _check_guidance(source, config)
        with readable_device_errors(config, where, lambda: 0):
            trainer = Trainer(
                model, config, source, held_out, path, where, processes
            )
            if resume:
                trainer.resume()
        with readable_device_errors(config, where, lambda: trainer.step):
            trainer.run(progress, cancel, pause, keep_to)
        trainer.finish()
        if path is not None and processes.writes:
            save_bundle(path / MODEL, model)
        return model


def own_random_numbers(
    device: torch.device,
) -> contextlib.AbstractContextManager[None]:
    """Return a block that leaves the random numbers around it alone."""
    used = [device] if device.type == 'cuda' else []
    return torch.random.fork_rng(devices=used)


def start_from(model: Model, name: str) -> None:
    """Take over the estimators of a model; those it lacks stay untrained.

    Raises
    ------
    ModelError
        If there is no such model, or it has another network.
    """
    start = load_model(name)
    trained = start.modules()
    for role, module in model.modules().items():
        if role not in trained:
            continue
        try:
            module.load_state_dict(trained[role].state_dict())
        except RuntimeError as error:
            raise ModelError(
                f"The {role} network of '{start.header.name}' is another one "
                'than the configuration describes.',
                'Start from a model with the same networks.',
            ) from error


def as_source(pairs: PairSource | Sequence[TrainingPair]) -> PairSource:
    """Return pairs as a source."""
    return pairs if isinstance(pairs, PairSource) else PairList(pairs)


def _refine_prior(info: Mapping[str, Any]) -> float:
    value = info.get('refine_prior', 0.0)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value < float('inf'):
        raise InputError(
            f"'info.refine_prior' must be a number from 0, not {value!r}."
        )
    return float(value)


def _preference(info: Mapping[str, Any]) -> int:
    value = info.get('preference', 0)
    if type(value) is not int:
        raise InputError(
            f"'info.preference' must be a whole number, not {value!r}."
        )
    return value


def _check_guidance(pairs: PairSource, config: TrainConfig) -> None:
    """Refuse to learn from what no pair has."""
    if not (config.stages.displacement or config.stages.joint):
        return
    if config.dice_weight and not _any(pairs, _has_labels):
        raise InputError(
            "'dice_weight' asks for guidance by labels, and no pair has any.",
            "Add segmentations of both images, or set 'dice_weight' to 0.",
        )
    if config.motion_weight and not _any(pairs, _has_motion):
        raise InputError(
            "'motion_weight' asks for guidance by known motion, and that of "
            'no pair is known.',
            "Add 'phantom:200' to the data, or set 'motion_weight' to 0.",
        )


def _has_labels(pair: TrainingPair) -> bool:
    return pair.moving_labels is not None and pair.fixed_labels is not None


def _has_motion(pair: TrainingPair) -> bool:
    return pair.displacement is not None


def _any(pairs: PairSource, has: Callable[[TrainingPair], bool]) -> bool:
    return any(has(pairs[index]) for index in range(len(pairs)))


def _recipe(config: TrainConfig) -> dict[str, Any]:
    """Return the configuration without paths of this computer."""
    recipe = config.to_dict()
    if config.start_from:
        try:
            recipe['start_from'] = find_model(config.start_from).name
        except ModelError:
            # A run that is resumed needs it no more.
            recipe['start_from'] = Path(config.start_from).stem
    return recipe


def new_model(config: TrainConfig) -> Model:
    """Build an untrained model for a configuration.

    Its own auxiliary estimator comes from the scheme; `companions` add
    estimators that are trained beside it, only to show their maps.
    """
    scheme = build_scheme(config.scheme.name, config.scheme.options)
    if scheme.joint and config.similarity_weight == 0:
        raise InputError(
            f"The scheme '{config.scheme.name}' learns from the similarity, "
            "and 'similarity_weight' is 0.",
            "Choose another scheme, such as 'vanilla', or a weight.",
        )
    names = [scheme.auxiliary] if scheme.auxiliary else []
    names += [n for n in config.scheme.companions if n not in names]
    info = dict(config.info)
    header = ModelHeader(
        name=config.name,
        ndim=config.ndim,
        network=config.network.name,
        network_options=dict(config.network.options),
        scheme=config.scheme.name,
        scheme_options=scheme.hyperparameters(),
        auxiliaries={
            name: dict(config.scheme.auxiliary_options) for name in names
        },
        preprocessing=Preprocessing(
            config.grid,
            tuple(config.model_shape or config.shape),
            config.orientation,
        ),
        title=str(info.get('title', config.name)),
        description=str(info.get('description', '')),
        domain=str(info.get('domain', '')),
        licence=str(info.get('licence', '')),
        date=datetime.date.today().isoformat(),
        preference=_preference(info),
        refine_prior=_refine_prior(info),
        training=_recipe(config),
    )
    return build_model(header)
