"""What is left behind when a loss stops being a number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from napari_adacs.errors import InputError
from napari_adacs.io.atomic import atomic_path
from napari_adacs.training.batch import Batch

REPORT = 'stopped.json'
IMAGES = 'stopped_batch.npz'
_SHOWN = 4


def not_finite(values: Mapping[str, float], scaled: bool) -> bool:
    """Whether a figure of a step is no finite number.

    Parameters
    ----------
    values : dict of str to float
        Losses and norms of gradients.
    scaled : bool
        Whether gradients are scaled: they may overflow, and the scaler
        passes over such a step.
    """
    return not all(
        np.isfinite(value)
        for name, value in values.items()
        if not (scaled and name.startswith('gradient_'))
    )


def record_failure(
    folder: Path | None,
    step: int,
    values: Mapping[str, float],
    parts: list[Batch],
) -> None:
    """Write the figures and the batch of a failed step.

    Parameters
    ----------
    folder : Path or None
        Folder of the run, if it has one.
    step : int
        Zero-based step.
    values : dict of str to float
        Losses and norms of gradients.
    parts : list of Batch
        What the networks saw.
    """
    if folder is None:
        return
    names = [name for part in parts for name in part.names]
    report = {
        'step': step,
        'values': {name: repr(value) for name, value in values.items()},
        'pairs': names,
    }
    with atomic_path(folder / REPORT) as temporary:
        temporary.write_text(json.dumps(report, indent=2) + '\n', 'utf-8')
    with (
        atomic_path(folder / IMAGES) as temporary,
        open(temporary, 'wb') as file,
    ):
        np.savez_compressed(
            file,
            names=np.array(names),
            moving=torch.cat([part.moving for part in parts]).cpu().numpy(),
            fixed=torch.cat([part.fixed for part in parts]).cpu().numpy(),
        )


def failure(
    step: int, values: Mapping[str, float], names: list[str]
) -> InputError:
    """Return the error that says which figure and which pairs it was.

    Parameters
    ----------
    step : int
        Zero-based step.
    values : dict of str to float
        Losses and norms of gradients.
    names : list of str
        Names of the pairs of the batch.
    """
    bad = [name for name, v in values.items() if not np.isfinite(v)]
    what = f"'{bad[0]}' became {values[bad[0]]}" if bad else 'a loss diverged'
    known = [name for name in dict.fromkeys(names) if name]
    pairs = ', '.join(known[:_SHOWN])
    if len(known) > _SHOWN:
        pairs += f' and {len(known) - _SHOWN} more'
    where = f', on {pairs}' if pairs else ''
    return InputError(
        f'Training stopped at step {step}: {what}{where}.',
        'The weights before this step are kept. Lower the learning rate, or '
        'take these pairs out.',
    )
