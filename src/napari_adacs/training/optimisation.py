"""Two estimators, two optimisers: rates, gradients, steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam

from napari_adacs.models.model import Model
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.processes import Processes
from napari_adacs.training.schedule import rates


class Optimisation:
    """Adam for the displacement and for the auxiliary estimators.

    Parameters
    ----------
    model : Model
        What is trained.
    config : TrainConfig
        Rates, moments, clipping, precision.
    processes : Processes
        Who shares the gradients.
    device : torch.device
        Where the model is.
    """

    def __init__(
        self,
        model: Model,
        config: TrainConfig,
        processes: Processes,
        device: torch.device,
    ) -> None:
        self.config = config
        self.processes = processes
        chosen = config.optimiser
        self.displacement = Adam(
            model.displacement.parameters(),
            lr=config.learning_rate,
            betas=_pair(chosen.betas),
            amsgrad=chosen.amsgrad,
        )
        parameters = [
            p for m in model.auxiliaries.values() for p in m.parameters()
        ]
        self.auxiliary: Adam | None = None
        if parameters:
            self.auxiliary = Adam(
                parameters,
                lr=config.learning_rate,
                betas=_pair(chosen.auxiliary_betas),
            )
        # Half precision loses small gradients unless they are scaled up.
        self.scaler = torch.amp.GradScaler(
            device.type, enabled=chosen.precision == 'float16'
        )
        self.leaked: list[Tensor | None] = []
        self._aside: list[Tensor | None] = []

    def set_rates(self, step: int) -> None:
        """Set the learning rates for a step."""
        for optimiser, rate in zip(
            (self.displacement, self.auxiliary),
            rates(self.config, step),
            strict=True,
        ):
            if optimiser is not None:
                for group in optimiser.param_groups:
                    group['lr'] = rate

    def begin(self) -> None:
        """Forget the gradients of the last step."""
        for optimiser in self._optimisers():
            optimiser.zero_grad(set_to_none=True)

    def backward(self, loss: Tensor, keep_graph: bool = False) -> None:
        """Add the gradients of a loss."""
        scaled: Tensor = self.scaler.scale(loss)
        scaled.backward(retain_graph=keep_graph)  # type: ignore[no-untyped-call]

    def set_aside(self) -> None:
        """Put the displacement's gradients aside: leaking ones will come.

        In the published loop auxiliary losses do not stop at the warped
        image. Their gradients stay in the displacement estimator after its
        update, and its next update consumes them.
        """
        parameters = self._parameters(self.displacement)
        self._aside = [p.grad for p in parameters]
        for parameter in parameters:
            parameter.grad = None

    def settle_leak(self, updates: bool) -> None:
        """Keep what has leaked, and bring back what was set aside.

        Parameters
        ----------
        updates : bool
            Whether this step updates the displacement estimator, which
            then consumes what leaked before this step.
        """
        parameters = self._parameters(self.displacement)
        new = [p.grad for p in parameters]
        before = self.leaked or [None] * len(new)
        consumed = (
            _added(self._aside, before) if updates else [None] * len(new)
        )
        for parameter, gradient in zip(parameters, consumed, strict=True):
            parameter.grad = gradient
        kept = new if updates else _added(before, new)
        # Averaged now, so that the checkpoint of one process is that of all.
        self.leaked = [
            None if g is None else self.processes.mean(g) for g in kept
        ]

    def share_gradients(self) -> None:
        """Average over processes, and undo the scaling of half precision."""
        for optimiser in self._with_gradients():
            self.processes.average_gradients(self._parameters(optimiser))
            self.scaler.unscale_(optimiser)

    def clip(self) -> dict[str, Tensor]:
        """Clip the gradients of each estimator; return their norms."""
        largest = self.config.optimiser.clip or float('inf')
        norms = {}
        for optimiser in self._with_gradients():
            name = 'displacement' if self._is_first(optimiser) else 'auxiliary'
            norms[f'gradient_{name}'] = clip_grad_norm_(
                self._parameters(optimiser), largest
            )
        return norms

    def update(self) -> None:
        """Let every estimator that has a gradient take its step."""
        with_gradients = self._with_gradients()
        for optimiser in with_gradients:
            self.scaler.step(optimiser)
        if with_gradients:
            self.scaler.update()

    def _is_first(self, optimiser: Adam) -> bool:
        return optimiser is self.displacement

    def _optimisers(self) -> list[Adam]:
        both = (self.displacement, self.auxiliary)
        return [optimiser for optimiser in both if optimiser is not None]

    def _with_gradients(self) -> list[Adam]:
        return [
            optimiser
            for optimiser in self._optimisers()
            if any(p.grad is not None for p in self._parameters(optimiser))
        ]

    @staticmethod
    def _parameters(optimiser: Adam) -> Sequence[Parameter]:
        return [p for g in optimiser.param_groups for p in g['params']]

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        auxiliary = self.auxiliary
        return {
            'displacement': self.displacement.state_dict(),
            'auxiliary': auxiliary.state_dict() if auxiliary else {},
            'scaler': self.scaler.state_dict(),
            'leaked': self.leaked,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from `state`.

        Raises
        ------
        KeyError, ValueError
            If it belongs to other estimators.
        """
        self.displacement.load_state_dict(state['displacement'])
        if self.auxiliary is not None:
            self.auxiliary.load_state_dict(state['auxiliary'])
        if state['scaler']:
            self.scaler.load_state_dict(state['scaler'])
        device = next(iter(self._parameters(self.displacement))).device
        self.leaked = [
            None if g is None else g.to(device) for g in state['leaked']
        ]


def _added(
    first: Sequence[Tensor | None], second: Sequence[Tensor | None]
) -> list[Tensor | None]:
    return [
        b if a is None else a if b is None else a + b
        for a, b in zip(first, second, strict=True)
    ]


def _pair(values: Sequence[float]) -> tuple[float, float]:
    first, second = values
    return first, second
