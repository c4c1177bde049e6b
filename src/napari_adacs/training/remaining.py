"""How long a run will still take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_STEPS = 50


class RemainingTime:
    """Estimates the time to the end from the last steps.

    Stages take different times per step, so that only the last ones count.

    Parameters
    ----------
    steps : int
        How many of them, at least 50.
    clock : callable, optional
        Seconds, for tests.
    """

    def __init__(
        self, steps: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._seen: deque[tuple[int, float]] = deque(
            maxlen=max(steps, _STEPS) + 1
        )

    def restart(self) -> None:
        """Forget the steps so far: a pause lies between them and the next."""
        self._seen.clear()

    def __call__(self, step: int, total: int) -> float | None:
        """Return seconds to the end; None before the second step."""
        self._seen.append((step, self._clock()))
        (first, start), (last, now) = self._seen[0], self._seen[-1]
        if last <= first:
            return None
        return (total - step) * (now - start) / (last - first)


def readable_time(seconds: float | None) -> str:
    """Return a duration such as '2 h 05 min', '3 min' or '40 s'."""
    if seconds is None:
        return ''
    whole = round(seconds)
    if whole < 60:
        return f'{whole} s'
    minutes = round(seconds / 60)
    if minutes < 60:
        return f'{minutes} min'
    return f'{minutes // 60} h {minutes % 60:02d} min'
