"""Where a run stands, in words."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from napari_adacs.runs.state import State, Status

if TYPE_CHECKING:
    from napari_adacs.app.finetune.watch import Listed

__all__ = ['State', 'Status', 'run_title', 'told']

_MARKS = {
    State.RUNNING: '▶',
    State.PAUSED: '⏸',
    State.FINISHED: '✓',
    State.STOPPED: '■',
    State.FAILED: '✗',
}


def told(status: Status) -> str:
    """Return where a run stands, in a sentence or two."""
    sentence = status.sentence.strip()
    if status.state is State.FINISHED or not status.state.ended:
        return sentence
    if status.resumable and status.state is State.STOPPED:
        return f'{sentence} Resume goes on with it.'.strip()
    return sentence


def run_title(run: Listed) -> str:
    """Return how a list names a run."""
    mark = _MARKS.get(run.status.state, '…')
    return f'{mark} {run.name} ({run.status.state})'


def run_tooltip(run: Listed) -> str:
    """Return what else there is to know of a run in a list."""
    when = ''
    if run.folder.exists():
        time = datetime.datetime.fromtimestamp(run.folder.stat().st_mtime)
        when = f'\n{time:%d %b %Y, %H:%M}'
    return f'{run.folder}{when}\n{run.status.sentence}'
