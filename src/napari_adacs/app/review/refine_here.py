"""Refining a registration where a person painted, as a new version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app import session
from napari_adacs.app.chosen import Chosen
from napari_adacs.app.emphasis import STRENGTH
from napari_adacs.app.layers import image_of, layer_kwargs
from napari_adacs.app.prepared import Prepared, prepare
from napari_adacs.app.request import Region
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.review.likely_labels import REGION_KEY
from napari_adacs.app.review.verdicts import Place
from napari_adacs.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_adacs.app.session import Run

STEPS = 50


def region_of(viewer: ViewerModel, run: Run) -> Labels | None:
    """Return the layer in which the region of a pair is painted, or None.

    All versions of a registration share it.
    """
    for layer in viewer.layers:
        if layer.metadata.get(REGION_KEY) == _pair(run):
            return layer
    return None


def add_region(viewer: ViewerModel, run: Run) -> Labels:
    """Return the layer to paint in, ready to paint; add it if needed."""
    from napari.layers import Labels

    layer = region_of(viewer, run)
    if layer is None:
        grid = run.result.field.grid
        fixed = run.fixed.find(viewer)
        placement = (
            layer_kwargs(grid)
            if fixed is None
            else layer_kwargs(fixed, ndim=grid.ndim)
        )
        layer = Labels(
            np.zeros(grid.shape, np.uint8),
            name='region to refine',
            opacity=0.4,
            metadata={REGION_KEY: _pair(run)},
            **placement,
        )
        layer.brush_size = max(3, round(max(grid.shape) / 12))
        # A ball: what is wrong is hardly ever one slice thick.
        layer.n_edit_dimensions = grid.ndim
        viewer.add_layer(layer)
        layer = region_of(viewer, run)
        assert layer is not None
    layer.visible = True
    viewer.layers.selection = {layer}
    layer.mode = 'paint'
    return layer


def mark_slices(layer: Labels, places: Iterable[Place]) -> None:
    """Add whole slices to a region."""
    data = np.array(layer.data)
    for axis, index in places:
        where: list[Any] = [slice(None)] * data.ndim
        if data.ndim == 3:
            where[axis] = index
        data[tuple(where)] = 1
    layer.data = data


def prepare_refinement(
    viewer: ViewerModel,
    run: Run,
    steps: int = STEPS,
    strength: float = STRENGTH,
) -> Prepared:
    """Prepare a new version of a run that tries harder in its region.

    It starts from the model's estimate, as every run does.

    Parameters
    ----------
    viewer : ViewerModel
        Where images and region are.
    run : Run
        The version to improve.
    steps : int, default: 50
        Steps of instance optimisation.
    strength : float, default: 10
        Residuals in the region count ``1 + strength`` times.

    Raises
    ------
    InputError
        If nothing is painted, or an image is no longer there.
    ModelError
        If the model is no longer there.
    """
    region = region_of(viewer, run)
    if region is None or not np.any(region.data):
        raise InputError(
            'No region is painted.',
            "Press 'Paint a region' and paint where the result is wrong.",
        )
    moving, fixed = run.moving.find(viewer), run.fixed.find(viewer)
    if moving is None or fixed is None:
        gone = run.moving if moving is None else run.fixed
        raise InputError(
            f'The layer {gone} is no longer open.', 'Open it again.'
        )
    labels = None if run.labels is None else run.labels.find(viewer)
    mask = image_of(region, None, 'region')
    config = run.result.config
    return prepare(
        Chosen(
            moving,
            fixed,
            run.moving.frame,
            run.fixed.frame,
            labels,
            _model(run),
            config.device,
            steps,
            eta=config.eta,
            refine_smoothness=config.refine_smoothness,
            refine_prior=config.refine_prior,
            refine_similarity=config.refine_similarity,
            region=Region(mask, strength, region.name),
            version=1 + max(r.version for r in versions(viewer, run)),
        )
    )


def versions(viewer: ViewerModel, run: Run) -> list[Run]:
    """Return all versions of a run that a viewer shows, oldest first."""
    runs = session.runs_in(viewer)
    alike = {r.group_id: r for r in runs if _pair(r) == _pair(run)}
    alike[run.group_id] = run
    return sorted(alike.values(), key=lambda r: r.version)


def other_version(viewer: ViewerModel, run: Run) -> Run | None:
    """Return the version to compare with: the next older, or the newest."""
    every = versions(viewer, run)
    place = [r.group_id for r in every].index(run.group_id)
    return None if len(every) < 2 else every[place - 1]


def swap_shown(viewer: ViewerModel, shown: Run, wanted: Run) -> None:
    """Show the layers of one version where those of another are shown."""
    old = ResultGroup(viewer, shown.group_id).layers()
    new = ResultGroup(viewer, wanted.group_id).layers()
    for role, layer in old.items():
        if role in new:
            new[role].visible = layer.visible
            new[role].opacity = layer.opacity
        layer.visible = False


def compared(
    old: Run, new: Run, region: NDArray[np.generic] | None = None
) -> str:
    """Say in a sentence what a version changed."""
    parts = []
    if region is not None and region.shape == new.result.residual.shape:
        inside = np.asarray(region) != 0
        if inside.any():
            parts.append(f'residual in the region {_means(old, new, inside)}')
    parts.append(f'residual of the image {_means(old, new, ...)}')
    folded = ' → '.join(f'{_folded_percent(r):.2g}' for r in (old, new))
    parts.append(f'folded voxels {folded} %')
    text = ', '.join(parts)
    return f'Version {old.version} → {new.version}: {text}.'


def _means(old: Run, new: Run, where: Any) -> str:
    before = float(old.result.residual[where].mean())
    after = float(new.result.residual[where].mean())
    return f'{before:.4f} → {after:.4f}'


def _folded_percent(run: Run) -> float:
    determinant = run.result.field.jacobian_determinant()
    return 100 * float((determinant <= 0).mean())


def _pair(run: Run) -> str:
    return session.group_id(run.moving, run.fixed, run.result.model_name)


def _model(run: Run) -> str:
    """Return the model by a name that can be resolved again."""
    return run.result.config.model or run.result.model_name
