"""Run a model's networks on a prepared pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_adacs.models.model import Model, companion_schemes
from napari_adacs.networks.base import Motion
from napari_adacs.registration.preprocess import NetworkPair
from napari_adacs.registration.progress import Reporter
from napari_adacs.registration.refine import refine
from napari_adacs.spatial.operators import warp
from napari_adacs.weighting.base import Direction


@dataclass(frozen=True, eq=False)
class Estimate:
    """Field and maps on the network grid, on the CPU.

    Parameters
    ----------
    field : (1, ndim, *shape) torch.Tensor
        Displacement in voxels of the network grid.
    inverse : (1, ndim, *shape) torch.Tensor or None
        Displacement of the inverse map.
    maps : dict of str to (1, 1, *shape) torch.Tensor
        Score, variance and weight, as far as the model has them.
    """

    field: Tensor
    inverse: Tensor | None
    maps: Mapping[str, Tensor]


def estimate(
    model: Model,
    pair: NetworkPair,
    device: torch.device,
    refine_steps: int,
    report: Reporter,
) -> Estimate:
    """Estimate the field and the maps of a pair.

    Parameters
    ----------
    model : Model
        Moved to `device`.
    pair : NetworkPair
        Images on the network grid.
    device : torch.device
        Where to compute.
    refine_steps : int
        Steps of instance optimisation.
    report : Reporter
        Progress and cancelling.
    """
    layout = (
        torch.channels_last if pair.grid.ndim == 2 else torch.channels_last_3d
    )
    for module in model.modules().values():
        module.to(device=device, memory_format=layout)  # type: ignore[call-overload]
    moving = pair.moving.to(device)
    fixed = pair.fixed.to(device)
    report(0.2, 'Estimating the displacement')
    with torch.inference_mode():
        motion: Motion = model.displacement(moving, fixed)
    if refine_steps:
        emphasis = pair.emphasis
        motion = refine(
            model,
            motion,
            moving,
            fixed,
            refine_steps,
            report,
            None if emphasis is None else emphasis.to(device),
        )
    report(0.6, 'Computing the maps')
    with torch.inference_mode():
        maps = _maps(model, moving, fixed, motion)
    inverse = None if motion.inverse is None else motion.inverse.cpu()
    return Estimate(motion.displacement.cpu(), inverse, maps)


def _maps(
    model: Model, moving: Tensor, fixed: Tensor, motion: Motion
) -> dict[str, Tensor]:
    direction = Direction(fixed, warp(moving, motion.displacement))
    maps: dict[str, Tensor] = {}
    for name, scheme in companion_schemes(model).items():
        output = model.auxiliaries[name](fixed, direction.warped)
        shown = scheme.maps(direction, output)
        if scheme is not model.scheme:
            # Only the scheme the model was trained with has a say in how
            # much a residual counted.
            shown.pop('weight', None)
        maps.update(shown)
    if model.scheme.auxiliary is None:
        maps.update(model.scheme.maps(direction, None))
    return {name: values.cpu() for name, values in maps.items()}
