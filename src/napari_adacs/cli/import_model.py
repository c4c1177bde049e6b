"""``napari-adacs models import``."""

from __future__ import annotations

import ast
from argparse import Namespace
from pathlib import Path
from typing import Any

from napari_adacs.cli.console import say
from napari_adacs.errors import InputError
from napari_adacs.models.bundle import save_bundle
from napari_adacs.models.header import Preprocessing
from napari_adacs.models.importers.convert import (
    Told,
    checkpoint_header,
    import_checkpoint,
)
from napari_adacs.models.importers.registry import inspect_checkpoint
from napari_adacs.models.library import SUFFIX, new_user_path


def run_import(chosen: Namespace) -> int:
    """Convert public checkpoints to one model bundle."""
    for path in chosen.files:
        say('\n'.join([f'{path}:', *inspect_checkpoint(path).sentences()]))
    told = Told(
        chosen.name,
        _preprocessing(chosen),
        dict(_option(text) for text in chosen.option),
        chosen.title,
        chosen.domain,
        chosen.licence,
    )
    header = checkpoint_header(*chosen.files, told=told)
    out = _target(chosen.out, header.name)
    model = import_checkpoint(*chosen.files, told=told)
    save_bundle(out, model, 'half' if chosen.half else 'single')
    say(f'Model {header.name} written to {out}.')
    return 0


def _preprocessing(chosen: Namespace) -> Preprocessing | None:
    if chosen.shape:
        grid = 'resize'
    elif chosen.orientation is None:
        return None
    else:
        grid = 'pad'
    return Preprocessing(
        grid,  # type: ignore[arg-type]
        tuple(chosen.shape or ()),
        chosen.orientation or 'file',
    )


def _option(text: str) -> tuple[str, Any]:
    """Read 'name=value'; a value is a number, a list or a word."""
    name, equals, value = text.partition('=')
    if not (equals and name and value):
        raise InputError(
            f"'{text}' is no option of a network.",
            'Write it as NAME=VALUE, for example int_steps=0.',
        )
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def _target(out: str | None, name: str) -> Path:
    if out is None:
        return new_user_path(name)
    path = Path(out).expanduser()
    if path.suffix != SUFFIX:
        raise InputError(
            f"A model file ends in {SUFFIX}, and '{out}' does not.",
            f'Write -o {path.name.split(".")[0]}{SUFFIX}.',
        )
    return path
