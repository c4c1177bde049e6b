"""Seconds between laps."""

from __future__ import annotations

import time


class Clock:
    """Keeps how long the stages of a registration took."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Store the time since the last lap under a name."""
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now
