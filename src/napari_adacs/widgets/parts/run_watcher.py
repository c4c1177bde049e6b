"""Looking at a run in a thread, several times a second."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal

from napari_adacs.app.finetune.watch import Listed, Seen, Watch, list_all
from napari_adacs.errors import AdacsError

LOG = logging.getLogger('napari_adacs')

_EVERY_MS = 300
# A list that nobody looks at closely.
_LIST_EVERY = 10


class RunWatcher(QObject):
    """Reads the files of runs where the window does not wait for them.

    Signals, in the GUI thread: `seen` with (folder, `Seen`), `listed` with
    all runs there are, `lost` with a sentence when a run cannot be read.
    """

    seen = Signal(object, object)
    listed = Signal(object)
    lost = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: Future[None] | None = None
        self._watch: Watch | None = None
        self._folder: Path | None = None
        self._pictures = True
        self._turn = 0
        self._ended = False
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._look)

    @property
    def folder(self) -> Path | None:
        """Folder of the run that is watched."""
        return self._folder

    def start(self) -> None:
        """Begin to look."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, 'adacs-runs')
            self._turn = 0
            self._timer.start()
            self._look()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = self._waiting = None

    def watch(self, folder: Path | None) -> None:
        """Look at another run, or at none."""
        self._folder, self._watch = folder, None
        self.look_again()

    def look_again(self) -> None:
        """Look at a run that may have come to life, and at the list."""
        self._ended = False
        self._turn = 0

    def want_pictures(self, wanted: bool) -> None:
        """Say whether previews are to be read."""
        self._pictures = wanted

    def _look(self) -> None:
        busy = self._waiting is not None and not self._waiting.done()
        if self._pool is None or busy:
            return
        job = self._job()
        if job is not None:
            self._waiting = self._pool.submit(job)

    def _job(self) -> Callable[[], None] | None:
        """Return what to do in this turn, if anything."""
        turn, self._turn = self._turn, self._turn + 1
        folder, known = self._folder, self._watch
        wants_list = turn % _LIST_EVERY == 0
        wants_run = folder is not None and not self._ended
        if not (wants_list or wants_run):
            return None

        def job() -> None:
            try:
                if wants_list:
                    self.listed.emit(list_all())
                if folder is not None and wants_run:
                    self._see(folder, known)
            except RuntimeError:  # the window is gone
                LOG.debug('nobody watches any more')

        return job

    def _see(self, folder: Path, watch: Watch | None) -> None:
        try:
            watch = watch or Watch(folder)
            found = watch.look(pictures=self._pictures)
        except (AdacsError, OSError) as error:
            LOG.info('A run cannot be read: %s', error)
            self._ended = True
            self.lost.emit(str(error))
            return
        if found.figures:
            _load_plots()
        if folder == self._folder:
            self._watch = watch
            ended = found.status.state.ended and found.complete
            if ended and not self._ended:
                self._turn = 0  # the list says so, too
            self._ended = ended
            self.seen.emit(folder, found)


def _load_plots() -> None:
    """Load what draws curves: in the window's thread it would be felt."""
    importlib.import_module('napari_adacs.widgets.parts.training_plot')


__all__ = ['Listed', 'RunWatcher', 'Seen']
