"""What the Review dock needs of a result; computed in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.layer_specs import Role
from napari_adacs.app.layers import LayerImage, image_of
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.review.identity import (
    Identity,
    identify,
    review_path,
)
from napari_adacs.app.review.likely_labels import likely_labels
from napari_adacs.app.review.store import Saved, load_review
from napari_adacs.errors import AdacsError, InputError
from napari_adacs.evaluation.slice_sums import SliceInputs
from napari_adacs.evaluation.slices import SliceFigures, slice_figures
from napari_adacs.registration.progress import Progress, Reporter

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.session import LayerRef, Run
    from napari_adacs.registration.inputs import ImageOnGrid
    from napari_adacs.spatial.field import DisplacementField


@dataclass(frozen=True, eq=False)
class ReviewRequest:
    """A result to be reviewed, and what of its images the viewer has.

    Parameters
    ----------
    run : Run
        The registration.
    moving, fixed : LayerImage or None
        The images; None if their layers are gone.
    moving_labels, fixed_labels : LayerImage or None
        Segmentations.
    warped_labels : (*fixed.shape) numpy.ndarray or None
        The moving labels as the result has them.
    label_refs : mapping of str to LayerRef
        Which layers the segmentations are: 'moving_labels', 'fixed_labels'.
    """

    run: Run
    moving: LayerImage | None = None
    fixed: LayerImage | None = None
    moving_labels: LayerImage | None = None
    fixed_labels: LayerImage | None = None
    warped_labels: NDArray[Any] | None = None
    label_refs: Mapping[str, LayerRef] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Ready:
    """A result that can be reviewed.

    Parameters
    ----------
    request : ReviewRequest
        What was asked for.
    identity : Identity
        What the result is recognised by.
    figures : tuple of SliceFigures
        The slices along each axis.
    path : Path
        Where the review is kept.
    saved : Saved or None
        What was decided before.
    warning : str
        What a person should know; '' for nothing.
    labels : mapping of str to (*fixed.shape) numpy.ndarray
        Segmentations on the fixed grid: 'fixed', 'warped', 'moving'.
    """

    request: ReviewRequest
    identity: Identity
    figures: tuple[SliceFigures, ...]
    path: Path
    saved: Saved | None = None
    warning: str = ''
    labels: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def review_request(
    viewer: ViewerModel, run: Run, fixed_labels: LayerRef | None = None
) -> ReviewRequest:
    """Collect what a viewer has of a result, without reading voxels.

    Labels that were warped with it are compared with those that most likely
    belong to the fixed image; see `likely_labels`.

    Parameters
    ----------
    viewer : ViewerModel
        Where its layers are.
    run : Run
        The registration.
    fixed_labels : LayerRef, optional
        Labels of the fixed image, if a person has chosen some.
    """
    layers = ResultGroup(viewer, run.group_id).layers()
    warped = layers.get(Role.LABELS)
    labels, fixed = likely_labels(viewer, run, fixed_labels)
    return ReviewRequest(
        run,
        _image(viewer, run.moving, 'moving image'),
        _image(viewer, run.fixed, 'fixed image'),
        _image(viewer, labels, 'moving labels'),
        _image(viewer, fixed, 'fixed labels'),
        None if warped is None else np.asarray(warped.data),
        {
            role: reference
            for role, reference in (
                ('moving_labels', labels),
                ('fixed_labels', fixed),
            )
            if reference is not None
        },
    )


def make_ready(
    request: ReviewRequest, progress: Progress, cancel: Event
) -> Ready:
    """Measure the slices and find the review; call it in a worker."""
    report = Reporter(progress, cancel)
    report(0.0, 'Recognising the result')
    identity = identify(request.run)
    path, saved, warning = _find_review(request.run.folder, identity)
    report(0.3, 'Measuring the slices')
    labels, remark = _labels_if_any(request)
    inputs = _inputs(request, labels)
    report.check()
    figures = slice_figures(inputs)
    report(1.0, 'Done')
    warning = ' '.join(filter(None, (warning, remark)))
    return Ready(request, identity, figures, path, saved, warning, labels)


def _find_review(
    folder: Path | None, identity: Identity
) -> tuple[Path, Saved | None, str]:
    """Return where the review is kept, what it says, and a warning.

    Files that are no review of this result stay as they are; ours is kept
    elsewhere.
    """
    own = review_path(identity.key, None)
    places = [own, own.with_stem(f'{own.stem}-new')]
    if folder is not None:
        places.insert(0, review_path(identity.key, folder))
    saved, warning = None, ''
    free = list(places)
    for path in places:
        try:
            saved = load_review(path, identity)
        except InputError as error:
            warning = str(error)
            free.remove(path)
        if saved is not None:
            break
    return (free or places)[0], saved, warning


def _labels_if_any(
    request: ReviewRequest,
) -> tuple[dict[str, NDArray[Any]], str]:
    """Return the segmentations, or why they cannot be used."""
    try:
        return _labels(request), ''
    except AdacsError as error:
        return {}, f'No overlap of labels: {error}'


def _inputs(
    request: ReviewRequest, labels: Mapping[str, NDArray[Any]]
) -> SliceInputs:
    result = request.run.result
    images = [result.warped]
    if request.fixed is not None:
        images.append(request.fixed.load().data)
    return SliceInputs(
        result.field.voxels,
        result.residual,
        tuple(images),
        result.score,
        result.variance,
        labels.get('fixed'),
        labels.get('warped'),
        labels.get('moving'),
    )


def _labels(request: ReviewRequest) -> dict[str, NDArray[Any]]:
    """Return the segmentations on the fixed grid, as far as there are."""
    moving, fixed = request.moving_labels, request.fixed_labels
    if fixed is None or (moving is None and request.warped_labels is None):
        return {}
    from napari_adacs.app.label_evaluation import check_labels, onto_moving
    from napari_adacs.spatial.field import DisplacementField

    still = DisplacementField.identity(request.run.result.field.grid)
    found = {'fixed': _at_rest(still, check_labels(fixed.load()))}
    if moving is not None:
        labels = check_labels(moving.load())
        found['moving'] = _at_rest(still, labels)
    if request.warped_labels is not None:
        found['warped'] = request.warped_labels
    else:
        field = onto_moving(request.run.result.field, labels)
        found['warped'] = field.warp_labels(labels.data)
    return found


def _at_rest(still: DisplacementField, labels: ImageOnGrid) -> NDArray[Any]:
    """Return labels on the fixed grid, where they are."""
    from napari_adacs.app.label_evaluation import onto_moving

    placed = onto_moving(still, labels)
    if placed.moving_grid is None:
        return labels.data
    return placed.warp_labels(labels.data, 'nearest')


def _image(
    viewer: ViewerModel, reference: LayerRef | None, name: str
) -> LayerImage | None:
    layer = None if reference is None else reference.find(viewer)
    if reference is None or layer is None:
        return None
    try:
        return image_of(layer, reference.frame, name)
    except InputError:
        return None
