"""Opening a folder with a registration as if it had just finished."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_adacs.app import session
from napari_adacs.app.find_inputs import (
    Located,
    OpenImage,
    locate,
    open_images,
)
from napari_adacs.app.layer_specs import layer_specs
from napari_adacs.app.layers import layer_kwargs
from napari_adacs.app.looks import looks_of
from napari_adacs.app.result_files import MAPS
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.review.identity import world_digest
from napari_adacs.app.session import LayerRef, Run
from napari_adacs.errors import InputError
from napari_adacs.io.images import read_image
from napari_adacs.io.itk_field import read_world_displacement, world_to_voxels
from napari_adacs.io.record import RunRecord, load_record
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.progress import Progress, Reporter

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_adacs.app.perform import Finished
    from napari_adacs.registration.result import RegistrationResult
    from napari_adacs.spatial.field import DisplacementField

_SIDES = ('moving', 'fixed')
_LABELS = ('moving_labels', 'fixed_labels')
_HINT = 'Open a folder that a registration has written.'


@dataclass(eq=False)
class SavedRun:
    """A folder with a registration, to be opened in a viewer.

    It is to a viewer what `prepared.Prepared` is: `run` in a worker, then
    `group` and `remember`.

    Parameters
    ----------
    folder : Path
        Where it is.
    record : RunRecord
        Its run record.
    opened : tuple of OpenImage
        Images that the viewer has already.
    """

    folder: Path
    record: RunRecord
    opened: tuple[OpenImage, ...] = ()
    _found: dict[str, Located] = field(default_factory=dict)
    _shown: dict[str, LayerRef] = field(default_factory=dict)
    _digest: str = ''

    def run(self, progress: Progress, cancel: Event) -> Finished:
        """Read everything, in a worker.

        Raises
        ------
        InputError
            If a file is missing or is not what the record says.
        CancelledError
            If `cancel` was set.
        """
        from napari_adacs.app.perform import Finished
        from napari_adacs.app.torch_start import preload_torch

        started = time.perf_counter()
        report = Reporter(progress, cancel)
        report(0.0, 'Finding the images')
        self._locate()
        report(0.3, 'Reading the result')
        preload_torch()
        result = self._result()
        report(0.7, 'Preparing the layers')
        specs, figures = layer_specs(result, self._image('warped_labels'))
        report.check()
        seconds = time.perf_counter() - started
        record: dict[str, Any] = dict(self.record.to_dict())
        return Finished(result, specs, figures, record, seconds)

    def group(
        self, viewer: ViewerModel, finished: Finished | None = None
    ) -> ResultGroup:
        """Return the result layers; the images are added if they are not."""
        layers = self._show_inputs(viewer)
        ndim = self._found['fixed'].image.grid.ndim
        return ResultGroup(
            viewer,
            self.group_id,
            self.title,
            layer_kwargs(layers['fixed'], ndim=ndim),
            {} if finished is None else finished.record,
            looks_of(layers['moving'], layers.get('moving_labels')),
        )

    def _show_inputs(self, viewer: ViewerModel) -> dict[str, Layer]:
        """Return the images by role; two frames of a file are one layer."""
        layers: dict[str, Layer] = {}
        added: dict[Path, LayerRef] = {}
        for role, found in self._found.items():
            path = None if found.volume is None else found.volume.path
            if path in added:
                # from the same file: only the frame is another
                reference = replace(added[path], frame=found.reference.frame)
                found = replace(found, reference=reference)
            is_open = found.reference.find(viewer) is not None
            layers[role], self._shown[role] = found.shown_in(viewer)
            if path is not None:
                added[path] = self._shown[role]
            if role in _LABELS and not is_open:
                layers[role].visible = False
        return layers

    @property
    def title(self) -> str:
        """First part of the names of the result layers."""
        sides = ' → '.join(str(self._shown[role]) for role in _SIDES)
        return f'{sides} [{self._model}] ({self.folder.name})'

    @property
    def group_id(self) -> str:
        """Group of the result layers; another one than a fresh run's."""
        return f'{self.folder}>{self.record.created}'

    def remember(self, finished: Finished) -> Run:
        """Keep the result for this session."""
        labels = self._shown.get('moving_labels')
        run = Run(
            self.group_id,
            self.title,
            self._shown['moving'],
            self._shown['fixed'],
            finished.result,
            labels,
            finished.record,
            self.folder,
            self._digest,
        )
        session.remember(run)
        return run

    def told(self, finished: Finished) -> str:
        """Say in a sentence what happened."""
        return f'Opened {self.folder.name}: {finished.figures}.'

    @property
    def _model(self) -> str:
        return str(self.record.model.get('name', 'unknown model'))

    def _locate(self) -> None:
        for role in _SIDES:
            self._found[role] = self._input(role)
        for role in _LABELS:
            try:
                self._found[role] = self._input(role)
            except InputError:
                # The result can be looked at without them.
                continue

    def _input(self, role: str) -> Located:
        described = self.record.inputs.get(role)
        if not isinstance(described, Mapping):
            described = {}
        return locate(role, described, self.folder, self.opened)

    def _result(self) -> RegistrationResult:
        from napari_adacs.registration.native import residual
        from napari_adacs.registration.result import RegistrationResult

        moving, fixed = (self._found[role].image for role in _SIDES)
        motion = self._field()
        warped = self._image('warped')
        if warped is None or warped.shape != motion.grid.shape:
            raise InputError(
                f'{self.folder} has no warped.nii.gz that fits its '
                'displacement.',
                _HINT,
            )
        maps: dict[str, Any] = {name: self._image(name) for name in MAPS}
        return RegistrationResult(
            motion,
            warped,
            residual(fixed, moving, warped),
            **maps,
            config=self._config(),
            model_name=self._model,
            device=self.record.device,
            timings={k: float(str(v)) for k, v in self._timings()},
            notes=tuple(str(note) for note in self.record.notes),
        )

    def _timings(self) -> list[tuple[str, object]]:
        timings = self.record.timings_s.items()
        return [(k, v) for k, v in timings if isinstance(v, int | float)]

    def _config(self) -> RunConfig:
        """Return the settings; those of other versions are left out."""
        known = {item.name for item in dataclasses.fields(RunConfig)}
        kept = {k: v for k, v in self.record.config.items() if k in known}
        return RunConfig.from_dict(kept)

    def _field(self) -> DisplacementField:
        from napari_adacs.spatial.field import DisplacementField

        moving, fixed = (self._found[role].image.grid for role in _SIDES)
        path = self.folder / 'displacement.nii.gz'
        world, grid = read_world_displacement(path)
        if grid.shape != fixed.shape or (
            fixed.units == 'mm' and not grid.same_space(fixed)
        ):
            raise InputError(
                f'The displacement in {self.folder} does not lie on the '
                'fixed image.',
                _HINT,
            )
        self._digest = world_digest(world)
        return DisplacementField(
            world_to_voxels(world, grid),
            fixed,
            None if moving.same_space(fixed) else moving,
        )

    def _image(self, name: str) -> NDArray[Any] | None:
        path = self.folder / f'{name}.nii.gz'
        return read_image(path).data if path.is_file() else None


def saved_run(folder: str | os.PathLike[str], viewer: ViewerModel) -> SavedRun:
    """Look at a folder before it is opened in a viewer.

    Parameters
    ----------
    folder : path-like
        The folder, or the run.json in it.
    viewer : ViewerModel
        Where it will be shown; images it has are not read again.

    Raises
    ------
    InputError
        If it holds no registration.
    """
    place = Path(folder).expanduser().resolve()
    if place.is_file():
        place = place.parent
    record = load_record(place / 'run.json')
    if record.task != 'register':
        raise InputError(
            f'{place} holds the record of another task, {record.task}.', _HINT
        )
    if not (place / 'displacement.nii.gz').is_file():
        raise InputError(f'{place} has no displacement.nii.gz.', _HINT)
    return SavedRun(place, record, open_images(viewer))
