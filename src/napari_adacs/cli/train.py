"""``napari-adacs train``."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_adacs.cli.console import ProgressLine, say
from napari_adacs.cli.stopping import stop_on_signals
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
    from napari_adacs.training.devices import training_device
    from napari_adacs.training.processes import named_in_environment
    from napari_adacs.training.sources.opening import open_data
    from napari_adacs.training.train import train

    processes = named_in_environment()
    device = training_device(chosen.device, processes)
    with ProgressLine(silent=not processes.writes) as line:
        data = open_data(chosen.data, config, folder, line)
    if processes.writes:
        folder.mkdir(parents=True, exist_ok=True)
        data.write_report(folder)
        _say_skipped(data.skipped, folder)
    with (
        ProgressLine(silent=not processes.writes) as line,
        stop_on_signals(patient=processes.size > 1) as stop,
    ):
        shown = _Shown(line)
        train(
            data.training,
            config,
            validation=data.validation,
            folder=folder,
            resume=chosen.resume,
            device=device,
            progress=shown,
            cancel=stop.is_set,
        )
    say_or_not = say if processes.writes else _say_nothing
    return _report(config, chosen.out, shown.step, stop.is_set(), say_or_not)


def _say_nothing(text: str) -> None:
    """Leave speaking to the first process."""


class _Shown:
    """Shows step, time left and losses."""

    def __init__(self, line: Callable[[float, str], None]) -> None:
        from napari_adacs.training.remaining import RemainingTime

        self.step = 0
        self._line = line
        self._remaining = RemainingTime()

    def __call__(
        self, step: int, total: int, losses: dict[str, float]
    ) -> None:
        from napari_adacs.training.remaining import readable_time

        self.step = step
        left = readable_time(self._remaining(step, total))
        time_left = f', {left} left' if left else ''
        figures = ' '.join(
            f'{name} {value:.4g}'
            for name, value in losses.items()
            if not name.startswith(('residual_', 'gradient_'))
        )
        self._line(
            step / total, f'step {step} of {total}{time_left}  {figures}'
        )


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


def _report(
    config: TrainConfig,
    out: str,
    reached: int,
    stopped: bool,
    say: Callable[[str], None],
) -> int:
    total = config.stages.total
    if stopped and reached < total:
        say(f'Stopped after step {reached} of {total}; --resume continues.')
        return _INTERRUPTED
    if reached < total:
        say(
            f'Stopped at step {reached} of {total}: '
            f'{config.stopping.patience} validations without improvement.'
        )
    say(
        f'Trained {config.name}: {out}/model.safetensors, log in {out}/log.csv'
    )
    return 0


def _say_skipped(skipped: Sequence[Skipped], folder: Path) -> None:
    for pair in skipped[:_MOST_NAMED]:
        say(f'Skipped {pair.name}: {pair.reason}')
    if len(skipped) > _MOST_NAMED:
        say(f'Skipped {len(skipped)} pairs in all; see {folder}/data.csv')
