"""Run a model's networks on a prepared pair."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from napari_adacs.errors import InputError
from napari_adacs.models.model import Model, companion_schemes
from napari_adacs.networks.base import Motion
from napari_adacs.networks.diffusemorph import DiffuseMorph
from napari_adacs.registration.backend import computing
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.preprocess import NetworkPair
from napari_adacs.registration.progress import Reporter
from napari_adacs.registration.refine import refine
from napari_adacs.spatial.grid import Grid
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
    again : callable or None
        From a DiffuseMorph model: estimates with another eta.
    """

    field: Tensor
    inverse: Tensor | None
    maps: Mapping[str, Tensor]
    again: Callable[[float], Estimate] | None = None


def estimate(
    model: Model,
    pair: NetworkPair,
    device: torch.device,
    config: RunConfig,
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
    config : RunConfig
        Backend, eta, steps of instance optimisation.
    report : Reporter
        Progress and cancelling.

    Raises
    ------
    InputError
        If the model has no eta, and one was given.
    DeviceError
        If the backend does not work here.
    """
    run = _Run(model, pair, device, config.backend)
    eta = run.eta(config.eta)
    report(0.2, 'Estimating the displacement')
    with run.computing():
        score = run.score()
        motion = run.motion(score, eta)
    first = motion
    if config.refine_steps:
        emphasis = pair.emphasis
        motion = refine(
            model,
            motion,
            run.moving,
            run.fixed,
            config.refine_steps,
            report,
            None if emphasis is None else emphasis.to(device),
        )
    report(0.6, 'Computing the maps')
    found = run.estimate(motion, first)
    again = None if score is None else partial(run.again, score)
    return replace(found, again=again)


class _Run:
    """A model and a pair on the device where they meet."""

    def __init__(
        self,
        model: Model,
        pair: NetworkPair,
        device: torch.device,
        backend: str,
    ) -> None:
        self.model, self.pair = model, pair
        self.device, self.backend = device, backend
        layout = (
            torch.channels_last
            if pair.grid.ndim == 2
            else torch.channels_last_3d
        )
        for module in model.modules().values():
            module.to(device=device, memory_format=layout)  # type: ignore[call-overload]
        self.moving = pair.moving.to(device)
        self.fixed = pair.fixed.to(device)

    @contextlib.contextmanager
    def computing(self) -> Iterator[None]:
        """Run the networks without gradients, in the chosen way."""
        networks = list(self.model.modules().values())
        with (
            torch.inference_mode(),
            computing(networks, self.backend, self.device),
        ):
            yield

    def eta(self, wanted: float | None) -> float | None:
        """Return the eta to use, None where the model has none."""
        estimator = self.model.displacement
        if isinstance(estimator, DiffuseMorph):
            return estimator.eta if wanted is None else wanted
        if wanted is None:
            return None
        raise InputError(
            f"Model '{self.model.header.name}' has no eta: it is a "
            f'{self.model.header.network}.',
            'Leave eta out, or choose a DiffuseMorph model.',
        )

    def score(self) -> Tensor | None:
        """Return the diffusion score of the pair, None without one."""
        estimator = self.model.displacement
        if isinstance(estimator, DiffuseMorph):
            return estimator.score(self.moving, self.fixed)
        return None

    def motion(self, score: Tensor | None, eta: float | None) -> Motion:
        """Return the motion of the pair."""
        estimator = self.model.displacement
        if isinstance(estimator, DiffuseMorph) and score is not None:
            return estimator.motion_from_score(self.moving, score, eta=eta)
        found: Motion = estimator(self.moving, self.fixed)
        return found

    def estimate(self, motion: Motion, first: Motion) -> Estimate:
        """Return a motion with its maps.

        Parameters
        ----------
        motion : Motion
            Refined or not.
        first : Motion
            What the network said, with its uncertainty.
        """
        with self.computing():
            maps = _maps(self.model, self.moving, self.fixed, motion)
            spread = self.model.displacement.displacement_sd(first)
        if spread is not None:
            maps['displacement_sd'] = _physical(spread, self.pair.grid)
        inverse = motion.inverse
        return Estimate(
            motion.displacement.float().cpu(),
            None if inverse is None else inverse.float().cpu(),
            {k: v.float().cpu() for k, v in maps.items()},
        )

    def again(self, score: Tensor, eta: float) -> Estimate:
        """Estimate with another eta from the score that is there."""
        with self.computing():
            motion = self.motion(score, eta)
        found = self.estimate(motion, motion)
        return replace(found, again=partial(self.again, score))


def _physical(spread: Tensor, grid: Grid) -> Tensor:
    """Return the standard deviation along an axis, in the grid's unit.

    The root of the mean variance over axes, since voxels may have different
    sides.
    """
    sides = torch.tensor(grid.spacing, dtype=spread.dtype).view(
        1, -1, *[1] * grid.ndim
    )
    return (spread.cpu() * sides).square().mean(1, keepdim=True).sqrt()


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
    return maps
