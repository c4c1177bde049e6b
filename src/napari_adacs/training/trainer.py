"""The training loop: stages, optimisers, checkpoints, log."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch.optim import Adam

from napari_adacs.errors import InputError
from napari_adacs.models.model import Model, companion_schemes
from napari_adacs.training.augment import augment
from napari_adacs.training.batch import Batch, collate
from napari_adacs.training.checkpoint import load_checkpoint, save_checkpoint
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.pairs import PairSource
from napari_adacs.training.step import Active, Losses, compute_losses
from napari_adacs.training.validation import Validation, validate
from napari_adacs.weighting.base import SchemeState

# Auxiliary gradients change by orders of magnitude as the estimators settle;
# a second moment that remembers a thousand steps (0.999) is too slow for the
# short runs that are possible here.
_AUXILIARY_BETAS = (0.9, 0.99)

Progress = Callable[[int, int, dict[str, float]], None]


@dataclass
class Trainer:
    """Trains a model on pairs.

    Parameters
    ----------
    model : Model
        Trained in place.
    config : TrainConfig
        What to do.
    pairs : PairSource
        Training pairs.
    validation : PairSource, optional
        Held-out pairs; the state with the best mean Dice is kept.
    folder : Path, optional
        Where to keep the checkpoint and `log.csv`.
    """

    model: Model
    config: TrainConfig
    pairs: PairSource
    validation: PairSource | None = None
    folder: Path | None = None
    step: int = 0
    best_dsc: float = float('-inf')
    best_state: dict[str, Any] = field(default_factory=dict)
    state: SchemeState = field(default_factory=SchemeState)

    def __post_init__(self) -> None:
        self.rng = torch.Generator().manual_seed(self.config.seed)
        layout = (
            torch.channels_last
            if self.config.ndim == 2
            else torch.channels_last_3d
        )
        for module in self.model.modules().values():
            module.to(memory_format=layout)  # type: ignore[call-overload]
        rate = self.config.learning_rate
        self.displacement_optimiser = Adam(
            self.model.displacement.parameters(), lr=rate
        )
        auxiliary = [
            p
            for module in self.model.auxiliaries.values()
            for p in module.parameters()
        ]
        self.auxiliary_optimiser = (
            Adam(auxiliary, lr=rate, betas=_AUXILIARY_BETAS)
            if auxiliary
            else None
        )
        self.companions = companion_schemes(self.model)

    def run(
        self,
        progress: Progress | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> None:
        """Train from the current step to the end, or until cancelled.

        Parameters
        ----------
        progress : callable, optional
            Called after each step with (step, total, losses).
        cancel : callable, optional
            Asked before each step whether to stop; what is trained so far
            stays in the model and the checkpoint.

        Raises
        ------
        InputError
            If a loss is not finite; the checkpoint of the last good step
            stays.
        """
        total = self.config.stages.total
        while self.step < total and not (cancel and cancel()):
            losses = self._train_step()
            self.step += 1
            last = self.step == total
            if last or self.step % self.config.validate_every == 0:
                losses |= self._validate()
            self._log(losses)
            if last or self.step % self.config.save_every == 0:
                self.save()
            if progress is not None:
                progress(self.step, total, losses)
        self.save()

    def keep_best(self) -> None:
        """Put the best validated weights back into the model."""
        for role, module in self.model.modules().items():
            if role in self.best_state:
                module.load_state_dict(self.best_state[role])

    def active(self) -> Active:
        """Return what the current step trains (AdaCS, Algorithm 1)."""
        stages = self.config.stages
        has_auxiliary = bool(self.model.auxiliaries)
        if self.step < stages.displacement:
            return Active(displacement=True, auxiliary=False)
        if self.step < stages.displacement + stages.auxiliary:
            return Active(displacement=False, auxiliary=has_auxiliary)
        return Active(displacement=True, auxiliary=has_auxiliary)

    def _train_step(self) -> dict[str, float]:
        batch = self._batch()
        self._set_rate()
        self.state.epoch = (
            self.step * self.config.batch_size // len(self.pairs)
        )
        active = self.active()
        losses = compute_losses(
            batch,
            self.model,
            self.companions,
            self.config,
            self.state,
            active,
        )
        self._update(losses)
        out = {k: v.item() for k, v in losses.displacement.items()}
        out |= {k: v.item() for k, v in losses.auxiliary.items()}
        return out | dict(self.state.values)

    def _update(self, losses: Losses) -> None:
        terms = [*losses.displacement.values(), *losses.auxiliary.values()]
        if not terms:
            return
        total = torch.stack(terms).sum()
        if not torch.isfinite(total):
            raise InputError(
                f'The loss became {total.item()} at step {self.step}.',
                'Lower the learning rate; the last checkpoint is kept.',
            )
        optimisers = [self.displacement_optimiser]
        if self.auxiliary_optimiser is not None:
            optimisers.append(self.auxiliary_optimiser)
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        # An estimator without a gradient is not trained now: Adam passes
        # over it. Which loss reaches which estimator, the graph says.
        for optimiser in optimisers:
            optimiser.step()

    def _batch(self) -> Batch:
        chosen = torch.randint(
            len(self.pairs), (self.config.batch_size,), generator=self.rng
        )
        labels = self.config.dice_labels if self.config.dice_weight else ()
        batch = collate(
            [self.pairs[int(i)] for i in chosen], self.config.shape, labels
        )
        chosen_changes = self.config.augment
        if not self.active().auxiliary:
            # Nothing guards the displacement against nuisance yet.
            chosen_changes = replace(chosen_changes, nuisance=0.0)
        return augment(batch, chosen_changes, self.rng)

    def _set_rate(self) -> None:
        first, last = (
            self.config.learning_rate,
            self.config.final_learning_rate,
        )
        share = self.step / max(1, self.config.stages.total)
        rate = last + (first - last) * (1 + math.cos(math.pi * share)) / 2
        for optimiser in (
            self.displacement_optimiser,
            self.auxiliary_optimiser,
        ):
            if optimiser is not None:
                for group in optimiser.param_groups:
                    group['lr'] = rate

    def _validate(self) -> dict[str, float]:
        if self.validation is None:
            return {}
        result: Validation = validate(self.model.displacement, self.validation)
        # Before the joint stage the auxiliary estimators are not ready.
        stages = self.config.stages
        joint = self.step > stages.displacement + stages.auxiliary
        if (joint or stages.joint == 0) and result.mean_dsc > self.best_dsc:
            self.best_dsc = result.mean_dsc
            self.best_state = {
                role: {k: v.clone() for k, v in module.state_dict().items()}
                for role, module in self.model.modules().items()
            }
        out = {'val_mse': result.mse, 'val_folded': result.folded_percent}
        return out | {f'val_dsc_{k}': v for k, v in result.dsc.items()}

    def _log(self, losses: dict[str, float]) -> None:
        if self.folder is None:
            return
        path = self.folder / 'log.csv'
        new = not path.exists()
        with path.open('a', newline='') as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(['step', 'time', 'name', 'value'])
            now = round(time.time(), 1)
            for name, value in losses.items():
                writer.writerow([self.step, now, name, f'{value:.6g}'])

    def save(self) -> None:
        """Write the checkpoint, if the run has a folder."""
        if self.folder is None:
            return
        auxiliary = self.auxiliary_optimiser
        save_checkpoint(
            self.folder,
            {
                'step': self.step,
                'modules': {
                    k: m.state_dict() for k, m in self.model.modules().items()
                },
                'displacement_optimiser': (
                    self.displacement_optimiser.state_dict()
                ),
                'auxiliary_optimiser': (
                    auxiliary.state_dict() if auxiliary else {}
                ),
                'scheme': dict(self.state.values),
                'rng': self.rng.get_state(),
                'best_dsc': self.best_dsc,
                'best_state': self.best_state,
            },
        )

    def resume(self) -> None:
        """Continue from the checkpoint in the run's folder.

        Raises
        ------
        InputError
            If there is none or it belongs to another configuration.
        """
        if self.folder is None:
            raise InputError('A run without a folder cannot be resumed.')
        values = load_checkpoint(self.folder)
        try:
            for role, module in self.model.modules().items():
                module.load_state_dict(values['modules'][role])
            self.displacement_optimiser.load_state_dict(
                values['displacement_optimiser']
            )
            if self.auxiliary_optimiser is not None:
                self.auxiliary_optimiser.load_state_dict(
                    values['auxiliary_optimiser']
                )
        except (KeyError, RuntimeError, ValueError) as error:
            raise InputError(
                'The checkpoint belongs to another configuration.',
                'Use the configuration the run was started with.',
            ) from error
        self.step = values['step']
        self.state.values = dict(values['scheme'])
        self.rng.set_state(values['rng'])
        self.best_dsc = values['best_dsc']
        self.best_state = values['best_state']
