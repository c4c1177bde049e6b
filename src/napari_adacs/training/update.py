"""The gradients of one update, from the parts of a batch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from napari_adacs.models.model import Model
from napari_adacs.training.batch import Batch
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.estimates import (
    Active,
    Estimates,
    estimate,
    estimate_again,
    without_graph,
)
from napari_adacs.training.optimisation import Optimisation
from napari_adacs.training.step import (
    auxiliary_terms,
    displacement_terms,
    observation,
)
from napari_adacs.weighting.base import SchemeState, WeightingScheme


class Update:
    """Fills the gradients of a step, as if its parts were one batch.

    The momentum of a scheme needs the residuals of the whole batch before
    any auxiliary loss can be computed. With several parts the auxiliary
    estimators therefore run a second time, after all displacements: only
    the graph of one part is in memory at a time. Where gradients leak on
    purpose, all graphs are kept.

    Parameters
    ----------
    model : Model
        What is trained.
    companions : dict of str to WeightingScheme
        See `models.model.companion_schemes`.
    config : TrainConfig
        Losses, parts, stop-gradient.
    optimisation : Optimisation
        Takes the gradients.
    """

    def __init__(
        self,
        model: Model,
        companions: Mapping[str, WeightingScheme],
        config: TrainConfig,
        optimisation: Optimisation,
    ) -> None:
        self.model = model
        self.companions = companions
        self.config = config
        self.optimisation = optimisation
        self.leaks = not config.scheme.stop_gradient

    def __call__(
        self, parts: list[Batch], active: Active, state: SchemeState
    ) -> dict[str, Tensor]:
        """Return the mean of each loss term over the parts.

        Parameters
        ----------
        parts : list of Batch
            Parts of equal size, on the model's device.
        active : Active
            Which estimators are updated.
        state : SchemeState
            Changed in place by the momentum.
        """
        self.optimisation.begin()
        self._found: dict[str, list[Tensor]] = {}
        self._share = 1 / len(parts)
        waiting: list[Estimates] = []
        seen: list[Tensor] = []
        for part in parts:
            estimates = estimate(part, self.model, self.config, active)
            self._displacement(estimates, part, active)
            mean = observation(estimates, self.model, active)
            if mean is not None:
                seen.append(mean)
            if mean is None and not self.leaks:
                self._auxiliary(estimates, active, state)
            elif active.auxiliary:
                keep = self.leaks or len(parts) == 1
                waiting.append(estimates if keep else without_graph(estimates))
        if seen:
            residual = self.optimisation.processes.mean(
                torch.stack(seen).mean()
            )
            self.model.scheme.observe(float(residual), state)
        self._later(waiting, active, state, again=len(parts) > 1)
        return {k: torch.stack(v).mean() for k, v in self._found.items()}

    def _later(
        self,
        waiting: list[Estimates],
        active: Active,
        state: SchemeState,
        again: bool,
    ) -> None:
        if not waiting and not self.optimisation.leaked:
            return
        if self.leaks:
            self.optimisation.set_aside()
        while waiting:
            estimates = waiting.pop(0)
            if again and not self.leaks:
                estimates = estimate_again(estimates, self.model, self.config)
            self._auxiliary(estimates, active, state)
        if self.leaks:
            self.optimisation.settle_leak(active.displacement)

    def _displacement(
        self, estimates: Estimates, part: Batch, active: Active
    ) -> None:
        terms = displacement_terms(
            estimates, part, self.model, self.config, active
        )
        self._backward(terms, keep_graph=self.leaks and active.auxiliary)

    def _auxiliary(
        self, estimates: Estimates, active: Active, state: SchemeState
    ) -> None:
        self._backward(
            auxiliary_terms(
                estimates,
                self.model,
                self.companions,
                self.config,
                state,
                active,
            )
        )

    def _backward(
        self, terms: Mapping[str, Tensor], keep_graph: bool = False
    ) -> None:
        for name, value in terms.items():
            self._found.setdefault(name, []).append(value.detach())
        if not terms:
            return
        total = torch.stack(list(terms.values())).sum()
        if not self.config.optimiser.accumulation_sum:
            total = total * self._share
        self.optimisation.backward(total, keep_graph)
