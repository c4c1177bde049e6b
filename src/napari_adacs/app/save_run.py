"""Saving a registration of the session as a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app import session
from napari_adacs.app.layer_specs import Role
from napari_adacs.app.layers import LayerImage, image_of
from napari_adacs.app.reproduce import source_of
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
from napari_adacs.io.record import RunRecord, describe_array, save_record
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
    origins : mapping of str to mapping
        Inputs that the run record does not know yet.
    """

    run: Run
    folder: Path
    images: Mapping[str, LayerImage]
    warped_labels: NDArray[Any] | None = None
    origins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def save_request(
    viewer: ViewerModel,
    run: Run,
    folder: str | os.PathLike[str],
    labels: Mapping[str, LayerRef] = MappingProxyType({}),
) -> SaveRequest:
    """Collect what belongs to a run, without reading voxels.

    Parameters
    ----------
    viewer : ViewerModel
        Where its layers are.
    run : Run
        The registration.
    folder : path-like
        Made if it does not exist.
    labels : mapping of str to LayerRef, optional
        Segmentations that the review compares, 'moving_labels' and
        'fixed_labels': they come back with the result.
    """
    images, origins = {}, {}
    for role, reference in _inputs_of(viewer, run, labels).items():
        layer = None if reference is None else reference.find(viewer)
        if reference is None or layer is None:
            continue
        described = _described(run.record, role)
        if not described:
            source = source_of(layer, reference.frame)
            described = {'layer': source.layer, 'path': source.path}
            origins[role] = {**described, 'frame': reference.frame}
        if origins.get(role) or not _is_in_a_file(described):
            name = role.replace('_', ' ')
            images[role] = image_of(layer, reference.frame, name)
    warped = ResultGroup(viewer, run.group_id).layers().get(Role.LABELS)
    return SaveRequest(
        run,
        Path(folder).expanduser().resolve(),
        images,
        None if warped is None else np.asarray(warped.data),
        origins,
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
    request = _with_new_inputs(request)
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


def _inputs_of(
    viewer: ViewerModel, run: Run, labels: Mapping[str, LayerRef]
) -> dict[str, LayerRef | None]:
    """Return the layers that went in, as far as they went in."""
    found: dict[str, LayerRef | None] = {
        **labels,
        'moving': run.moving,
        'fixed': run.fixed,
    }
    if run.labels is not None:
        found['moving_labels'] = run.labels
    region = region_of(viewer, run)
    if region is not None and 'emphasis' in run.record.get('inputs', {}):
        found['emphasis'] = LayerRef(str(region.unique_id), region.name)
    return found


def _described(record: Mapping[str, Any], role: str) -> dict[str, Any]:
    inputs = record.get('inputs')
    described = inputs.get(role) if isinstance(inputs, Mapping) else None
    return dict(described) if isinstance(described, Mapping) else {}


def _is_in_a_file(described: Mapping[str, Any]) -> bool:
    path = described.get('path')
    return isinstance(path, str) and bool(path) and Path(path).is_file()


def _with_new_inputs(request: SaveRequest) -> SaveRequest:
    """Describe inputs that the run did not have; copy those in no file."""
    inputs = dict(request.run.record.get('inputs', {}))
    images = dict(request.images)
    for role, origin in request.origins.items():
        image = images[role].load()
        described = describe_array(image.data, image.grid, image.name)
        inputs[role] = {**described, **origin}
        if _is_in_a_file(origin):
            del images[role]
    record = {**request.run.record, 'inputs': inputs}
    run = replace(request.run, record=record)
    return replace(request, run=run, images=images)


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
        labels=role not in ('moving', 'fixed'),
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
