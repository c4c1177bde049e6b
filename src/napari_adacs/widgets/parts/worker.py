"""Running a job in a thread so that every way it may end is seen.

A RuntimeError that leaves a generator worker is swallowed by superqt: no
signal fires and napari believes the worker is still busy. Most of what torch
raises is a RuntimeError, so the generator here never raises. It *returns*
how the job ended.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from threading import Event

from napari.qt.threading import GeneratorWorker, create_worker
from qtpy.QtCore import QObject, Signal

from napari_adacs.errors import AdacsError, CancelledError

Progress = Callable[[float, str], None]
Job = Callable[['Reports', Event], object]

LOG = logging.getLogger('napari_adacs')

# Every report is an event for the GUI thread; a person sees five a second.
_SECONDS_BETWEEN_REPORTS = 0.2
_LONGEST_REASON = 160


@dataclass(frozen=True, eq=False)
class Done:
    """The job returned.

    Parameters
    ----------
    value : object
        What it returned.
    """

    value: object


@dataclass(frozen=True)
class Failed:
    """The job raised.

    Parameters
    ----------
    message : str
        One sentence for the person at the screen.
    hint : str, default: ''
        What to do about it.
    """

    message: str
    hint: str = ''

    @property
    def sentence(self) -> str:
        """What happened and what to do."""
        return f'{self.message} {self.hint}'.strip()


@dataclass(frozen=True)
class Cancelled:
    """The job noticed that it should stop."""


Outcome = Done | Failed | Cancelled


def run_guarded(
    job: Job, report: Reports, cancel: Event
) -> Generator[None, None, Outcome]:
    """Run a job and return how it ended; nothing but that leaves.

    Parameters
    ----------
    job : callable
        Called with (progress, cancel); raises `AdacsError` for failures the
        user should read and `CancelledError` once `cancel` is set.
    report : callable
        Given to the job as its progress callback.
    cancel : threading.Event
        Set by the one who wants the job to stop.
    """
    yield
    try:
        return Done(job(report, cancel))
    except CancelledError:
        return Cancelled()
    except AdacsError as error:
        LOG.info('The job was refused: %s', error)
        return Failed(error.message, error.hint)
    except MemoryError:
        LOG.exception('The job ran out of memory')
        return Failed(
            'The computer ran out of memory.',
            'Close other programs, or crop the images.',
        )
    except Exception as error:  # noqa: BLE001  the last line of defence
        LOG.exception('The job failed unexpectedly')
        return Failed(_internal(error), 'The log has the details.')


def _internal(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    reason = lines[0][:_LONGEST_REASON].rstrip('.') if lines else ''
    name = type(error).__name__
    return f'Internal error ({f"{name}: {reason}" if reason else name}).'


class _Worker(GeneratorWorker):
    """A worker that stops by its own event.

    `GeneratorWorker.quit` leaves the generator suspended with everything it
    holds; napari calls it when the window closes.
    """

    cancel: Event

    def quit(self) -> None:
        """Ask the job to stop."""
        self.cancel.set()


class Runner(QObject):
    """Runs one job at a time in a worker thread.

    Signals arrive in the GUI thread: `progressed` with (fraction, message)
    at most five times a second, `shown` with what a job shows of itself
    meanwhile, and `ended` once, with a `Done`, `Failed` or
    `Cancelled`.
    """

    progressed = Signal(float, str)
    shown = Signal(object)
    ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker: _Worker | None = None

    @property
    def running(self) -> bool:
        """Whether a job is under way."""
        return self._worker is not None

    @property
    def cancelling(self) -> bool:
        """Whether the running job was asked to stop."""
        return self._worker is not None and self._worker.cancel.is_set()

    def start(self, job: Job) -> None:
        """Start a job.

        Raises
        ------
        RuntimeError
            If one is running already.
        """
        if self._worker is not None:
            raise RuntimeError('a job is running already')
        cancel, reporter = Event(), Reports()
        worker: _Worker = create_worker(
            run_guarded,
            job,
            reporter,
            cancel,
            _start_thread=False,
            _worker_class=_Worker,
        )
        worker.cancel = cancel
        # Reports leave through the worker's own signal: it outlives the
        # thread, whatever becomes of the dock meanwhile.
        reporter.emit = worker.yielded.emit
        worker.yielded.connect(self._on_yielded)
        worker.returned.connect(self._on_returned)
        self._worker = worker
        worker.start()

    def cancel(self) -> None:
        """Ask the running job to stop; `ended` follows when it has."""
        if self._worker is not None:
            self._worker.cancel.set()

    def abandon(self) -> None:
        """Ask the running job to stop and hear no more of it."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.cancel.set()
            worker.yielded.disconnect(self._on_yielded)
            worker.returned.disconnect(self._on_returned)

    def _on_yielded(self, report: object) -> None:
        if report is None or self._worker is None:
            return
        if isinstance(report, tuple):
            self.progressed.emit(*report)
        else:
            self.shown.emit(report)

    def _on_returned(self, outcome: Outcome) -> None:
        # What was in the queue when the job was abandoned stays unheard.
        if self._worker is not None:
            self._worker = None
            self.ended.emit(outcome)


class Reports:
    """Passes on reports from the worker thread, not too many.

    Called with (fraction, message); `show` passes on anything else.
    """

    def __init__(self) -> None:
        self.emit: Callable[[object], None] = _nowhere
        self._last = float('-inf')

    def __call__(self, fraction: float, message: str) -> None:
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN_REPORTS:
            self._last = now
            self.emit((fraction, message))

    def show(self, what: object) -> None:
        """Pass on something to look at; not a tuple."""
        self.emit(what)


def _nowhere(report: object) -> None:
    pass
