"""The training loop: stages, steps, validation, checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from napari_adacs.errors import InputError
from napari_adacs.models.model import Model, companion_schemes
from napari_adacs.training.batch import Batch
from napari_adacs.training.checkpoint import load_checkpoint, save_checkpoint
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.device_errors import check_precision
from napari_adacs.training.estimates import Active, active_at
from napari_adacs.training.examination import Examiner
from napari_adacs.training.failure import (
    failure,
    not_finite,
    record_failure,
)
from napari_adacs.training.loader import Loader, Prefetch
from napari_adacs.training.log import StepLog, open_logs
from napari_adacs.training.moving_average import MovingAverage
from napari_adacs.training.optimisation import Optimisation
from napari_adacs.training.pairs import PairSource
from napari_adacs.training.processes import Processes
from napari_adacs.training.schedule import epoch_at
from napari_adacs.training.sections import StageConfig
from napari_adacs.training.seeds import seed_of
from napari_adacs.training.update import Update
from napari_adacs.training.wishes import Asked, KeepTo, Wishes
from napari_adacs.weighting.base import SchemeState

Progress = Callable[[int, int, dict[str, float]], None]


@dataclass
class Trainer:
    """Trains a model on pairs.

    Parameters
    ----------
    model : Model
        Trained in place, on `device`.
    config : TrainConfig
        What to do.
    pairs : PairSource
        Training pairs.
    validation : PairSource, optional
        Held-out pairs on the network's grid; the best state is kept.
    folder : Path, optional
        Where to keep the checkpoint and the logs.
    device : torch.device
        Where to compute.
    processes : Processes
        Who shares each batch.
    """

    model: Model
    config: TrainConfig
    pairs: PairSource
    validation: PairSource | None = None
    folder: Path | None = None
    device: torch.device = field(default_factory=lambda: torch.device('cpu'))
    processes: Processes = field(default_factory=Processes)
    step: int = 0
    resumed: bool = False
    state: SchemeState = field(default_factory=SchemeState)

    def __post_init__(self) -> None:
        config, modules = self.config, self.model.modules()
        check_precision(config, self.device)
        layout = (
            torch.channels_last if config.ndim == 2 else torch.channels_last_3d
        )
        for module in modules.values():
            module.to(self.device, memory_format=layout)  # type: ignore[call-overload]
        self.loader = Loader(self.pairs, config, self.processes)
        self.optimisation = Optimisation(
            self.model, config, self.processes, self.device
        )
        self.update = Update(
            self.model,
            companion_schemes(self.model),
            config,
            self.optimisation,
        )
        self.average = MovingAverage(modules, config.optimiser.ema)
        self.examine = Examiner(
            self.model,
            config,
            self.average,
            self.validation,
            self.folder,
            self.processes,
        )

    def run(
        self,
        progress: Progress | None = None,
        cancel: Asked | None = None,
        pause: Asked | None = None,
        keep_to: KeepTo | None = None,
    ) -> None:
        """Train from the current step to the end, or until cancelled.

        Parameters
        ----------
        progress : callable, optional
            Called after each step with (step, total, losses).
        cancel : callable, optional
            Asked before each step whether to stop; what is trained so far
            stays in the model and the checkpoint.
        pause : callable, optional
            Asked before each step whether to rest; a checkpoint is written
            first.
        keep_to : callable, optional
            Asked before each step, with (step, stages), how long the stages
            shall be from now on.

        Raises
        ------
        InputError
            If a loss or a gradient is not finite; the weights before that
            step stay, also in the checkpoint.
        """
        data, stages = self.config.data, self.config.stages
        wishes = Wishes(self.processes, cancel, pause)
        folder = self.folder if self.processes.writes else None
        logs = open_logs(folder, self.step, self.config.log.tensorboard)
        try:
            with Prefetch(
                self._make_parts, data.workers, stages.total
            ) as batches:
                self._look_at_the_start(logs)
                while self._goes_on(wishes, keep_to):
                    losses = self._train_step(batches)
                    self.step += 1
                    self._after_step(losses, logs)
                    if progress is not None:
                        total = self.config.stages.total
                        progress(self.step, total, losses)
            self.save()
        finally:
            for log in logs:
                log.close()

    def _look_at_the_start(self, logs: list[StepLog]) -> None:
        if self.step or self.resumed:
            return
        found = self.examine(0)
        for log in logs:
            log.write(0, found)
        self.save()  # from now on a run that is killed can be resumed

    def _goes_on(self, wishes: Wishes, keep_to: KeepTo | None) -> bool:
        if keep_to is not None:
            self._follow(keep_to(self.step, self.config.stages))
        if (
            self.step >= self.config.stages.total
            or self.examine.best.exhausted
        ):
            return False
        wishes.rest(before=self.save)
        return not wishes.stop()

    def _follow(self, stages: StageConfig) -> None:
        """Go on with stages of other lengths."""
        if stages != self.config.stages:
            self.config = replace(self.config, stages=stages)
            self.optimisation.config = self.examine.config = self.config

    def _after_step(
        self, losses: dict[str, float], logs: list[StepLog]
    ) -> None:
        last = self.step == self.config.stages.total
        if last or self.step % self.config.validate_every == 0:
            losses |= self.examine(self.step)
        for log in logs:
            log.write(self.step, losses)
        if last or self.step % self.config.save_every == 0:
            self.save()

    def finish(self) -> None:
        """Put the weights to keep into the model, in evaluation mode."""
        self.examine.finish()

    def active(self, step: int | None = None) -> Active:
        """Return what a step trains, by default the current one.

        References
        ----------
        AdaCS, Algorithm 1.
        """
        return active_at(
            self.step if step is None else step,
            self.config.stages,
            bool(self.model.auxiliaries),
        )

    def try_step(self, step: int) -> None:
        """Take a step as if `step` of them were done, to see how it goes."""
        self.step = step
        self._train_step(self._make_parts)

    def _make_parts(self, step: int) -> list[Batch]:
        return self.loader.parts(step, nuisance=self.active(step).auxiliary)

    def _train_step(
        self, batches: Callable[[int], list[Batch]]
    ) -> dict[str, float]:
        parts = [part.to(self.device) for part in batches(self.step)]
        config = self.config
        self.state.epoch = epoch_at(config, self.step, len(self.pairs))
        remembered = dict(self.state.values)
        torch.manual_seed(
            seed_of(config.seed, 'networks', self.step, self.processes.rank)
        )
        self.optimisation.set_rates(self.step)
        terms = self.update(parts, self.active(), self.state)
        self.optimisation.share_gradients()
        values = self._numbers(terms | self.optimisation.clip())
        scaled = self.optimisation.scaler.is_enabled()
        if not_finite(values, scaled):
            self.state.values = remembered
            raise self._failure(values, parts)
        self.optimisation.update()
        self.average.update()
        return values | dict(self.state.values)

    def _numbers(self, values: dict[str, Tensor]) -> dict[str, float]:
        if not values:
            return {}
        stacked = torch.stack([v.float() for v in values.values()])
        means = self.processes.mean(stacked).tolist()
        return dict(zip(values, means, strict=True))

    def _failure(
        self, values: dict[str, float], parts: list[Batch]
    ) -> InputError:
        own = [name for part in parts for name in part.names]
        names = [n for share in self.processes.collect(own) for n in share]
        if self.processes.writes:
            record_failure(self.folder, self.step, values, parts)
        self.save()
        return failure(self.step, values, names)

    def save(self) -> None:
        """Write the checkpoint, if the run has a folder."""
        if self.folder is None or not self.processes.writes:
            return
        save_checkpoint(self.folder, self._checkpoint())

    def write_checkpoint(self, file: IO[bytes]) -> None:
        """Write what `save` keeps to an open file."""
        torch.save(self._checkpoint(), file)

    def _checkpoint(self) -> dict[str, Any]:
        modules = self.model.modules()
        return {
            'step': self.step,
            'modules': {k: m.state_dict() for k, m in modules.items()},
            'optimisation': self.optimisation.state(),
            'average': self.average.state(),
            'examination': self.examine.state(),
            'scheme': dict(self.state.values),
        }

    def resume(self) -> None:
        """Continue from the checkpoint in the run's folder.

        Raises
        ------
        InputError
            If there is none or it belongs to another configuration.
        """
        if self.folder is None:
            raise InputError('A run without a folder cannot be resumed.')
        mine = load_checkpoint(self.folder) if self.processes.writes else None
        values = self.processes.from_first(mine)
        try:
            for role, module in self.model.modules().items():
                module.load_state_dict(values['modules'][role])
            self.optimisation.load(values['optimisation'])
            self.average.load(values['average'])
            self.examine.load(values['examination'])
            self.state.values = dict(values['scheme'])
            self.step = int(values['step'])
            self.resumed = True
        except (KeyError, RuntimeError, ValueError) as error:
            raise InputError(
                'The checkpoint belongs to another configuration.',
                'Use the configuration the run was started with.',
            ) from error
