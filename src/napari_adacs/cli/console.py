"""What a person sees in the terminal while something runs."""

from __future__ import annotations

import sys
import time
from types import TracebackType

_WIDTH = 24
# Seconds between updates of the line.
_PAUSE = 0.1


class ProgressLine:
    """A line on stderr that is redrawn; silent unless that is a terminal.

    Use as a context manager: the line is wiped at the end. `shown` says
    whether there is somebody to see it.

    Parameters
    ----------
    silent : bool, default: False
        Whether to say nothing in a terminal either.
    """

    def __init__(self, silent: bool = False) -> None:
        self.shown = sys.stderr.isatty() and not silent
        self._last = 0.0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write('')

    def __call__(self, fraction: float, message: str) -> None:
        """Show how far it is, from 0 to 1, and what is being done."""
        now = time.monotonic()
        if fraction < 1 and now - self._last < _PAUSE:
            return
        self._last = now
        done = round(_WIDTH * min(max(fraction, 0.0), 1.0))
        bar = '#' * done + '.' * (_WIDTH - done)
        self._write(f'[{bar}] {100 * fraction:3.0f} % {message}')

    def _write(self, text: str) -> None:
        if self.shown:
            # return to the start and clear the rest of the line
            sys.stderr.write(f'\r\x1b[K{text}')
            sys.stderr.flush()


def say(text: str) -> None:
    """Print a result for people."""
    print(text)
