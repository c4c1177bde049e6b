"""Looking at a model between steps: figures, best weights, previews."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from napari_adacs.models.bundle import save_bundle
from napari_adacs.models.model import Model
from napari_adacs.training.best import BestWeights
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.moving_average import MovingAverage
from napari_adacs.training.pairs import PairSource
from napari_adacs.training.preview import (
    preview,
    save_preview,
    typical_pair,
)
from napari_adacs.training.processes import Processes
from napari_adacs.training.run_files import BEST
from napari_adacs.training.validation import validate

BEST_NAME = BEST


class Examiner:
    """Validates a model, keeps its best weights and shows its maps.

    Parameters
    ----------
    model : Model
        What is trained; its averaged weights are looked at, if there are
        any.
    config : TrainConfig
        Stages, stopping and previews.
    average : MovingAverage
        Of the weights.
    pairs : PairSource or None
        Held-out pairs; without any nothing is looked at.
    folder : Path or None
        Where best weights and previews go, if this process writes.
    processes : Processes
        Who shares the pairs.
    """

    def __init__(
        self,
        model: Model,
        config: TrainConfig,
        average: MovingAverage,
        pairs: PairSource | None,
        folder: Path | None,
        processes: Processes,
    ) -> None:
        self.model = model
        self.config = config
        self.average = average
        self.pairs = pairs
        self.folder = folder if processes.writes else None
        self.processes = processes
        self.best = BestWeights(config.stopping)
        self._count = 0
        self._shown: int | None = None

    def __call__(self, step: int) -> dict[str, float]:
        """Return the figures after a step, under their names in the log."""
        if self.pairs is None:
            return {}
        with self.average.in_place():
            found = validate(
                self.model.displacement, self.pairs, self.processes
            )
            if self._may_be_best(step):
                better = self.best.consider(found, self.model.modules())
                if better and self.folder is not None:
                    save_bundle(self.folder / BEST_NAME, self.model)
            self._preview(step, self.pairs)
        return found.to_log()

    def _may_be_best(self, step: int) -> bool:
        # Before the joint stage the auxiliary estimators are not ready, and
        # where the displacement rests no figure tells how they fare.
        # Nor is what a run starts from its result.
        if step == 0:
            return False
        stages = self.config.stages
        if stages.joint:
            return step > stages.displacement + stages.auxiliary
        return stages.auxiliary == 0

    def _preview(self, step: int, pairs: PairSource) -> None:
        every = self.config.log.preview_every
        due = every and self._count % every == 0
        self._count += 1
        if not due or self.folder is None:
            return
        modules = self.model.modules().values()
        device = next(self.model.displacement.parameters()).device
        for module in modules:
            module.eval()
        if self._shown is None:
            self._shown = typical_pair(pairs)
        pair = pairs[self._shown]
        maps = preview(self.model, pair, torch.device(device))
        for module in modules:
            module.train()
        save_preview(self.folder, step, maps, pair)

    def finish(self) -> None:
        """Put the weights to keep into the model, in evaluation mode."""
        if self.config.stopping.keep == 'best' and self.best.weights:
            self.best.put_back(self.model.modules())
        else:
            self.average.put_in()
        for module in self.model.modules().values():
            module.eval()

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {'best': self.best.state(), 'count': self._count}

    def load(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""
        self.best.load(state['best'])
        self._count = int(state['count'])
