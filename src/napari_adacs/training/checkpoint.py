"""Checkpoints that a crash cannot break and a resume continues exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from napari_adacs.errors import InputError
from napari_adacs.io.atomic import atomic_path
from napari_adacs.training.run_files import CHECKPOINT

FILE_NAME = CHECKPOINT


def save_checkpoint(folder: Path, values: dict[str, Any]) -> None:
    """Write a checkpoint into a run's folder, atomically."""
    with atomic_path(folder / FILE_NAME) as temporary:
        torch.save(values, temporary)


def load_checkpoint(folder: Path) -> dict[str, Any]:
    """Read the checkpoint of a run's folder.

    Raises
    ------
    InputError
        If there is none, or it is not one of ours.
    """
    path = folder / FILE_NAME
    if not path.exists():
        raise InputError(
            f"There is no checkpoint to resume in '{folder}'.",
            'Start without resuming, or choose the folder of a run.',
        )
    try:
        values = torch.load(path, weights_only=True, map_location='cpu')
    except Exception as error:
        raise InputError(
            f"The checkpoint '{path}' cannot be read safely."
        ) from error
    if not isinstance(values, dict):
        raise InputError(f"'{path}' is not a checkpoint of a training run.")
    return values
