"""Evaluate a registration with two Labels layers."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

from napari_adacs.app.label_evaluation import (
    check_place,
    evaluate_on_grids,
)
from napari_adacs.app.layer_specs import Role
from napari_adacs.app.layers import LayerImage
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.errors import InputError
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.progress import Progress, Reporter

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.session import LayerRef, Run
    from napari_adacs.evaluation.report import Evaluation


@dataclass(frozen=True, eq=False)
class EvaluationRequest:
    """What to compare.

    Parameters
    ----------
    moving, fixed : LayerImage
        The segmentations, not yet in memory.
    moving_ref, fixed_ref : LayerRef
        Which layers these are.
    run : Run or None
        The registration between them; None compares only before.
    """

    moving: LayerImage
    fixed: LayerImage
    moving_ref: LayerRef
    fixed_ref: LayerRef
    run: Run | None = None

    def __str__(self) -> str:
        names = f'{self.moving_ref} → {self.fixed_ref}'
        if self.run is None:
            return f'{names}, not registered'
        return f'{names}, registration {self.run.title}'


def check_request(request: EvaluationRequest) -> None:
    """Find out what can be known without reading voxels.

    Raises
    ------
    InputError
        If the segmentations do not fit each other or the registration.
    """
    moving, fixed = (_place(x) for x in (request.moving, request.fixed))
    if _same_image(request.moving_ref, request.fixed_ref):
        raise InputError(
            'Moving and fixed labels are the same.',
            'Choose the labels of both images.',
        )
    check_place(moving, fixed)
    if request.run is not None:
        grid = request.run.result.field.grid
        for labels in (moving, fixed):
            registered = ImageOnGrid(labels.data, grid, 'registration')
            check_place(labels, registered)


def describe_request(request: EvaluationRequest) -> str:
    """Say in a sentence what will be compared."""
    grid = request.fixed.grid
    unit = 'mm' if grid.units == 'mm' else 'voxels (no physical size known)'
    if request.run is None:
        return f'Compares as they are, before registration; in {unit}.'
    return f'Compares before and after registration; distances in {unit}.'


def evaluate_layers(
    request: EvaluationRequest, progress: Progress, cancel: Event
) -> Evaluation:
    """Read the labels and compare them; call it in a worker.

    Raises
    ------
    InputError
        If a layer is no segmentation, or they do not fit.
    CancelledError
        If `cancel` was set.
    """
    report = Reporter(progress, cancel)
    report(0.0, 'Reading the labels')
    moving, fixed = request.moving.load(), request.fixed.load()
    report(0.2, 'Measuring')
    field = None if request.run is None else request.run.result.field
    found = evaluate_on_grids(moving, fixed, field).evaluation
    report.check()
    return found


def show_in_features(
    viewer: ViewerModel, request: EvaluationRequest, evaluation: Evaluation
) -> None:
    """Put the metrics into the features of the warped labels we made.

    Labels that a person made are never touched. Nothing happens either if
    the warped labels come from other moving labels than were evaluated.
    """
    run = request.run
    if run is None or run.labels is None:
        return
    if not _same_image(run.labels, request.moving_ref):
        return
    layer = ResultGroup(viewer, run.group_id).layers().get(Role.LABELS)
    if layer is not None:
        layer.features = _columns(evaluation)


def _same_image(first: LayerRef, second: LayerRef) -> bool:
    return (first.layer_id, first.frame) == (second.layer_id, second.frame)


def _columns(evaluation: Evaluation) -> dict[str, list[Any]]:
    """Return a column per metric; napari finds labels in 'index'."""
    records = evaluation.records()[:-1]
    columns: dict[str, list[Any]] = {'index': [r['label'] for r in records]}
    for name, value in records[0].items():
        if name != 'label' and (isinstance(value, float) or name == 'notes'):
            columns[name] = [record[name] for record in records]
    return columns


def _place(labels: LayerImage) -> ImageOnGrid:
    """Return the labels as far as they can be known without voxels."""
    return ImageOnGrid(labels.source, labels.grid, labels.name)
