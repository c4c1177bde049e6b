"""The guarded worker: done, refused, failed, cancelled, abandoned."""

from __future__ import annotations

import gc
import logging
import time
import weakref
from collections.abc import Callable
from threading import Event
from typing import Any

import numpy as np
import pytest

from napari_adacs.errors import CancelledError, InputError
from napari_adacs.widgets.parts.worker import (
    Cancelled,
    Done,
    Failed,
    Job,
    Progress,
    Runner,
)


@pytest.fixture
def run(qtbot: Any) -> Callable[[Job], object]:
    """Run a job to its end and return the outcome."""

    def _run(job: Job) -> object:
        runner = Runner()
        with qtbot.waitSignal(runner.ended, timeout=5000) as blocker:
            runner.start(job)
            assert runner.running
        assert not runner.running
        return blocker.args[0]

    return _run


def test_a_value_comes_back(run: Callable[[Job], object]) -> None:
    outcome = run(lambda progress, cancel: 42)
    assert isinstance(outcome, Done)
    assert outcome.value == 42


def test_a_refusal_keeps_its_sentence_and_hint(
    run: Callable[[Job], object],
) -> None:
    def job(progress: Progress, cancel: Event) -> None:
        raise InputError('No.', 'Try yes.')

    assert run(job) == Failed('No.', 'Try yes.')


@pytest.mark.parametrize('kind', [RuntimeError, ValueError, StopIteration])
def test_an_unexpected_error_is_one_sentence_and_a_traceback_in_the_log(
    run: Callable[[Job], object],
    caplog: pytest.LogCaptureFixture,
    kind: type[Exception],
) -> None:
    def job(progress: Progress, cancel: Event) -> None:
        raise kind('CUDA error: something\nand a long story')

    with caplog.at_level(logging.ERROR, 'napari_adacs'):
        outcome = run(job)
    assert isinstance(outcome, Failed)
    assert outcome.message == (
        f'Internal error ({kind.__name__}: CUDA error: something).'
    )
    assert 'log' in outcome.hint
    assert caplog.records[0].exc_info is not None


def test_running_out_of_memory_is_explained(
    run: Callable[[Job], object],
) -> None:
    def job(progress: Progress, cancel: Event) -> None:
        raise MemoryError

    outcome = run(job)
    assert isinstance(outcome, Failed)
    assert 'ran out of memory' in outcome.message


def test_cancel_reaches_the_job(qtbot: Any) -> None:
    def job(progress: Progress, cancel: Event) -> None:
        assert cancel.wait(5)
        raise CancelledError

    runner = Runner()
    with qtbot.waitSignal(runner.ended, timeout=5000) as blocker:
        runner.start(job)
        assert not runner.cancelling
        runner.cancel()
        assert runner.cancelling
    assert blocker.args == [Cancelled()]


def test_napari_closing_cancels_instead_of_suspending(qtbot: Any) -> None:
    def job(progress: Progress, cancel: Event) -> str:
        assert cancel.wait(5)
        return 'left in order'

    runner = Runner()
    with qtbot.waitSignal(runner.ended, timeout=5000) as blocker:
        runner.start(job)
        assert runner._worker is not None
        runner._worker.quit()  # what napari calls
    assert blocker.args[0].value == 'left in order'


def test_one_job_at_a_time(qtbot: Any) -> None:
    runner = Runner()
    with qtbot.waitSignal(runner.ended, timeout=5000):
        runner.start(lambda progress, cancel: cancel.wait(5))
        with pytest.raises(RuntimeError, match='already'):
            runner.start(lambda progress, cancel: None)
        runner.cancel()


def test_reports_arrive_but_not_all_of_them(qtbot: Any) -> None:
    def job(progress: Progress, cancel: Event) -> None:
        for step in range(1000):
            progress(step / 1000, f'step {step}')

    runner = Runner()
    seen: list[tuple[float, str]] = []
    runner.progressed.connect(lambda *report: seen.append(report))
    with qtbot.waitSignal(runner.ended, timeout=5000):
        runner.start(job)
    assert seen[0] == (0.0, 'step 0')
    assert len(seen) < 20


def test_an_abandoned_job_is_stopped_and_not_heard(qtbot: Any) -> None:
    left = Event()

    def job(progress: Progress, cancel: Event) -> None:
        cancel.wait(5)
        left.set()

    runner = Runner()
    heard: list[object] = []
    runner.ended.connect(heard.append)
    runner.start(job)
    runner.abandon()
    assert not runner.running
    qtbot.waitUntil(left.is_set, timeout=5000)
    qtbot.wait(50)
    assert heard == []


def test_nothing_of_a_finished_job_stays_in_memory(qtbot: Any) -> None:
    array = np.zeros(1000)
    alive = weakref.ref(array)

    def job(progress: Progress, cancel: Event, held: Any = array) -> float:
        return float(held.sum())

    runner = Runner()
    with qtbot.waitSignal(runner.ended, timeout=5000):
        runner.start(job)
    del job, array
    deadline = time.monotonic() + 5
    while alive() is not None and time.monotonic() < deadline:
        gc.collect()
        qtbot.wait(10)
    assert alive() is None
