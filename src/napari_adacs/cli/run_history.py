"""The commands behind a model: its own run and those it started from."""

from __future__ import annotations

import shlex
from argparse import Namespace
from pathlib import Path, PurePath
from typing import Any

from napari_adacs.errors import AdacsError
from napari_adacs.models.library import find_model
from napari_adacs.runs.files import read_json, write_json
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.sources.listing import is_made

_FILE = 'history.json'
_EARLIER = 'earlier'
# What a later run keeps of an earlier one.
_KEPT = ('name', 'command', 'pairs', 'labels', 'steps', 'seconds', 'device')


def public(source: str) -> str:
    """Return the name of data without the folders of this computer."""
    return source if is_made(source) else PurePath(source).name


def keep_history(folder: Path, chosen: Namespace, config: TrainConfig) -> None:
    """Write down what a run does, and what its start has done.

    Parameters
    ----------
    folder : Path
        Folder of the run; a run that goes on keeps what stands there.
    chosen : argparse.Namespace
        The command line.
    config : TrainConfig
        With the model that the run starts from.
    """
    if chosen.resume and (folder / _FILE).exists():
        return
    start, earlier = '', []
    if config.start_from:
        start = PurePath(config.start_from).stem
        try:
            header = find_model(config.start_from).header
        except AdacsError:
            pass
        else:
            start = header.name
            before = dict(header.training.get('run') or {})
            earlier = list(before.get(_EARLIER, ()))
            kept = {key: before[key] for key in _KEPT if key in before}
            if kept:
                earlier.append({'name': start, **kept})
    values = {'command': _command(chosen, start), _EARLIER: earlier}
    write_json(folder / _FILE, {**values, 'started from': start})


def read_history(folder: Path) -> dict[str, Any]:
    """Return what `keep_history` has written; empty if it has not."""
    return read_json(folder / _FILE) or {}


def _command(chosen: Namespace, start: str) -> str:
    config = PurePath(chosen.config)
    named = config.parent.name == 'recipes'
    words = ['napari-adacs', 'train', *map(public, chosen.data)]
    words += ['--config', f'recipes/{config.name}' if named else config.name]
    if start:
        words += ['--start-from', start]
    if chosen.minutes is not None:
        words += ['--minutes', f'{chosen.minutes:g}']
    return shlex.join([*words, '-o', 'RUN'])
