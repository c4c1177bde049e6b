"""Where a run stands, in words."""

from __future__ import annotations

from pathlib import Path

from napari_adacs.app.finetune.states import run_title, run_tooltip, told
from napari_adacs.app.finetune.watch import Listed
from napari_adacs.runs.state import State, Status


def test_a_run_that_can_go_on_says_so() -> None:
    stopped = Status(State.STOPPED, sentence='Stopped.', resumable=True)
    assert told(stopped) == 'Stopped. Resume goes on with it.'
    assert told(Status(State.STOPPED, sentence='Gone.')) == 'Gone.'
    running = Status(State.RUNNING, sentence='Step 1 of 2.', resumable=True)
    assert told(running) == 'Step 1 of 2.'


def test_the_list_tells_runs_apart(tmp_path: Path) -> None:
    for state in State:
        run = Listed(tmp_path, 'heart', Status(state, sentence='Why.'))
        assert 'heart' in run_title(run) and state in run_title(run)
        assert 'Why.' in run_tooltip(run)
    gone = Listed(tmp_path / 'gone', 'heart', Status(State.FAILED))
    assert 'gone' in run_tooltip(gone)
