"""A run to look at and to steer, from any session."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_adacs.errors import InputError
from napari_adacs.runs.control import Wish, wish, wished
from napari_adacs.runs.figures import FigureReader, Figures
from napari_adacs.runs.files import RUN, STATUS, read_json, write_json
from napari_adacs.runs.folders import runs_folder
from napari_adacs.runs.keep import kept_entry
from napari_adacs.runs.outcome import Outcome, read_outcome
from napari_adacs.runs.plan import TrainingPlan, absolute
from napari_adacs.runs.preview import Preview, PreviewReader
from napari_adacs.runs.process import end_process, life_of
from napari_adacs.runs.records import read_plan
from napari_adacs.runs.state import State, Status
from napari_adacs.runs.verdict import verdict
from napari_adacs.training.run_files import CHECKPOINT, LOG


class TrainingRun:
    """A run of ``napari-adacs train``, known by its folder.

    Looking costs a few small files; nothing is kept between looks that
    another session would miss.

    Parameters
    ----------
    folder : str or Path
        Folder of the run.

    Raises
    ------
    InputError
        If the folder holds no run.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = absolute(folder)
        if not any((self.folder / name).exists() for name in (RUN, LOG)):
            raise InputError(
                f'{self.folder} holds no training run.',
                'Choose the folder of a run.',
            )
        self._figures = FigureReader(self.folder)
        self._previews = PreviewReader(self.folder)

    @property
    def name(self) -> str:
        """What the run is called: the name of its folder."""
        return self.folder.name

    def status(self) -> Status:
        """Return where the run is."""
        life_before = read_json(self.folder / STATUS) or {}
        life = life_of(self.folder, life_before)
        # Read again: what a process says last it says before it ends.
        values = read_json(self.folder / STATUS) or life_before
        said = _said(values)
        if said.ended:
            return self._status(values, said, str(values.get('sentence', '')))
        if not life.alive:
            return self._dead(values, life)
        wanted = wished(self.folder)
        if wanted is Wish.STOP:
            step = _whole(values, 'step')
            return self._status(
                values, State.STOPPING, f'Stopping after step {step}.'
            )
        return self._status(values, said, str(values.get('sentence', '')))

    def _dead(self, values: dict[str, Any], life: Any) -> Status:
        state, sentence = verdict(self.folder, life, _whole(values, 'step'))
        if life.code is not None:
            # Only this session knows the exit code: others shall, too.
            values = values | {'state': state.value, 'sentence': sentence}
            with contextlib.suppress(OSError):
                write_json(self.folder / STATUS, values)
        return self._status(values, state, sentence)

    def _status(
        self, values: dict[str, Any], state: State, sentence: str
    ) -> Status:
        step, total = _whole(values, 'step'), _whole(values, 'total')
        left = values.get('seconds_left')
        resumable = state in (State.STOPPED, State.FAILED)
        return Status(
            state,
            step,
            total,
            str(values.get('stage', '')),
            float(left) if isinstance(left, int | float) else None,
            float(values.get('seconds', 0.0)),
            sentence,
            resumable and (self.folder / CHECKPOINT).exists(),
        )

    def figures(self) -> Figures:
        """Return losses and validation, read as far as they are new."""
        return self._figures.read()

    def preview(self) -> Preview | None:
        """Return the newest preview; None if it was returned before."""
        return self._previews.read()

    def outcome(self) -> Outcome | None:
        """Return what came out; None while it runs or without a model."""
        status = self.status()
        if not status.state.ended:
            return None
        found = read_outcome(self.folder, status.seconds)
        kept = kept_entry(self.folder)
        if found is None or kept is None:
            return found
        return replace(found, kept_as=kept.name)

    def plan(self) -> TrainingPlan | None:
        """Return what the run was asked for; None if it does not say."""
        try:
            return read_plan(self.folder)
        except InputError:
            return None

    def pause(self) -> None:
        """Let the run rest after the step it is in."""
        wish(self.folder, Wish.PAUSE)

    def go_on(self) -> None:
        """Let a run that rests go on."""
        wish(self.folder, Wish.GO_ON)

    def stop(self) -> None:
        """Let the run end after the step it is in, and keep its model."""
        wish(self.folder, Wish.STOP)

    def kill(self) -> None:
        """End the process at once; the last checkpoint stays."""
        values = read_json(self.folder / STATUS) or {}
        if self.status().state.ended:
            return
        end_process(self.folder, values)
        told = {
            'state': State.STOPPED.value,
            'sentence': 'Its process was ended; the last checkpoint is kept.',
            'seconds_left': None,
        }
        values = read_json(self.folder / STATUS) or values
        if not _said(values).ended:
            with contextlib.suppress(OSError):
                write_json(self.folder / STATUS, values | told)


def _said(values: dict[str, Any]) -> State:
    try:
        return State(values.get('state', State.STARTING))
    except ValueError:
        return State.STARTING


def _whole(values: dict[str, Any], name: str) -> int:
    found = values.get(name, 0)
    return found if isinstance(found, int) else 0


def list_runs() -> list[TrainingRun]:
    """Return the runs in the user's folder, newest first."""
    found = []
    with contextlib.suppress(OSError):
        for folder in runs_folder().iterdir():
            with contextlib.suppress(InputError):
                found.append((_changed(folder), TrainingRun(folder)))
    found.sort(key=lambda item: item[0], reverse=True)
    return [run for _, run in found]


def _changed(folder: Path) -> float:
    """Return when a run began, as far as its folder tells."""
    values = read_json(folder / RUN) or {}
    try:
        return float(values['created'])
    except (KeyError, TypeError, ValueError):
        return folder.stat().st_mtime
