"""Evaluate a registration with two Labels layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING, Any

from napari_adacs.app.label_evaluation import (
    LabelEvaluation,
    check_place,
    evaluate_on_grids,
)
from napari_adacs.app.label_names import check_names, match_by_name
from napari_adacs.app.layer_specs import Role
from napari_adacs.app.layers import LayerImage
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.errors import InputError
from napari_adacs.evaluation.slice_table import SliceTable, slice_table
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
    moving_names, fixed_names : mapping of int to str
        Names of labels, as far as the layers know them.
    by_name : bool, default: False
        Compare labels of the same name rather than of the same value.
    """

    moving: LayerImage
    fixed: LayerImage
    moving_ref: LayerRef
    fixed_ref: LayerRef
    run: Run | None = None
    moving_names: Mapping[int, str] = field(default_factory=dict)
    fixed_names: Mapping[int, str] = field(default_factory=dict)
    by_name: bool = False

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
    if request.moving_ref.same(request.fixed_ref):
        raise InputError(
            'Moving and fixed labels are the same.',
            'Choose the labels of both images.',
        )
    check_place(moving, fixed)
    if request.by_name:
        check_names(request.moving_names, 'moving')
        check_names(request.fixed_names, 'fixed')
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


@dataclass(frozen=True, eq=False)
class LayerEvaluation:
    """What came out of a request.

    Parameters
    ----------
    request : EvaluationRequest
        What was compared.
    found : LabelEvaluation
        The table and the labels it is about.
    slices : SliceTable
        The same slice by slice.
    """

    request: EvaluationRequest
    found: LabelEvaluation
    slices: SliceTable

    @property
    def evaluation(self) -> Evaluation:
        """The table."""
        return self.found.evaluation


def evaluate_layers(
    request: EvaluationRequest, progress: Progress, cancel: Event
) -> LayerEvaluation:
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
    names = request.fixed_names
    if request.by_name:
        matching = match_by_name(
            moving.data, fixed.data, request.moving_names, names
        )
        moving = replace(moving, data=matching.apply(moving.data))
        names = matching.names
    report(0.1, 'Measuring')
    field = None if request.run is None else request.run.result.field
    found = evaluate_on_grids(moving, fixed, field, label_names=names)
    report(0.5, 'Measuring slices')
    slices = slice_table(
        found.fixed,
        found.before,
        found.warped,
        found.labels,
        found.evaluation.spacing,
        found.evaluation.units,
        lambda done: report(0.5 + done / 2, 'Measuring slices'),
    )
    report.check()
    return LayerEvaluation(request, found, slices)


def show_in_features(
    viewer: ViewerModel, request: EvaluationRequest, evaluation: Evaluation
) -> None:
    """Put the metrics into the features of the warped labels we made.

    Labels that a person made are never touched. Nothing happens either if
    the warped labels come from other moving labels than were evaluated, or
    if matching by name may have given them other values.
    """
    run = request.run
    if run is None or run.labels is None or request.by_name:
        return
    if not run.labels.same(request.moving_ref):
        return
    layer = ResultGroup(viewer, run.group_id).layers().get(Role.LABELS)
    if layer is not None:
        layer.features = _columns(evaluation)


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
