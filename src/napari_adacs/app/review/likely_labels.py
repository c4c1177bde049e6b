"""Guessing which segmentation belongs to which image."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from napari_adacs.app.layers import grid_of, is_sequence
from napari_adacs.app.result_layers import is_input
from napari_adacs.app.session import LayerRef
from napari_adacs.errors import InputError

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_adacs.app.session import Run

# Marks the layer in which a person paints where to refine.
REGION_KEY = 'napari_adacs_region'


def likely_labels(
    viewer: ViewerModel, run: Run, fixed: LayerRef | None = None
) -> tuple[LayerRef | None, LayerRef | None]:
    """Return the labels that most likely belong to the images of a run.

    Labels have to lie on the grid of their image. Of several, those are
    taken whose name is more like the name of this image than of the other.
    Those that a registration made and painted regions are left out.

    Parameters
    ----------
    viewer : ViewerModel
        Whose Labels layers to choose from.
    run : Run
        The registration; labels that were warped with it are the moving
        ones.
    fixed : LayerRef, optional
        Labels of the fixed image, if a person has chosen some.

    Returns
    -------
    moving, fixed : LayerRef or None
        Those known or guessed; None where nothing fits.
    """
    fixed = fixed or _likely(viewer, run, run.fixed, run.labels)
    moving = run.labels or _likely(viewer, run, run.moving, fixed)
    return moving, fixed


def _likely(
    viewer: ViewerModel, run: Run, image: LayerRef, taken: LayerRef | None
) -> LayerRef | None:
    """Return the likely labels of one image that are not the other's."""
    from napari.layers import Labels as LabelsLayer

    other = run.fixed if image is run.moving else run.moving
    found: list[tuple[float, float, int, LayerRef]] = []
    for layer in viewer.layers:
        if not isinstance(layer, LabelsLayer) or not is_input(layer):
            continue
        if layer.metadata.get(REGION_KEY) or not _fits(layer, run, image):
            continue
        timed = _is_timed(layer, run)
        reference = LayerRef(
            str(layer.unique_id), layer.name, image.frame if timed else None
        )
        if taken is not None and reference.same(taken):
            continue
        like = _like(layer.name, image)
        likeness = like - _like(layer.name, other)
        if likeness < 0 and not timed:
            continue
        # two frames of a sequence have one name
        found.append((likeness, like, -len(found), reference))
    return max(found)[-1] if found else None


def _like(name: str, image: LayerRef) -> float:
    return SequenceMatcher(None, name, image.name).ratio()


def _is_timed(layer: Labels, run: Run) -> bool:
    flat = run.result.field.grid.ndim == 2
    return is_sequence(layer) or (flat and layer.ndim == 3)


def _fits(layer: Labels, run: Run, image: LayerRef) -> bool:
    timed = _is_timed(layer, run)
    if timed and image.frame is None:
        return False
    try:
        grid = grid_of(layer, image.frame if timed else None)
    except InputError:
        return False
    field = run.result.field
    own = field.grid
    if image is run.moving and field.moving_grid is not None:
        own = field.moving_grid
    return grid.ndim == own.ndim and grid.same_space(own)
