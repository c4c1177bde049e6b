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
    viewer: ViewerModel,
    run: Run,
    image: LayerRef,
    taken: LayerRef | None = None,
) -> LayerRef | None:
    """Return the labels that most likely belong to an image of a run.

    Parameters
    ----------
    viewer : ViewerModel
        Whose Labels layers to choose from; those that a registration made
        and painted regions are left out.
    run : Run
        The registration; the labels have as many axes.
    image : LayerRef
        The moving or the fixed image.
    taken : LayerRef, optional
        Labels that belong to the other image.

    Returns
    -------
    LayerRef or None
        Of several, those whose name is more like the name of this image
        than of the other one.
    """
    from napari.layers import Labels as LabelsLayer

    other = run.fixed if image is run.moving else run.moving
    found: list[tuple[float, int, LayerRef]] = []
    for layer in viewer.layers:
        if not isinstance(layer, LabelsLayer) or not is_input(layer):
            continue
        if layer.metadata.get(REGION_KEY) or not _fits(layer, run, image):
            continue
        timed = _is_timed(layer, run)
        reference = LayerRef(
            str(layer.unique_id), layer.name, image.frame if timed else None
        )
        if reference == taken:
            continue
        likeness = _like(layer.name, image) - _like(layer.name, other)
        if likeness < 0 and not timed:
            continue
        found.append((likeness, -len(found), reference))
    return max(found)[2] if found else None


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
    return grid.ndim == field.grid.ndim and grid.units == field.grid.units
