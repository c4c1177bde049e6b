"""Which weights were best, and whether waiting for better ones pays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from napari_adacs.training.sections import StoppingConfig
from napari_adacs.training.validation import Validation


@dataclass
class BestWeights:
    """Keeps the weights of the best validation.

    Parameters
    ----------
    config : StoppingConfig
        What counts as better, and for how long to wait.
    score : float
        Best figure so far; larger is better.
    waited : int
        Validations since then.
    weights : dict
        State dict of each module at that time.
    """

    config: StoppingConfig
    score: float = float('-inf')
    waited: int = 0
    weights: dict[str, Any] = field(default_factory=dict)

    def consider(
        self, found: Validation, modules: Mapping[str, nn.Module]
    ) -> bool:
        """Keep the weights if they are better; return whether they are."""
        score = self._score(found)
        # Figures of networks that have diverged compare with nothing.
        if math.isnan(score):
            self.waited += 1
            return False
        needed = self.config.smallest if math.isfinite(self.score) else 0.0
        if score <= self.score + needed:
            self.waited += 1
            return False
        self.score, self.waited = score, 0
        self.weights = {
            role: {k: v.clone() for k, v in module.state_dict().items()}
            for role, module in modules.items()
        }
        return True

    def _score(self, found: Validation) -> float:
        dsc = found.mean_dsc
        if self.config.measure == 'dsc':
            return dsc
        if self.config.measure == 'auto' and found.dsc:
            return dsc
        return -found.mse

    @property
    def exhausted(self) -> bool:
        """Whether patience has run out."""
        return 0 < self.config.patience <= self.waited

    def put_back(self, modules: Mapping[str, nn.Module]) -> None:
        """Give the kept weights to the modules, if there are any."""
        for role, module in modules.items():
            if role in self.weights:
                module.load_state_dict(self.weights[role])

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {
            'score': self.score,
            'waited': self.waited,
            'weights': self.weights,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`."""
        self.score = float(state['score'])
        self.waited = int(state['waited'])
        self.weights = dict(state['weights'])
