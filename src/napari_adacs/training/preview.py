"""One validation pair, to see maps change while training.

A preview is images, warped image and every map of the model as float16: the
middle slice in a small .npz file per validation, the whole of the newest one
beside them.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_adacs.io.atomic import atomic_path
from napari_adacs.models.model import Model, companion_schemes
from napari_adacs.spatial.operators import warp
from napari_adacs.training.pairs import PairSource, TrainingPair
from napari_adacs.training.run_files import (
    NEWEST,
    PREVIEW_IMAGE,
    PREVIEWS,
)
from napari_adacs.weighting.base import Direction

FOLDER = PREVIEWS
Maps = dict[str, NDArray[np.float16]]

# Larger volumes are thinned out.
_MOST_VOXELS = 1 << 22


def typical_pair(pairs: PairSource) -> int:
    """Return which pair to show: of those with most labels the middle one.

    In the middle by how different its images are before registration, so
    that there is something to see, and nothing out of the ordinary.
    """
    found = [pairs[index] for index in range(len(pairs))]
    labels = [_common_labels(pair) for pair in found]
    best = [i for i, many in enumerate(labels) if many == max(labels)]
    best.sort(key=lambda index: _difference(found[index]))
    return best[len(best) // 2]


def _difference(pair: TrainingPair) -> float:
    return float(np.square(pair.moving - pair.fixed).mean())


def _common_labels(pair: TrainingPair) -> int:
    if pair.moving_labels is None or pair.fixed_labels is None:
        return 0
    both = np.intersect1d(pair.moving_labels, pair.fixed_labels)
    return int((both > 0).sum())


def preview(model: Model, pair: TrainingPair, device: torch.device) -> Maps:
    """Return images and maps of a pair.

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
    dict of str to (*shape) numpy.ndarray of float16
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
    return {key: _half(value) for key, value in found.items()}


def _half(values: Tensor) -> NDArray[np.float16]:
    image = values[0, 0].float().cpu().numpy()
    # A variance may lie beyond what half precision can say.
    limit = float(np.finfo(np.float16).max)
    out: NDArray[np.float16] = np.clip(image, -limit, limit).astype(np.float16)
    return out


def save_preview(
    folder: Path, step: int, maps: Maps, pair: TrainingPair
) -> None:
    """Write a preview into a run's folder.

    The middle slices are kept, the whole maps until the next preview.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    step : int
        Steps done.
    maps : dict of str to numpy.ndarray of float16
        What `preview` returns.
    pair : TrainingPair
        What they show.
    """
    target = folder / FOLDER
    target.mkdir(exist_ok=True)
    slices = {key: _middle(image) for key, image in maps.items()}
    with _opened(target / f'step_{step:07d}.npz') as file:
        np.savez_compressed(file, **slices)  # type: ignore[arg-type]
    values = _whole(maps, pair) | {'step': np.int64(step)}
    # Read at once and replaced soon: compressing would cost more.
    with _opened(target / NEWEST) as file:
        np.savez(file, **values)


def _whole(maps: Maps, pair: TrainingPair) -> dict[str, Any]:
    """Return the maps, thinned out if they are huge, and where they lie."""
    shape = maps['fixed'].shape
    many = math.prod(shape) / _MOST_VOXELS
    thin = max(1, math.ceil(many ** (1 / len(shape))))
    index = (slice(None, None, thin),) * len(shape)
    found: dict[str, Any] = {
        PREVIEW_IMAGE + key: image[index] for key, image in maps.items()
    }
    spacing = np.array(pair.spacing or (1.0,) * len(shape)) * thin
    found |= {'name': np.str_(pair.name), 'spacing': spacing}
    if pair.grid is not None:
        steps = np.diag([*(float(thin),) * len(shape), 1.0])
        found['affine'] = pair.grid.affine @ steps
        found['units'] = np.str_(pair.grid.units)
    return found


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with atomic_path(path) as temporary, open(temporary, 'wb') as file:
        yield file


def _middle(image: NDArray[np.float16]) -> NDArray[np.float16]:
    return image[:, :, image.shape[2] // 2] if image.ndim == 3 else image
