"""Saving a registration of the session as a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app import session
from napari_adacs.app.layer_specs import Role
from napari_adacs.app.layers import LayerImage, image_of
from napari_adacs.app.result_files import COPIES, FILES, write_images
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.review.identity import (
    REVIEW_FILE,
    field_digest,
    identify,
)
from napari_adacs.app.review.refine_here import region_of
from napari_adacs.app.review.store import load_review
from napari_adacs.app.session import LayerRef
from napari_adacs.errors import InputError
from napari_adacs.io.nifti import save_volume
from napari_adacs.io.record import RunRecord, save_record
from napari_adacs.io.staging import staged_folder
from napari_adacs.registration.progress import Progress, Reporter

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.session import Run


@dataclass(frozen=True, eq=False)
class SaveRequest:
    """What to save, and where.

    Parameters
    ----------
    run : Run
        The registration.
    folder : Path
        Made if it does not exist.
    images : mapping of str to LayerImage
        Inputs that are in no file, by role; copies are saved along.
    warped_labels : (*fixed.shape) numpy.ndarray of int, optional
        Moving labels on the fixed grid.
    """

    run: Run
    folder: Path
    images: Mapping[str, LayerImage]
    warped_labels: NDArray[Any] | None = None


def save_request(
    viewer: ViewerModel, run: Run, folder: str | os.PathLike[str]
) -> SaveRequest:
    """Collect what belongs to a run, without reading voxels."""
    images = {}
    for role, reference in _inputs_of(viewer, run).items():
        described = _described(run.record, role)
        layer = None if reference is None else reference.find(viewer)
        if reference is None or layer is None:
            continue
        if not Path(str(described.get('path') or '')).is_file():
            name = role.replace('_', ' ')
            images[role] = image_of(layer, reference.frame, name)
    warped = ResultGroup(viewer, run.group_id).layers().get(Role.LABELS)
    return SaveRequest(
        run,
        Path(folder).expanduser().resolve(),
        images,
        None if warped is None else np.asarray(warped.data),
    )


def save_run(request: SaveRequest, progress: Progress, cancel: Event) -> Run:
    """Write a run to a folder, all of it or nothing; in a worker.

    The folder is what `napari-adacs register` writes, with copies of those
    images that are in no file. A review of another result that lies there
    is renamed, never lost.

    Returns
    -------
    Run
        The run, which now knows its folder; give it to `session.remember`
        in the GUI thread.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    CancelledError
        If `cancel` was set; nothing was written.
    """
    report = Reporter(progress, cancel)
    report(0.0, 'Saving the result')
    run, folder = request.run, request.folder
    record = _record(request)
    saved = replace(
        run,
        folder=folder,
        record=record.to_dict(),
        field_digest=field_digest(run.result.field),
    )
    old = FILES if (folder / 'run.json').is_file() else ()
    with staged_folder(folder, old) as staged:
        write_images(staged, run.result, request.warped_labels)
        report(0.6, 'Saving the images')
        for role, image in request.images.items():
            _write_copy(staged / COPIES[role], role, image)
        save_record(staged / 'run.json', record)
        report.check()
        _keep_other_review(folder, saved)
    report(1.0, 'Done')
    return saved


def remember_saved(saved: Run) -> None:
    """Let the session know where a run is, if it still has it."""
    if session.recall(saved.group_id) is not None:
        session.remember(saved)


def _inputs_of(viewer: ViewerModel, run: Run) -> dict[str, LayerRef | None]:
    """Return the layers that went in, as far as they went in."""
    found: dict[str, LayerRef | None] = {
        'moving': run.moving,
        'fixed': run.fixed,
        'moving_labels': run.labels,
    }
    region = region_of(viewer, run)
    if region is not None and 'emphasis' in run.record.get('inputs', {}):
        found['emphasis'] = LayerRef(str(region.unique_id), region.name)
    return found


def _described(record: Mapping[str, Any], role: str) -> dict[str, Any]:
    inputs = record.get('inputs')
    described = inputs.get(role) if isinstance(inputs, Mapping) else None
    return dict(described) if isinstance(described, Mapping) else {}


def _record(request: SaveRequest) -> RunRecord:
    """Return the run record, which says where the copies are."""
    run = request.run
    inputs = {**run.record.get('inputs', {})}
    for role in request.images:
        inputs[role] = {**_described(run.record, role), 'copy': COPIES[role]}
    for role in set(inputs) - set(request.images):
        described = _described(run.record, role)
        described.pop('copy', None)
        inputs[role] = described
    return replace(
        RunRecord(**{'task': 'register', **run.record}), inputs=inputs
    )


def _write_copy(path: Path, role: str, image: LayerImage) -> None:
    loaded = image.load()
    save_volume(
        path,
        loaded.data,
        loaded.grid,
        labels=role in ('moving_labels', 'emphasis'),
        axis_order='zyx',
    )


def _keep_other_review(folder: Path, run: Run) -> None:
    """Move the review of another result out of the way of ours."""
    path = folder / REVIEW_FILE
    try:
        load_review(path, identify(run))
    except InputError:
        stem, number = path.stem, 1
        while path.with_stem(f'{stem}-{number}').exists():
            number += 1
        path.rename(path.with_stem(f'{stem}-{number}'))
