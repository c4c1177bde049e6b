"""Keeping a run in its time, however busy the computer gets.

`budget.fit_to_time` chooses steps by how fast they are at the start. When they
become slower, what is left of every stage is shortened in proportion, so that
the learning rate still falls to its end and no stage is left out; when they
become faster again, stages grow back, up to what was planned.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from napari_adacs.training.budget import Costs
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.sections import StageConfig

# Of the whole time: what the speed is judged by, and between two changes.
_WINDOW = 0.1
_BETWEEN = 0.02
# Fewer steps say nothing about the speed.
_FEWEST_SEEN = 3
# Of the time that is left, what a changed plan fills, and below which share
# of it a shortened one grows.
_FILLED = 0.97
_SPARE = 0.85

Clock = Callable[[], float]
Lengths = tuple[int, int, int]


@dataclass(frozen=True)
class Effort:
    """What a run is expected to take, in any unit of time.

    Parameters
    ----------
    steps : (float, float, float)
        A step of each stage, with its share of validation and saving.
    after : float
        Measuring the result after the last step, in seconds.
    """

    steps: tuple[float, float, float] = (1.0, 1.0, 1.0)
    after: float = 0.0


def effort_of(config: TrainConfig, costs: Costs, after: float = 0.0) -> Effort:
    """Return what the steps of a configuration are expected to take.

    Parameters
    ----------
    config : TrainConfig
        How often to validate and to save.
    costs : Costs
        What the parts of the run take.
    after : float
        Seconds after the last step.
    """
    shared = costs.validation / config.validate_every
    shared += costs.saving / config.save_every
    first, second, third = (step + shared for step in costs.steps)
    return Effort((first, second, third), after)


class Deadline:
    """Says how long the stages of a run may be from now on.

    Parameters
    ----------
    seconds : float
        How long the whole run may take.
    clock : callable
        Seconds that the run has worked so far, pauses left out.
    planned : StageConfig
        What stages never become longer than.
    effort : Effort
        What steps are expected to take; equal ones if nobody knows.
    """

    def __init__(
        self,
        seconds: float,
        clock: Clock,
        planned: StageConfig,
        effort: Effort | None = None,
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._planned = _lengths(planned)
        self._effort = effort or Effort()
        # How much slower than expected the run is when nothing disturbs it.
        self._usual = 1.0 if effort is not None else None
        self._work = 0.0
        self._step: int | None = None
        self._seen: deque[tuple[float, float]] = deque()
        self._changed = float('-inf')

    def __call__(self, step: int, stages: StageConfig) -> StageConfig:
        """Return the stages to go on with; a run that is late ends.

        Parameters
        ----------
        step : int
            Steps done.
        stages : StageConfig
            The present ones.
        """
        now = self._clock()
        self._note(step, stages, now)
        slowness = self._slowness()
        left = self._seconds - now - self._after(slowness)
        if left <= 0:
            return _with(stages, _shared(_lengths(stages), step, 0.0))
        soon = now - self._changed < _BETWEEN * self._seconds
        if slowness is None or soon:
            return stages
        found = self._fitted(step, _lengths(stages), left / slowness)
        if found != _lengths(stages):
            self._changed = now
        return _with(stages, found)

    def _fitted(self, step: int, lengths: Lengths, left: float) -> Lengths:
        """Return lengths that take the time that is left, in expectation."""
        ahead = _ahead(lengths, step)
        expected = self._expected(ahead)
        late = expected > left
        short = lengths != self._planned and expected < _SPARE * left
        if not (late or short) or not expected:
            return lengths
        # The stages that were planned, as far as they lie ahead.
        whole = _ahead(_begun(lengths, self._planned, step), step)
        share = min(1.0, _FILLED * left / self._expected(whole))
        return _shared(_begun(lengths, self._planned, step), step, share)

    def _expected(self, lengths: Lengths) -> float:
        steps = self._effort.steps
        return sum(n * t for n, t in zip(lengths, steps, strict=True))

    def _note(self, step: int, stages: StageConfig, now: float) -> None:
        if self._step is not None and step > self._step:
            lengths = _lengths(stages)
            before = self._expected(_ahead(lengths, self._step))
            self._work += before - self._expected(_ahead(lengths, step))
        self._step = step
        self._seen.append((now, self._work))
        oldest = now - _WINDOW * self._seconds
        while len(self._seen) > _FEWEST_SEEN + 1 and self._seen[1][0] < oldest:
            self._seen.popleft()

    def _slowness(self) -> float | None:
        """Return how much longer than expected the last steps have taken."""
        (start, before), (now, work) = self._seen[0], self._seen[-1]
        if len(self._seen) <= _FEWEST_SEEN or work <= before or now <= start:
            return None
        found = (now - start) / (work - before)
        if self._usual is None:
            self._usual = found
        return found

    def _after(self, slowness: float | None) -> float:
        usual = self._usual
        if slowness is None or usual is None:
            return self._effort.after
        return self._effort.after * max(1.0, slowness / usual)


def _lengths(stages: StageConfig) -> Lengths:
    return stages.displacement, stages.auxiliary, stages.joint


def _with(stages: StageConfig, lengths: Lengths) -> StageConfig:
    if lengths == _lengths(stages):
        return stages
    first, second, third = lengths
    return replace(stages, displacement=first, auxiliary=second, joint=third)


def _ahead(lengths: Lengths, step: int) -> Lengths:
    """Return how many steps of each stage are still to come."""
    found, done = [], step
    for length in lengths:
        over = min(length, done)
        done -= over
        found.append(length - over)
    return found[0], found[1], found[2]


def _begun(lengths: Lengths, planned: Lengths, step: int) -> Lengths:
    """Return lengths where stages that are over stay as they are."""
    ahead = _ahead(lengths, step)
    first, second, third = (
        plan if rest else length
        for length, plan, rest in zip(lengths, planned, ahead, strict=True)
    )
    return first, second, third


def _shared(lengths: Lengths, step: int, share: float) -> Lengths:
    """Return lengths of which only a share of what lies ahead is left."""
    ahead = _ahead(lengths, step)
    first, second, third = (
        length - rest + int(share * rest)
        for length, rest in zip(lengths, ahead, strict=True)
    )
    return first, second, third
