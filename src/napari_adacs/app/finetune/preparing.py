"""From the form to a run in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from napari_adacs.app.finetune.data_choice import DataChoice, DataKind
from napari_adacs.app.finetune.export import (
    FOLDER,
    TABLE,
    PairImages,
    collect,
    export,
)
from napari_adacs.registration.progress import Progress
from napari_adacs.runs.folders import new_folder
from napari_adacs.runs.launch import resume, start
from napari_adacs.runs.plan import TrainingPlan
from napari_adacs.runs.records import read_plan, write_config
from napari_adacs.runs.run import TrainingRun

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.training.config import TrainConfig


@dataclass(frozen=True, eq=False)
class Prepared:
    """A run that needs neither form nor layers any more.

    Parameters
    ----------
    config : TrainConfig
        What to train.
    data : str
        Folder, table or pattern; '' for `images`.
    images : tuple of PairImages
        Open layers, to be written as files.
    device : str
        Where to compute.
    minutes : float or None
        Budget; None for the steps of `config`.
    """

    config: TrainConfig
    data: str
    images: tuple[PairImages, ...]
    device: str
    minutes: float | None

    def write(self, progress: Progress, cancel: Event) -> TrainingPlan:
        """Write all that the command line needs, in a worker.

        Raises
        ------
        InputError
            If something cannot be written.
        CancelledError
            If `cancel` was set; nothing is left behind.
        """
        folder = new_folder(self.config.name)
        try:
            data = self.data
            if self.images:
                data = str(export(self.images, folder, progress, cancel))
            plan = TrainingPlan(
                (data,), self.config, folder, self.device, self.minutes
            )
            write_config(folder, self.config)
        except BaseException:
            _take_back(folder)
            raise
        return plan

    def begin(self, progress: Progress, cancel: Event) -> TrainingRun:
        """Write everything and start the process, in a worker."""
        plan = self.write(progress, cancel)
        progress(1.0, 'Starting')
        return start(plan)


def prepared(
    viewer: ViewerModel,
    choice: DataChoice,
    config: TrainConfig,
    device: str,
    minutes: float | None,
) -> Prepared:
    """Take from form and layers what a run needs, without reading voxels.

    Raises
    ------
    InputError
        If a layer is missing or cannot be used.
    """
    images: tuple[PairImages, ...] = ()
    text = choice.text.strip()
    if choice.kind is DataKind.LAYERS:
        images, text = collect(viewer, choice.pairs), ''
    return Prepared(config, text, images, device, minutes)


def begin_again(folder: Path) -> TrainingRun:
    """Let a run that has stopped go on, in a worker.

    Raises
    ------
    InputError
        If it runs already, or has nothing to go on from.
    """
    return resume(folder)


def command_of(folder: Path) -> str:
    """Return the line that repeats a run.

    Raises
    ------
    InputError
        If the folder does not say what was asked for.
    """
    return read_plan(folder).command


def _take_back(folder: Path) -> None:
    """Remove what was written into a folder of our own."""
    files = [*(folder / FOLDER).glob('*.nii.gz'), folder / TABLE]
    for file in [*files, folder / 'config.toml']:
        file.unlink(missing_ok=True)
    for place in (folder / FOLDER, folder):
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
