"""Learning rates over a run."""

from __future__ import annotations

import math

from napari_adacs.training.config import TrainConfig
from napari_adacs.training.optimiser_section import Schedule


def rate_at(
    share: float, first: float, last: float, schedule: Schedule, power: float
) -> float:
    """Return the learning rate at a share of the run.

    Parameters
    ----------
    share : float
        Steps done, as a share of all, in [0, 1].
    first, last : float
        Rates at the ends.
    schedule : {'cosine', 'poly', 'constant'}
        ``last + (first - last) s`` with ``s = (1 + cos(pi t)) / 2`` or
        ``s = (1 - t)^power``; or `first` throughout.
    power : float
        Exponent of 'poly'.
    """
    if schedule == 'constant':
        return first
    if schedule == 'poly':
        return last + (first - last) * math.pow(1 - share, power)
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


def rates(config: TrainConfig, step: int) -> tuple[float, float]:
    """Return the rates of displacement and auxiliary estimators.

    Parameters
    ----------
    config : TrainConfig
        Rates at the ends, and the schedules.
    step : int
        Steps done.
    """
    chosen = config.optimiser
    share = min(1.0, step / max(1, config.stages.total))
    first, last = config.learning_rate, config.final_learning_rate
    displacement = rate_at(share, first, last, chosen.schedule, chosen.power)
    own = chosen.auxiliary_learning_rate or first
    schedule = chosen.auxiliary_schedule
    auxiliary = rate_at(
        share,
        own,
        own * last / first,
        chosen.schedule if schedule == 'same' else schedule,
        chosen.power,
    )
    return displacement, auxiliary


def epoch_at(config: TrainConfig, step: int, pairs: int) -> int:
    """Return the epoch that a step lies in.

    Parameters
    ----------
    config : TrainConfig
        `stages.epoch` steps are one; if 0, a pass over the pairs is.
    step : int
        Steps done.
    pairs : int
        Number of training pairs.
    """
    if config.stages.epoch:
        return step // config.stages.epoch
    return step * config.batch_size // pairs
