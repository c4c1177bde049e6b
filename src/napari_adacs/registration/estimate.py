"""Run a model's networks on a prepared pair."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from napari_adacs.errors import InputError
from napari_adacs.models.model import Model, companion_schemes
from napari_adacs.networks.base import Motion
from napari_adacs.networks.diffusemorph import DiffuseMorph
from napari_adacs.registration.backend import computing
from napari_adacs.registration.preprocess import NetworkPair
from napari_adacs.spatial.operators import warp
from napari_adacs.weighting.base import Direction

Maps = dict[str, Tensor]


class Networks:
    """A model and a pair on the device where they meet.

    Parameters
    ----------
    model : Model
        Moved to `device`.
    pair : NetworkPair
        Images on the network grid.
    device : torch.device
        Where to compute.
    backend : str
        As in `RunConfig`.
    """

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
            if model.header.ndim == 2
            else torch.channels_last_3d
        )
        for module in model.modules().values():
            module.to(device=device, memory_format=layout)  # type: ignore[call-overload]
        self.moving = self.images(pair.moving).to(device)
        self.fixed = self.images(pair.fixed).to(device)
        self._score: Tensor | None = None

    @property
    def has_eta(self) -> bool:
        """Whether the scale of a diffusion score can be chosen."""
        return isinstance(self.model.displacement, DiffuseMorph)

    def motion(self, eta: float | None = None) -> Motion:
        """Return the motion that the network estimates.

        Parameters
        ----------
        eta : float, optional
            Scale of the score of a DiffuseMorph model; its own if omitted.
            The score itself is computed once and kept.

        Raises
        ------
        InputError
            If the model has no eta, and one was given.
        DeviceError
            If the backend does not work here.
        """
        estimator = self.model.displacement
        with self._computing():
            if not isinstance(estimator, DiffuseMorph):
                self._refuse(eta)
                found: Motion = estimator(self.moving, self.fixed)
                return found
            if self._score is None:
                self._score = estimator.score(self.moving, self.fixed)
            return estimator.motion_from_score(
                self.moving,
                self._score,
                eta=estimator.eta if eta is None else eta,
            )

    def images(self, values: Tensor) -> Tensor:
        """Return an image of the pair as the networks see it."""
        return values

    def batched(self, values: Tensor) -> Tensor:
        """Return values on the network grid (1, C, ...) as `moving` is."""
        return values

    def on_grid(self, motion: Motion) -> Motion:
        """Return an estimated motion as one of the network grid."""
        return motion

    def displacement_sd(self, motion: Motion) -> Maps:
        """Return how uncertain the network is of its motion, if it says.

        Along an axis, in the grid's unit: the root of the mean variance
        over axes, since voxels may have different sides.
        """
        with self._computing():
            spread = self.model.displacement.displacement_sd(motion)
        if spread is None:
            return {}
        return {'displacement_sd': _physical(spread, self.spacing)}

    def maps(self, displacement: Tensor) -> Maps:
        """Return score, variance and weight, as far as the model has them.

        Parameters
        ----------
        displacement : (1, ndim, *shape) torch.Tensor
            The displacement that the maps are about, in network voxels.

        Returns
        -------
        dict of str to (1, 1, *shape) torch.Tensor
            On the CPU.
        """
        return self.maps_of(warp(self.moving, displacement.to(self.device)))

    def maps_of(self, warped: Tensor) -> Maps:
        """Return the maps for images that are warped already.

        Parameters
        ----------
        warped : torch.Tensor
            Like `moving`.
        """
        with self._computing():
            maps = _maps(self.model, Direction(self.fixed, warped))
        return {name: values.float().cpu() for name, values in maps.items()}

    @property
    def spacing(self) -> Sequence[float]:
        """Voxel size along the axes of the network."""
        return self.pair.grid.spacing

    def weight(self, displacement: Tensor) -> Tensor | None:
        """Return how much each residual counts while refining.

        The weight of the model's scheme, raised by the emphasis.

        Returns
        -------
        (1, 1, *shape) torch.Tensor or None
            On the CPU; None where all residuals count alike.
        """
        weight = None
        name = self.model.scheme.auxiliary
        if name is not None and name in self.model.auxiliaries:
            weight = self.maps(displacement).get('weight')
        if weight is not None:
            # A likelihood weights by an inverse variance, in the hundreds;
            # the smoothness is meant for weights up to one.
            weight = weight / weight.mean().clamp_min(1)
        if self.pair.emphasis is not None:
            raised = 1 + self.pair.emphasis
            weight = raised if weight is None else weight * raised
        return None if weight is None else weight.clone()

    @contextlib.contextmanager
    def _computing(self) -> Iterator[None]:
        """Run the networks without gradients, in the chosen way."""
        networks = list(self.model.modules().values())
        with (
            torch.inference_mode(),
            computing(networks, self.backend, self.device),
        ):
            yield

    def _refuse(self, eta: float | None) -> None:
        if eta is None:
            return
        header = self.model.header
        raise InputError(
            f"Model '{header.name}' has no eta: it is a {header.network}.",
            'Leave eta out, or choose a DiffuseMorph model.',
        )


def _physical(spread: Tensor, spacing: Sequence[float]) -> Tensor:
    sides = torch.tensor(spacing, dtype=spread.dtype).view(
        1, -1, *[1] * len(spacing)
    )
    squares = (spread.cpu() * sides).square()
    return squares.mean(1, keepdim=True).sqrt().float()


def _maps(model: Model, direction: Direction) -> Maps:
    maps: Maps = {}
    for name, scheme in companion_schemes(model).items():
        output = model.auxiliaries[name](direction.fixed, direction.warped)
        shown = scheme.maps(direction, output)
        if scheme is not model.scheme:
            # Only the scheme the model was trained with has a say in how
            # much a residual counted.
            shown.pop('weight', None)
        maps.update(shown)
    if model.scheme.auxiliary is None:
        maps.update(model.scheme.maps(direction, None))
    return maps
