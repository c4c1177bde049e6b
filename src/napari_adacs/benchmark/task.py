"""One case by one method: done anywhere, never raising."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from typing import Any

from napari_adacs.benchmark.case import Case, CaseSource
from napari_adacs.benchmark.method import Method
from napari_adacs.errors import AdacsError

Record = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """What to do; small enough to be sent to another computer.

    Parameters
    ----------
    data : str
        Name of the case source, see `open_cases`.
    ndim : int
        Number of axes.
    case : str
        Name of the case.
    method : str
        What `make_method` makes the method from.
    label : str
        Name of the method in the tables.
    threads : int
        CPU threads; 0 leaves the choice to each library.
    device : str
        Where models run.
    made_from : str
        Identity of case, method and scores.
    family : str, default: ''
        Tasks of different families never share a process.
    """

    data: str
    ndim: int
    case: str
    method: str
    label: str
    threads: int
    device: str
    made_from: str
    family: str = ''

    def record(self, status: str, sentence: str = '', **more: Any) -> Record:
        """Return a record of this task."""
        return {
            'case': self.case,
            'method': self.label,
            'made_from': self.made_from,
            'status': status,
            'sentence': sentence,
            **more,
        }


class Performer:
    """Does tasks, and keeps what the next one is likely to need again."""

    def __init__(self) -> None:
        self._sources: dict[tuple[str, int], CaseSource] = {}
        self._methods: dict[tuple[str, str], Method] = {}
        self._case: tuple[tuple[str, int, str], Case] | None = None

    def __call__(self, task: Task) -> Record:
        """Do a task; what goes wrong is in the record."""
        try:
            return self._perform(task)
        except AdacsError as error:
            return task.record('failed', str(error))
        except MemoryError:
            return task.record(
                'failed', 'The computer ran out of memory for this case.'
            )
        except Exception as error:  # noqa: BLE001 - other people's libraries
            sentence = f'{type(error).__name__}: {_first_line(error)}'
            return task.record(
                'failed', sentence, traceback=traceback.format_exc()
            )

    def _perform(self, task: Task) -> Record:
        from napari_adacs.benchmark.score import score

        case = self._load(task)
        method = self._prepare(task)
        start = time.perf_counter()
        outcome = method.register(case, task.threads)
        seconds = time.perf_counter() - start
        return task.record(
            'done', seconds=seconds, scores=score(case, outcome)
        )

    def _load(self, task: Task) -> Case:
        from napari_adacs.benchmark.sources import open_cases

        key = (task.data, task.ndim, task.case)
        if self._case is None or self._case[0] != key:
            self._case = None  # free the old one first
            where = (task.data, task.ndim)
            if where not in self._sources:
                self._sources[where] = open_cases(*where)
            self._case = key, self._sources[where].load(task.case)
        return self._case[1]

    def _prepare(self, task: Task) -> Method:
        from napari_adacs.benchmark.methods import make_method

        key = (task.method, task.device)
        if key not in self._methods:
            method = make_method(*key)
            method.prepare()
            self._methods[key] = method
        return self._methods[key]


_performers: list[Performer] = []


def perform(task: Task) -> Record:
    """Do a task with the performer of this process."""
    if not _performers:
        _performers.append(Performer())
    return _performers[0](task)


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0].strip() if lines else 'no further word.'
