"""Processes that do tasks; one that dies takes only its own task along.

`concurrent.futures` gives up all waiting tasks when a worker is killed, and
does not say which task killed it. Registration libraries do crash and run
out of memory, so here each worker has a pipe of its own.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

from napari_adacs.benchmark.task import Record, Task, perform

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

# Libraries read these when they are first loaded.
_THREAD_VARIABLES = (
    'OMP_NUM_THREADS',
    'MKL_NUM_THREADS',
    'OPENBLAS_NUM_THREADS',
    'ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS',
)

_GOODBYE = 5.0  # seconds for an idle worker to clean up after itself


@dataclass
class _Worker:
    """A process and our end of its pipe."""

    process: SpawnProcess
    pipe: Connection


@dataclass
class _Desk:
    """Where one task at a time is done, by a process of its family."""

    workers: dict[str, _Worker] = field(default_factory=dict)
    queue: deque[Task] = field(default_factory=deque)
    task: Task | None = None
    since: float = 0.0

    @property
    def pipe(self) -> Connection:
        """Where the answer to the task arrives."""
        assert self.task is not None  # only busy desks are asked
        return self.workers[self.task.family].pipe


class Pool:
    """A context of worker processes; all are gone when it ends.

    Parameters
    ----------
    jobs : int
        Number of processes.
    threads : int
        CPU threads of each; 0 leaves the choice to the libraries.
    log : Path
        File for what the libraries print.
    limit : float, optional
        Seconds after which a task is given up.
    """

    def __init__(
        self, jobs: int, threads: int, log: Path, limit: float | None = None
    ) -> None:
        self._jobs = jobs
        self._threads = threads
        self._log = log
        self._limit = limit
        self._desks: list[_Desk] = []

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for desk in self._desks:
            for family, worker in desk.workers.items():
                busy = desk.task is not None and desk.task.family == family
                _end(worker, 0 if busy else _GOODBYE)
        self._desks.clear()

    def run(self, tasks: Sequence[Task]) -> Iterator[Record]:
        """Yield the record of each task, in the order they finish.

        Tasks of one case go to one desk, where the case is read once.
        """
        groups = _by_case(tasks)
        self._desks = [_Desk() for _ in range(min(self._jobs, len(groups)))]
        left = len(tasks)
        while left:
            for desk in self._desks:
                if desk.task is None and not desk.queue and groups:
                    desk.queue.extend(groups.popleft())
                if desk.task is None and desk.queue:
                    self._give(desk, desk.queue.popleft())
            for record in self._collect():
                left -= 1
                yield record

    def _collect(self) -> Iterator[Record]:
        busy = [desk for desk in self._desks if desk.task is not None]
        ready = wait([desk.pipe for desk in busy], timeout=0.2)
        for desk in busy:
            task = desk.task
            assert task is not None  # it is busy
            if desk.pipe in ready:
                record = _receive(desk, task)
            elif self._limit and time.monotonic() - desk.since > self._limit:
                _end(desk.workers.pop(task.family))
                record = task.record(
                    'failed', f'Given up after {self._limit:g} s.'
                )
            else:
                continue
            desk.task = None
            yield record

    def _give(self, desk: _Desk, task: Task) -> None:
        if task.family not in desk.workers:
            desk.workers[task.family] = self._start()
        desk.task, desk.since = task, time.monotonic()
        # A worker that is dead already is noticed when its answer is due.
        with contextlib.suppress(OSError):
            desk.pipe.send(task)

    def _start(self) -> _Worker:
        context = multiprocessing.get_context('spawn')
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve, args=(theirs, str(self._log)), daemon=True
        )
        with _environment(self._threads):
            process.start()
        # Otherwise the end of the worker would go unnoticed.
        theirs.close()
        return _Worker(process, ours)


def _serve(pipe: Connection, log: str) -> None:
    """Do tasks until the other end closes the pipe."""
    # Ctrl-C reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _print_to(log)
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        record = perform(task)
        try:
            pipe.send(record)
        except OSError:
            return


def _print_to(log: str) -> None:
    """Send what compiled libraries print to a file."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)


def _receive(desk: _Desk, task: Task) -> Record:
    try:
        record: Record = desk.pipe.recv()
    except (EOFError, OSError):
        worker = desk.workers.pop(task.family)
        worker.process.join(5)
        record = task.record('failed', _obituary(worker.process.exitcode))
        _end(worker)
    return record


def _end(worker: _Worker, patience: float = 0) -> None:
    """End a worker; an idle one leaves by itself when its pipe closes."""
    worker.pipe.close()
    worker.process.join(patience)
    if worker.process.is_alive():
        worker.process.terminate()
        worker.process.join(5)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()


def _by_case(tasks: Sequence[Task]) -> deque[list[Task]]:
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.case, []).append(task)
    return deque(groups.values())


def _obituary(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = ', probably for want of memory' if name == 'SIGKILL' else ''
        return f'The process was ended by {name}{hint}.'
    return f'The process ended unexpectedly (code {code}).'


@contextlib.contextmanager
def _environment(threads: int) -> Iterator[None]:
    """Limit the threads of processes that are started inside."""
    if not threads:
        yield
        return
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
