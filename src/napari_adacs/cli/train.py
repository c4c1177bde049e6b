"""``napari-adacs train``."""

from __future__ import annotations

import contextlib
import signal
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING

from napari_adacs.cli.console import ProgressLine, say
from napari_adacs.errors import InputError
from napari_adacs.io.staging import check_folder
from napari_adacs.models.library import find_model
from napari_adacs.training.config import TrainConfig, load_config

if TYPE_CHECKING:
    from napari_adacs.training.sources.checking import Skipped

_CHECKPOINT = 'checkpoint.pt'
_INTERRUPTED = 130
_MOST_NAMED = 5


def run(chosen: Namespace) -> int:
    """Train a model; the first Ctrl-C stops and keeps a checkpoint."""
    config = _configure(chosen)
    folder = Path(chosen.out).expanduser()
    _check_run(folder, chosen.resume)
    check_folder(folder)
    # torch comes with these: only now, when the configuration is known good
    from napari_adacs.training.sources.opening import open_data
    from napari_adacs.training.train import train

    data = open_data(chosen.data, config, folder)
    folder.mkdir(parents=True, exist_ok=True)
    data.write_report(folder)
    _say_skipped(data.skipped, folder)
    reached = 0
    with ProgressLine() as line, _stop_on_interrupt() as stop:

        def progress(step: int, total: int, losses: dict[str, float]) -> None:
            nonlocal reached
            reached = step
            line(step / total, f'step {step} of {total}  {_shown(losses)}')

        train(
            data.training,
            config,
            validation=data.validation,
            folder=folder,
            resume=chosen.resume,
            progress=progress,
            cancel=stop.is_set,
        )
    return _report(config, chosen.out, reached, stop.is_set())


def _configure(chosen: Namespace) -> TrainConfig:
    config = load_config(chosen.config)
    if chosen.start_from is None:
        return config
    # A model may be named; the configuration keeps the file.
    entry = find_model(chosen.start_from)
    return replace(config, start_from=str(entry.path))


def _check_run(folder: Path, resume: bool) -> None:
    if not resume and (folder / _CHECKPOINT).exists():
        raise InputError(
            f'{folder} holds a training run already.',
            'Continue it with --resume, or choose another folder.',
        )


def _report(config: TrainConfig, out: str, reached: int, stopped: bool) -> int:
    total = config.stages.total
    if stopped and reached < total:
        say(f'Stopped after step {reached} of {total}; --resume continues.')
        return _INTERRUPTED
    say(
        f'Trained {config.name}: {out}/model.safetensors, log in {out}/log.csv'
    )
    return 0


def _say_skipped(skipped: Sequence[Skipped], folder: Path) -> None:
    for pair in skipped[:_MOST_NAMED]:
        say(f'Skipped {pair.name}: {pair.reason}')
    if len(skipped) > _MOST_NAMED:
        say(f'Skipped {len(skipped)} pairs in all; see {folder}/data.csv')


def _shown(losses: dict[str, float]) -> str:
    return ' '.join(f'{name} {value:.4g}' for name, value in losses.items())


@contextlib.contextmanager
def _stop_on_interrupt() -> Iterator[Event]:
    """Turn the first Ctrl-C into a wish to stop; the second stops at once."""
    stop = Event()

    def note(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
