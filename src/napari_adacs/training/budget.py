"""From minutes to numbers of steps, by timing some of them.

What is timed is a copy of the run that is thrown away: neither weights nor
random numbers of the run know of it.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import fmean

import torch

from napari_adacs.errors import InputError
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.device_errors import readable_device_errors
from napari_adacs.training.pairs import Chosen, PairSource
from napari_adacs.training.remaining import readable_time
from napari_adacs.training.train import (
    new_model,
    own_random_numbers,
    start_from,
)
from napari_adacs.training.trainer import Trainer
from napari_adacs.training.validation import validate

# Timing may take this share of the time, or at least so many seconds.
_TIMING = 0.02
_LEAST_TIMING = 1.0
_MOST_TIMED, _FEWEST_TIMED = 20, 1
_TIMED_PAIRS = 4
# Left for what cannot be foreseen, such as a busier computer.
_SLACK = 0.05
# Of the time, for looking at held-out pairs while training.
_VALIDATING = 0.1
_FEWEST_VALIDATIONS, _MOST_VALIDATIONS = 4, 25
# A stage with fewer steps than this has learnt nothing.
_FEWEST_STEPS = 10
# Seconds of work that a run that is killed may lose.
_BETWEEN_SAVES = 30.0

Clock = Callable[[], float]


@dataclass(frozen=True)
class Costs:
    """What the parts of a run take, in seconds.

    Parameters
    ----------
    displacement, auxiliary, joint : float
        A step of each stage; 0 for a stage without steps.
    validation : float
        One look at all held-out pairs.
    saving : float
        One checkpoint.
    """

    displacement: float
    auxiliary: float
    joint: float
    validation: float = 0.0
    saving: float = 0.0

    @property
    def steps(self) -> tuple[float, float, float]:
        """Seconds per step of the stages, in order."""
        return self.displacement, self.auxiliary, self.joint


def measure_costs(
    pairs: PairSource,
    config: TrainConfig,
    validation: PairSource | None,
    device: torch.device,
    seconds: float,
    clock: Clock = time.perf_counter,
) -> Costs:
    """Time some real steps of each stage.

    Parameters
    ----------
    pairs : PairSource
        Training pairs.
    config : TrainConfig
        What will be trained.
    validation : PairSource or None
        Held-out pairs.
    device : torch.device
        Where.
    seconds : float
        How long the whole run may take.

    Raises
    ------
    InputError, ModelError, DeviceError
        As training itself.
    """
    with (
        own_random_numbers(device),
        readable_device_errors(config, device, lambda: 0),
    ):
        torch.manual_seed(config.seed)
        model = new_model(config)
        if config.start_from:
            start_from(model, config.start_from)
        trainer = Trainer(model, config, pairs, device=device)
        stages = config.stages
        lengths = (stages.displacement, stages.auxiliary, stages.joint)
        most = max(_LEAST_TIMING, _TIMING * seconds / 3)
        first, steps = 0, []
        for length in lengths:
            steps.append(_time_steps(trainer, first, length, most, clock))
            first += length
        saving = _time_saving(trainer, clock)
        looking = (
            0.0
            if validation is None
            else _time_validation(trainer, validation, clock)
        )
    displacement, auxiliary, joint = steps
    return Costs(displacement, auxiliary, joint, looking, saving)


def _time_steps(
    trainer: Trainer, first: int, length: int, most: float, clock: Clock
) -> float:
    """Return the seconds of a step, the slow first one left out."""
    if not length:
        return 0.0
    # Much is done once only, such as choosing algorithms.
    trainer.try_step(first)
    taken: list[float] = []
    while len(taken) < _FEWEST_TIMED or (
        sum(taken) < most and len(taken) < _MOST_TIMED
    ):
        begun = clock()
        trainer.try_step(first + len(taken) % length)
        taken.append(clock() - begun)
    return fmean(taken)


def _time_saving(trainer: Trainer, clock: Clock) -> float:
    begun = clock()
    trainer.write_checkpoint(io.BytesIO())
    return clock() - begun


def _time_validation(
    trainer: Trainer, validation: PairSource, clock: Clock
) -> float:
    """Return the seconds of a validation, from a few of its pairs."""
    count = min(len(validation), _TIMED_PAIRS)
    few = Chosen(validation, range(count))
    estimator = trainer.model.displacement
    validate(estimator, Chosen(validation, [0]))
    begun = clock()
    validate(estimator, few)
    # A preview takes about another pair.
    return (clock() - begun) / count * (len(validation) + 1)


def fit_to_time(
    config: TrainConfig,
    costs: Costs,
    seconds: float,
    spent: float = 0.0,
    reserved: float = 0.0,
) -> TrainConfig:
    """Return a configuration whose whole run takes a given time.

    Parameters
    ----------
    config : TrainConfig
        Its stages keep their ratio.
    costs : Costs
        What a step of each takes.
    seconds : float
        How long the run may take in all, validation included.
    spent, reserved : float
        Seconds of these that are over, and that something else needs.

    Returns
    -------
    TrainConfig
        With other stages, and validation and checkpoints at a fitting pace.

    Raises
    ------
    InputError
        If the time is too short, with the one that would do.
    """
    # Saving slows every second of training down a little.
    pace = 1 + costs.saving / _BETWEEN_SAVES
    lengths = _lengths(config)
    whole = pace * math.fsum(
        n * t for n, t in zip(lengths, costs.steps, strict=True)
    )
    needed = max(_FEWEST_STEPS / n for n in lengths if n)
    fixed = spent + reserved + costs.saving
    for looks in (_looks(costs, seconds), _FEWEST_VALIDATIONS):
        looking = (looks + 1) * costs.validation
        left = seconds * (1 - _SLACK) - fixed - looking
        share = left / whole if whole > 0 else 1.0
        if share >= needed:
            break
    else:
        least = (fixed + looking + needed * whole) / (1 - _SLACK)
        raise _too_short(seconds, least)
    scaled = [int(n * share) for n in lengths]
    total = sum(scaled)
    per_step = max(left / pace / total, 1e-6)
    return replace(
        config,
        stages=replace(
            config.stages,
            displacement=scaled[0],
            auxiliary=scaled[1],
            joint=scaled[2],
        ),
        validate_every=math.ceil(total / looks),
        save_every=min(total, max(1, round(_BETWEEN_SAVES / per_step))),
    )


def _lengths(config: TrainConfig) -> tuple[int, int, int]:
    stages = config.stages
    return stages.displacement, stages.auxiliary, stages.joint


def _looks(costs: Costs, seconds: float) -> int:
    """Return how often to validate."""
    if not costs.validation:
        return _MOST_VALIDATIONS
    many = int(_VALIDATING * seconds / costs.validation)
    return min(max(many, _FEWEST_VALIDATIONS), _MOST_VALIDATIONS)


def _too_short(seconds: float, needed: float) -> InputError:
    minutes = math.ceil(needed / 60 * 2) / 2
    return InputError(
        f'{seconds / 60:g} minutes are too short: reading, '
        f'{_FEWEST_STEPS} steps of every stage and validation take '
        f'{readable_time(needed)} here.',
        f"Allow {minutes:g} minutes or more, or lower 'batch_size'.",
    )
