"""Run a benchmark: what is missing is computed, everything is kept."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_adacs.benchmark.cluster import Cluster
from napari_adacs.benchmark.methods import make_method
from napari_adacs.benchmark.pool import Pool
from napari_adacs.benchmark.sources import chosen_names, open_cases
from napari_adacs.benchmark.store import Store, fingerprint
from napari_adacs.benchmark.task import Record, Task

# Raise when `score` measures differently, so that old records are redone.
SCORES_VERSION = 1

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Plan:
    """What to compare, on what, and how.

    Parameters
    ----------
    data : str
        Name of the case source.
    ndim : int
        Number of axes.
    methods : tuple of str
        Names for `make_method`, in the order of the tables.
    limit : int or None
        Number of cases; None for all.
    jobs : int
        Processes.
    threads : int
        CPU threads of each process.
    device : str
        Where models run.
    timeout : float or None
        Seconds after which a case is given up by a method.
    dask : str or None
        Address of a Dask scheduler, in place of processes.
    """

    data: str
    ndim: int
    methods: tuple[str, ...]
    limit: int | None = None
    jobs: int = 1
    threads: int = 1
    device: str = 'cpu'
    timeout: float | None = None
    dask: str | None = None

    def tasks(self) -> list[Task]:
        """Return all tasks, case by case."""
        source = open_cases(self.data, self.ndim)
        methods = [
            (name, make_method(name, self.device)) for name in self.methods
        ]
        identities = [method.identity() for _, method in methods]
        return [
            Task(
                self.data,
                self.ndim,
                case,
                name,
                method.name,
                self.threads,
                self.device,
                fingerprint(
                    [str(SCORES_VERSION), source.identity(case), identity]
                ),
                method.family,
            )
            for case in chosen_names(source, self.limit)
            for (name, method), identity in zip(
                methods, identities, strict=True
            )
        ]


def run_benchmark(
    plan: Plan,
    folder: Path,
    *,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> list[Record]:
    """Do what has not been done yet, and return the records of everything.

    Each record is on disk before the next task is given out, so that a run
    that is interrupted or killed continues where it was.

    Parameters
    ----------
    plan : Plan
        What to do.
    folder : Path
        Where records are kept.
    retry_failed : bool, default: False
        Whether cases that failed are tried again.
    progress : callable, optional
        Called with (fraction, message).

    Returns
    -------
    list of dict
        Records in the order of the tasks.
    """
    store = Store(folder)
    tasks = plan.tasks()
    records: dict[Task, Record] = {}
    for task in tasks:
        record = store.read(task)
        failed = record is not None and record['status'] != 'done'
        if record is not None and not (failed and retry_failed):
            records[task] = record
    open_tasks = [task for task in tasks if task not in records]
    clock = _Clock(open_tasks, len(tasks), plan.jobs, progress)
    if open_tasks:
        by_name = {(task.label, task.case): task for task in open_tasks}
        with _workers(plan, folder) as workers:
            clock.show()
            for record in workers.run(open_tasks):
                store.write(record)
                task = by_name[record['method'], record['case']]
                records[task] = record
                clock.tick(task)
    return [records[task] for task in tasks]


def finished_records(plan: Plan, folder: Path) -> list[Record]:
    """Return the records that are on disk already."""
    store = Store(folder)
    found = [store.read(task) for task in plan.tasks()]
    return [record for record in found if record is not None]


def _workers(plan: Plan, folder: Path) -> Pool | Cluster:
    if plan.dask is not None:
        return Cluster(plan.dask)
    log = folder / 'workers.log'
    return Pool(plan.jobs, plan.threads, log, plan.timeout)


class _Clock:
    """Says how far it is and how long it will take."""

    def __init__(
        self,
        tasks: Sequence[Task],
        total: int,
        jobs: int,
        progress: Progress | None,
    ) -> None:
        self._left: dict[str, int] = defaultdict(int)
        for task in tasks:
            self._left[task.label] += 1
        self._spent: dict[str, list[float]] = defaultdict(list)
        self._total, self._open = total, len(tasks)
        self._jobs = max(jobs, 1)
        self._progress = progress
        self._last = time.monotonic()

    def tick(self, task: Task) -> None:
        """Note that a task is done."""
        now = time.monotonic()
        # With several processes, the time from one answer to the next is
        # what a task of this method costs the whole.
        self._spent[task.label].append(now - self._last)
        self._last = now
        self._left[task.label] -= 1
        self._open -= 1
        self.show(f'{task.case} by {task.label}')

    def show(self, message: str = 'starting') -> None:
        """Tell whoever wants to know."""
        if self._progress is None or not self._total:
            return
        done = self._total - self._open
        eta = self._eta()
        rest = f', {_duration(eta)} left' if eta is not None else ''
        self._progress(
            done / self._total, f'{done} of {self._total}{rest}: {message}'
        )

    def _eta(self) -> float | None:
        known = [t for spent in self._spent.values() for t in spent]
        if not known:
            return None
        usual = sum(known) / len(known)
        return sum(
            left
            * (
                sum(self._spent[name]) / len(self._spent[name])
                if self._spent[name]
                else usual
            )
            for name, left in self._left.items()
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f'{hours} h {minutes:02d} min'
    return f'{minutes} min {rest:02d} s' if minutes else f'{rest} s'
