"""Instance optimisation of the displacement field itself, on one pair."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.free_field import (
    FitStep,
    FreeFieldOptions,
    fit_free_field,
)
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.preprocess import resample, scaled
from napari_adacs.registration.progress import Reporter
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid
from napari_adacs.spatial.jacobian import jacobian_determinant
from napari_adacs.spatial.smoothing import resize_vectors, smooth

FloatMap = NDArray[np.float32]
Watch = Callable[[float, float, Callable[[], DisplacementField]], None]

# Chosen on phantoms and on training pairs of CAMUS and ACDC. What is added to
# a network's estimate should be smooth; from zero, a field has to take up all
# of the motion. The more neighbours the dimension gives, the less smoothing
# noise needs. Bridging pays in volumes, whose shadows and blood are wide; in
# planes it takes more from walls than it saves.
_FROM_ZERO = {
    2: FreeFieldOptions(smoothness=1.0, kept=2, added_smoothness=2.0),
    3: FreeFieldOptions(
        smoothness=0.5,
        statistics=4.0,
        kept=1,
        added_smoothness=1.4,
        bridging=3.0,
    ),
}
_FROM_START = {
    2: FreeFieldOptions(smoothness=2.0),
    3: FreeFieldOptions(smoothness=1.25),
}
# Voxels along the longest axis at the coarsest resolution, about: there the
# largest motion of a heart is a few voxels, which a fit from zero can find.
_COARSEST = 32
# Planes are looked at no closer than this: beyond it an echo gains speckle and
# no structure, which costs accuracy.
_LARGEST = {2: 256}
_SMALLEST_DETERMINANT = 0.01
_MOST_REPAIRS = 50


def refine_field(
    field: DisplacementField,
    moving: ImageOnGrid,
    fixed: ImageOnGrid,
    grid: Grid,
    config: RunConfig,
    device: torch.device,
    report: Reporter,
    weight: FloatMap | None = None,
    watch: Watch | None = None,
) -> DisplacementField:
    """Return a field that fits this pair better, without folds.

    Parameters
    ----------
    field : DisplacementField
        The start, on the fixed grid. Only what is added to it is smoothed.
    moving, fixed : ImageOnGrid
        The images.
    grid : Grid
        Where to compute: the fixed grid or a coarser one.
    config : RunConfig
        Steps at each resolution, similarity and smoothness.
    device : torch.device
        Where to compute.
    report : Reporter
        Progress; a wish to stop ends the fit, and the field so far is
        returned.
    weight : (*fixed.shape) numpy.ndarray of float32, optional
        Weight of the squared residual.
    watch : callable, optional
        Called after each step with (fraction done, loss, function that
        returns the field so far).

    Returns
    -------
    DisplacementField
        On the fixed grid; its inverse is computed on demand.
    """
    grid = _working_grid(grid)
    start = field.to_grid(grid).voxels
    from_zero = not start.any()

    def on_device(image: ImageOnGrid) -> Tensor:
        return scaled(resample(image.data, image.grid, grid))[0].to(device)

    def on_working_grid(found: Tensor) -> FloatMap:
        voxels: FloatMap = resize_vectors(found, grid.shape).cpu().numpy()
        return voxels

    def native(voxels: FloatMap) -> DisplacementField:
        on_grid = DisplacementField(voxels, grid, field.moving_grid)
        return on_grid.to_grid(fixed.grid)

    def so_far(found: Tensor) -> DisplacementField:
        return native(on_working_grid(found))

    steps = fit_free_field(
        on_device(moving),
        on_device(fixed),
        _options(config, grid, from_zero),
        spacing=grid.spacing,
        start=None if from_zero else torch.from_numpy(start).to(device),
        weight=(
            None
            if weight is None
            else resample(weight, fixed.grid, grid)[0].to(device)
        ),
    )
    last: FitStep | None = None
    with torch.inference_mode():
        for last in steps:
            report.refining(last.fraction, last.loss)
            if watch is not None:
                watch(last.fraction, last.loss, partial(so_far, last.field))
            if report.stop_refining():
                break
    if last is None:
        return field
    # What is a small fold there would be a wide one on the fixed grid.
    mended = without_folds(on_working_grid(last.field))
    return DisplacementField(
        without_folds(native(mended).voxels), fixed.grid, field.moving_grid
    )


def _working_grid(grid: Grid) -> Grid:
    """Return a grid that is fine enough to find any motion on."""
    shrink = _LARGEST.get(grid.ndim, math.inf) / _longest(grid)
    if shrink >= 1:
        return grid
    return grid.resized([max(1, round(n * shrink)) for n in grid.shape])


def _longest(grid: Grid) -> float:
    """Return the longest side, in units of the finest spacing."""
    sides = (n * s for n, s in zip(grid.shape, grid.spacing, strict=True))
    return max(sides) / min(grid.spacing)


def _options(
    config: RunConfig, grid: Grid, from_zero: bool
) -> FreeFieldOptions:
    defaults = (_FROM_ZERO if from_zero else _FROM_START)[grid.ndim]
    resolutions = defaults.resolutions
    if from_zero:
        needed = 1 + round(math.log2(_longest(grid) / _COARSEST))
        resolutions = max(resolutions, needed)
    return replace(
        defaults,
        similarity=config.refine_similarity,
        steps=config.refine_steps,
        smoothness=defaults.smoothness * config.refine_smoothness,
        resolutions=resolutions,
        prior=config.refine_prior or 0.0,
    )


def without_folds(voxels: FloatMap) -> FloatMap:
    """Smooth a displacement where it folds, and nowhere else.

    Parameters
    ----------
    voxels : (ndim, *shape) numpy.ndarray of float32
        Displacement.

    Returns
    -------
    (ndim, *shape) numpy.ndarray of float32
        The same where the Jacobian determinant is safely positive.
    """
    for turn in range(_MOST_REPAIRS):
        bad = jacobian_determinant(voxels) < _SMALLEST_DETERMINANT
        if not bad.any():
            break
        with torch.inference_mode():
            # What does not give way is wide.
            width = 1.08**turn
            near = smooth(torch.from_numpy(bad[None]).float(), 1.5 * width)
            part = (4 * near).clamp_max(1).numpy()
            smoother = smooth(torch.from_numpy(voxels), width).numpy()
        voxels = np.asarray(voxels + part * (smoother - voxels), np.float32)
    return voxels
