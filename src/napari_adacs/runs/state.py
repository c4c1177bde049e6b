"""What a run says about itself while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a run is."""

    STARTING = 'starting'
    RUNNING = 'running'
    PAUSED = 'paused'
    STOPPING = 'stopping'
    FINISHED = 'finished'
    STOPPED = 'stopped'
    FAILED = 'failed'

    @property
    def ended(self) -> bool:
        """Whether no process works on it any more."""
        return self in (State.FINISHED, State.STOPPED, State.FAILED)


@dataclass(frozen=True)
class Status:
    """Where a run is, for people.

    Parameters
    ----------
    state : State
        Where it is.
    step, total : int
        Steps done and in all; a total of 0 is not known yet.
    stage : str
        'displacement', 'auxiliary' or 'joint'; empty before the first step.
    seconds_left : float or None
        Estimate to the end, validation included.
    seconds : float
        Time it has run so far, pauses left out.
    sentence : str
        One line; of a failure what happened and what to do.
    resumable : bool
        Whether `resume` can go on with it.
    """

    state: State
    step: int = 0
    total: int = 0
    stage: str = ''
    seconds_left: float | None = None
    seconds: float = 0.0
    sentence: str = ''
    resumable: bool = False
