"""Asking runs to rest, go on or end."""

from __future__ import annotations

from pathlib import Path

from napari_adacs.runs.run import TrainingRun


def pause(folder: Path) -> None:
    """Let a run rest after the step it is in."""
    TrainingRun(folder).pause()


def go_on(folder: Path) -> None:
    """Let a run that rests go on."""
    TrainingRun(folder).go_on()


def stop(folder: Path) -> None:
    """Let a run end after the step it is in, and keep its model."""
    TrainingRun(folder).stop()
