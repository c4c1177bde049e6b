"""What a run of ``train`` tells its watchers, and what they ask of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from napari_adacs.errors import AdacsError, CancelledError
from napari_adacs.runs.control import Wish, forget_wishes, wished
from napari_adacs.runs.files import STATUS, read_json, write_json
from napari_adacs.runs.process import ProcessId
from napari_adacs.runs.state import State

# Seconds between two writings, and between two looks at wishes.
_PAUSE = 0.5
_LOOK = 0.1


class RunReport:
    """Keeps the status file of a run, once the run has a folder.

    Use as a context manager: how the block ends is how the run ended.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    writes : bool, default: True
        Whether this process is the one that writes.
    clock : callable, optional
        Seconds, for tests.
    """

    def __init__(
        self,
        folder: Path,
        writes: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._writes = writes
        self._clock = clock
        self._own = ProcessId.own()
        before = read_json(folder / STATUS) or {}
        self._before = float(before.get('seconds', 0.0))
        self._began = clock()
        self._rested = 0.0
        self._written = self._looked = float('-inf')
        self._wish = Wish.GO_ON
        self._values: dict[str, Any] = {
            name: before[name]
            for name in ('step', 'total', 'stage')
            if name in before
        }

    @property
    def seconds(self) -> float:
        """Time the run has worked so far, over all its processes."""
        return self._before + self._clock() - self._began - self._rested

    @property
    def step(self) -> int:
        """Steps that earlier processes of the run have done."""
        found = self._values.get('step', 0)
        return found if isinstance(found, int) else 0

    def __enter__(self) -> RunReport:
        self.say(State.STARTING, 'Starting.')
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            return
        if isinstance(error, CancelledError):
            self.say(State.STOPPED, str(error))
        elif isinstance(error, AdacsError):
            self.say(State.FAILED, str(error))
        elif isinstance(error, KeyboardInterrupt):
            self.say(State.STOPPED, 'It was interrupted.')
        elif isinstance(error, Exception):
            # A traceback follows in the terminal or the output.
            words = ' '.join(str(error).split()) or 'no message'
            self.say(
                State.FAILED,
                f'Unexpected {type(error).__name__}: {words}',
            )

    def say(self, state: State, sentence: str, **values: Any) -> None:
        """Write where the run is, at once."""
        self._values |= values
        self._values |= {'state': state.value, 'sentence': sentence}
        if state.ended:
            self._values['seconds_left'] = None
        self._write()
        if state.ended and self._writes:
            forget_wishes(self._folder)

    def note(self, state: State, sentence: str, **values: Any) -> None:
        """Write where the run is, unless that was done just now."""
        if self._clock() - self._written >= _PAUSE:
            self.say(state, sentence, **values)

    def wish(self) -> Wish:
        """Return what the watchers ask for."""
        now = self._clock()
        if now - self._looked >= _LOOK:
            self._looked = now
            self._wish = wished(self._folder, self._own.started - 5)
        return self._wish

    def check_wish(self) -> None:
        """Raise `CancelledError` if the run shall stop before it learns."""
        if self.wish() is Wish.STOP:
            raise CancelledError('Stopped before the first step.')

    def rested(self, seconds: float) -> None:
        """Leave a pause out of the time that the run takes."""
        self._rested += seconds

    def _write(self) -> None:
        self._written = self._clock()
        if not self._writes or not self._folder.is_dir():
            return
        values = self._values | self._own.to_dict()
        values |= {
            'seconds': round(self.seconds, 1),
            'written': time.time(),
        }
        # A full disk must not end a training that can still be saved.
        with contextlib.suppress(OSError):
            write_json(self._folder / STATUS, values)
