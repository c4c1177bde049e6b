"""Step, time left and losses, for the terminal and for those who watch."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

from napari_adacs.cli.run_report import RunReport
from napari_adacs.runs.control import Wish
from napari_adacs.runs.state import State
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.remaining import RemainingTime, readable_time

_WORDS = {
    'displacement': 'displacement alone',
    'auxiliary': 'maps alone',
    'joint': 'displacement and maps together',
}


class TrainProgress:
    """Shows how far a run is, and knows whether it shall rest or stop.

    Parameters
    ----------
    line : callable
        Takes a share from 0 to 1 and a text.
    report : RunReport
        Status of the run.
    config : TrainConfig
        Its stages.
    stop : threading.Event
        Set by Ctrl-C.
    reserved : float
        Seconds that something takes after the last step.
    """

    def __init__(
        self,
        line: Callable[[float, str], None],
        report: RunReport,
        config: TrainConfig,
        stop: Event,
        reserved: float = 0.0,
    ) -> None:
        self.step = report.step
        self._line = line
        self._report = report
        self._config = config
        self._stop = stop
        # Long enough to hold a validation, if it is not too rare.
        self._remaining = RemainingTime(min(config.validate_every, 500))
        self._reserved = reserved
        self._resting: float | None = None

    def __call__(
        self, step: int, total: int, losses: dict[str, float]
    ) -> None:
        """Take the figures after a step."""
        self.step = step
        seconds = self._remaining(step, total)
        if seconds is not None:
            seconds += self._reserved
        left = readable_time(seconds)
        time_left = f', about {left} left' if left else ''
        figures = ' '.join(
            f'{name} {value:.4g}'
            for name, value in losses.items()
            if not name.startswith(('residual_', 'gradient_'))
        )
        sentence = f'step {step} of {total}{time_left}'
        self._line(step / total, f'{sentence}  {figures}')
        self._report.note(
            State.RUNNING,
            f'Step {step} of {total}, {_WORDS[self._stage(step)]}{time_left}.',
            seconds_left=seconds,
            **self.place(),
        )

    def follow(self, config: TrainConfig) -> None:
        """Go on with stages of other lengths."""
        self._config = config

    def place(self) -> dict[str, int | str]:
        """Return where the run is, for its status."""
        return {
            'step': self.step,
            'total': self._config.stages.total,
            'stage': self._stage(self.step),
        }

    def _stage(self, step: int) -> str:
        stages = self._config.stages
        if step <= stages.displacement:
            return 'displacement'
        if step <= stages.displacement + stages.auxiliary:
            return 'auxiliary'
        return 'joint'

    def stopped(self) -> bool:
        """Return whether somebody wants the run to stop."""
        return self._stop.is_set() or self._report.wish() is Wish.STOP

    def paused(self) -> bool:
        """Return whether somebody wants the run to rest."""
        rests = self._report.wish() is Wish.PAUSE and not self._stop.is_set()
        if rests and self._resting is None:
            self._resting = time.monotonic()
            sentence = f'Paused after step {self.step}.'
            self._report.say(State.PAUSED, sentence, **self.place())
        elif not rests and self._resting is not None:
            self._report.rested(time.monotonic() - self._resting)
            self._resting = None
            self._remaining.restart()
            self._report.say(State.RUNNING, 'Going on.', **self.place())
        return rests
