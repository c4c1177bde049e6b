"""What surrounds the training of ``train``: records, time, results."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_adacs.cli.before_after import BeforeAfter
from napari_adacs.cli.console import say
from napari_adacs.cli.model_card import Facts, write_card
from napari_adacs.cli.run_history import keep_history
from napari_adacs.cli.run_report import RunReport
from napari_adacs.cli.train_progress import TrainProgress
from napari_adacs.runs.files import RUN
from napari_adacs.runs.outcome import (
    NO_REGISTRATION,
    Comparison,
    write_comparisons,
)
from napari_adacs.runs.plan import TrainingPlan
from napari_adacs.runs.records import write_config, write_plan
from napari_adacs.runs.state import State
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.run_files import MODEL

if TYPE_CHECKING:
    import torch

    from napari_adacs.models.model import Model
    from napari_adacs.training.deadline import Effort
    from napari_adacs.training.sections import StageConfig
    from napari_adacs.training.sources.checking import Skipped
    from napari_adacs.training.sources.opening import TrainingData
    from napari_adacs.training.wishes import KeepTo

DONE, INTERRUPTED = 0, 130
_MOST_NAMED = 5
# What is told of the table in the terminal.
_TOLD = ('DSC', 'NCC', 'folded %')


@dataclass
class TrainJob:
    """A run as the command line sees it.

    Parameters
    ----------
    chosen : argparse.Namespace
        What was asked for.
    config : TrainConfig
        What is trained.
    folder : Path
        Folder of the run.
    device : torch.device
        Where.
    data : TrainingData
        On what.
    report : RunReport
        Who hears of it.
    """

    chosen: Namespace
    config: TrainConfig
    folder: Path
    device: torch.device
    data: TrainingData
    report: RunReport
    _measured: BeforeAfter | None = field(init=False, default=None)
    _effort: Effort | None = field(init=False, default=None)

    @property
    def reserved(self) -> float:
        """Seconds that measuring will take after the last step."""
        return self._measured.took if self._measured else 0.0

    def keep_records(self) -> None:
        """Write what is trained, and on what, before training begins."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.folder / RUN).exists():
            write_config(self.folder, self.config)
        else:
            write_plan(
                TrainingPlan(
                    tuple(self.chosen.data),
                    self.config,
                    self.folder,
                    self.chosen.device,
                    self.chosen.minutes,
                )
            )
        keep_history(self.folder, self.chosen, self.config)
        self.data.write_report(self.folder)
        _say_skipped(self.data.skipped, self.folder)

    def measure_before(self) -> None:
        """Measure the model that training starts from."""
        pairs = self.data.validation
        if pairs is None:
            return
        minutes = self.chosen.minutes
        self._measured = BeforeAfter(
            pairs,
            self.folder,
            self.device,
            self.report,
            None if minutes is None else 60 * minutes,
        )
        if self.chosen.resume:
            self._measured.read_before()
        else:
            self._check_start()
            self._measured.measure_before(self.config.start_from)

    def _check_start(self) -> None:
        """Find out whether training can start from its model."""
        from napari_adacs.training.train import (
            new_model,
            own_random_numbers,
            start_from,
        )

        if self.config.start_from:
            with own_random_numbers(self.device):
                start_from(new_model(self.config), self.config.start_from)

    def fit_to_time(self, minutes: float) -> TrainConfig:
        """Return the configuration with steps that fit, and keep it."""
        from napari_adacs.training.budget import fit_to_time, measure_costs
        from napari_adacs.training.deadline import effort_of

        self.report.say(
            State.STARTING, f'Timing some steps, for {minutes:g} minutes.'
        )
        seconds = 60 * minutes
        costs = measure_costs(
            self.data.training,
            self.config,
            self.data.validation,
            self.device,
            seconds,
        )
        self.report.check_wish()
        spent, reserved = self.report.seconds, self.reserved
        self.config = fit_to_time(self.config, costs, seconds, spent, reserved)
        self._effort = effort_of(self.config, costs, reserved)
        note = _chosen_steps(self.config, minutes, self.device)
        write_config(self.folder, self.config, note)
        say(note)
        self.report.say(
            State.STARTING, f'{note}.', total=self.config.stages.total
        )
        return self.config

    def deadline(self, minutes: float, shown: TrainProgress) -> KeepTo:
        """Return what keeps the run in its time, and `shown` informed."""
        from napari_adacs.training.deadline import Deadline, Effort

        deadline = Deadline(
            60 * minutes,
            lambda: self.report.seconds,
            self.config.stages,
            self._effort or Effort(after=self.reserved),
        )

        def keep_to(step: int, stages: StageConfig) -> StageConfig:
            found = deadline(step, stages)
            if found != stages:
                self._follow(found, minutes)
                shown.follow(self.config)
            return found

        return keep_to

    def _follow(self, stages: StageConfig, minutes: float) -> None:
        """Keep a configuration with stages of other lengths."""
        self.config = replace(self.config, stages=stages)
        note = (
            f'{stages.total} steps keep to {minutes:g} minutes: the speed '
            'has changed'
        )
        write_config(self.folder, self.config, note)
        say(note)

    def finish(self, model: Model, shown: TrainProgress) -> int:
        """Measure what came out, say so, and return the exit code."""
        total, reached = self.config.stages.total, shown.step
        stopped = shown.stopped() and reached < total
        state = State.STOPPING if stopped else State.RUNNING
        self.report.say(
            state, 'Measuring the result.', seconds_left=None, **shown.place()
        )
        rows = self._compare(model, state)
        self._write_card(rows, reached)
        out = self.chosen.out
        if stopped:
            sentence = f'Stopped after step {reached} of {total}'
            self.report.say(State.STOPPED, f'{sentence}.', **shown.place())
            say(f'{sentence}; --resume continues.')
            return INTERRUPTED
        sentence = f'Trained {self.config.name} for {reached} steps.'
        if reached < total:
            sentence = (
                f'Stopped at step {reached} of {total}: '
                f'{self.config.stopping.patience} validations without '
                'improvement.'
            )
            say(sentence)
        self.report.say(State.FINISHED, sentence, **shown.place())
        say(
            f'Trained {self.config.name}: {out}/model.safetensors, log in '
            f'{out}/log.csv'
        )
        return DONE

    def _compare(self, model: Model, state: State) -> list[Comparison]:
        if self._measured is None:
            return []
        rows = self._measured.rows(model, state)
        before = self._measured.before_name
        write_comparisons(self.folder, rows, before)
        for row in rows:
            if row.measure in _TOLD and before != NO_REGISTRATION:
                say(_told(row))
        return rows

    def _write_card(self, rows: Sequence[Comparison], reached: int) -> None:
        write_card(
            self.folder / MODEL,
            Facts(
                tuple(self.chosen.data),
                self.data,
                self.config,
                self.device,
                reached,
                self.report.seconds,
                rows,
            ),
        )


def _chosen_steps(
    config: TrainConfig, minutes: float, device: torch.device
) -> str:
    stages = config.stages
    parts = {
        'displacement': stages.displacement,
        'auxiliary': stages.auxiliary,
        'joint': stages.joint,
    }
    words = ', '.join(f'{n} {name}' for name, n in parts.items() if n)
    return (
        f'{minutes:g} minutes on {device}: {stages.total} steps ({words}), '
        f'validated every {config.validate_every}'
    )


def _told(row: Comparison) -> str:
    name = f'{row.measure} {row.label}'.strip()
    chance = f', p {row.p:.2g}' if row.p == row.p else ''
    return (
        f'{name}: {row.before:.4g} -> {row.after:.4g} '
        f'({row.n} held-out pairs of {row.patients} patients{chance})'
    )


def _say_skipped(skipped: Sequence[Skipped], folder: Path) -> None:
    for pair in skipped[:_MOST_NAMED]:
        say(f'Skipped {pair.name}: {pair.reason}')
    if len(skipped) > _MOST_NAMED:
        say(f'Skipped {len(skipped)} pairs in all; see {folder}/data.csv')
