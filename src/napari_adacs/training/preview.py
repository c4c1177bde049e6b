"""A slice of one validation pair, to see maps change while training.

A preview is a small .npz file per validation: images, warped image and
every map of the model as float16.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_adacs.io.atomic import atomic_path
from napari_adacs.models.model import Model, companion_schemes
from napari_adacs.spatial.operators import warp
from napari_adacs.training.pairs import TrainingPair
from napari_adacs.training.run_files import PREVIEWS
from napari_adacs.weighting.base import Direction

FOLDER = PREVIEWS


def preview(
    model: Model, pair: TrainingPair, device: torch.device
) -> dict[str, NDArray[np.float16]]:
    """Return the middle slice of images and maps.

    Parameters
    ----------
    model : Model
        Networks with the weights to look at.
    pair : TrainingPair
        A pair on the network's grid.
    device : torch.device
        Where the model is.

    Returns
    -------
    dict of str to (H, W) numpy.ndarray of float16
        'moving', 'fixed', 'warped', and maps such as 'score', 'variance' or
        'weight'.
    """
    moving = torch.from_numpy(pair.moving)[None, None].to(device)
    fixed = torch.from_numpy(pair.fixed)[None, None].to(device)
    found: dict[str, Tensor] = {'moving': moving, 'fixed': fixed}
    with torch.inference_mode():
        field = model.displacement(moving, fixed, inverse=False).displacement
        found['warped'] = warp(moving, field)
        mask = (moving != 0) | (fixed != 0)
        direction = Direction(
            fixed,
            found['warped'],
            mask if model.scheme.uses_mask else None,
        )
        if model.scheme.auxiliary is None:
            found |= model.scheme.maps(direction, None)
        for name, scheme in companion_schemes(model).items():
            output = model.auxiliaries[name](fixed, found['warped'])
            for key, value in scheme.maps(direction, output).items():
                own = name == model.scheme.auxiliary
                if own or key not in ('weight', *found):
                    found[key] = value
    return {key: _middle(value) for key, value in found.items()}


def _middle(values: Tensor) -> NDArray[np.float16]:
    image = values[0, 0].float().cpu().numpy()
    if image.ndim == 3:
        image = image[:, :, image.shape[2] // 2]
    # A variance may lie beyond what half precision can say.
    limit = float(np.finfo(np.float16).max)
    out: NDArray[np.float16] = np.clip(image, -limit, limit).astype(np.float16)
    return out


def save_preview(
    folder: Path, step: int, slices: dict[str, NDArray[np.float16]]
) -> None:
    """Write a preview into a run's folder."""
    target = folder / FOLDER
    target.mkdir(exist_ok=True)
    with (
        atomic_path(target / f'step_{step:07d}.npz') as temporary,
        open(temporary, 'wb') as file,
    ):
        np.savez_compressed(file, **slices)  # type: ignore[arg-type]
