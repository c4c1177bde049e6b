"""A moving average of weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn


class MovingAverage:
    """Exponential moving average of the parameters of some modules.

    ``a <- d a + (1 - d) w`` after each step, with ``d = min(decay,
    (1 + t) / (10 + t))`` so that the first, random weights are forgotten
    soon.

    Parameters
    ----------
    modules : dict of str to torch.nn.Module
        Modules under the names they have in checkpoints.
    decay : float
        Decay d; 0 for no average at all.
    """

    def __init__(self, modules: Mapping[str, nn.Module], decay: float) -> None:
        self._modules = modules
        self.decay = decay
        self.steps = 0
        self.weights: dict[str, Tensor] = {}
        if decay:
            self.restart()

    def restart(self) -> None:
        """Begin with the present weights."""
        self.steps = 0
        if self.decay:
            self.weights = {k: v.clone() for k, v in self._present()}

    def _present(self) -> Iterator[tuple[str, Tensor]]:
        for role, module in self._modules.items():
            for name, parameter in module.named_parameters():
                yield f'{role}.{name}', parameter.detach()

    def update(self) -> None:
        """Take the present weights in."""
        if not self.decay:
            return
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            for name, value in self._present():
                self.weights[name].lerp_(value, 1 - decay)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the modules have the averaged weights for a while."""
        if not self.decay:
            yield
            return
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def put_in(self) -> None:
        """Give the averaged weights to the modules for good."""
        if self.decay:
            self._exchange()

    def _exchange(self) -> None:
        for name, value in self._present():
            kept = value.clone()
            value.copy_(self.weights[name])
            self.weights[name].copy_(kept)

    def state(self) -> dict[str, object]:
        """Return what a checkpoint keeps."""
        return {'steps': self.steps, 'weights': self.weights}

    def load(self, state: Mapping[str, object]) -> None:
        """Continue from `state`; from the present weights without any."""
        weights = state.get('weights')
        if not self.decay or not isinstance(weights, dict) or not weights:
            self.restart()
            return
        self.steps = int(str(state['steps']))
        for name in self.weights:
            self.weights[name].copy_(weights[name])
