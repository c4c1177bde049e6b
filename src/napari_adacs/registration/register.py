"""Register two images: preprocess, estimate, return to the native grid."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_adacs.models.library import resolve_model
from napari_adacs.models.model import Model, companion_schemes
from napari_adacs.networks.base import Motion
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.device import (
    readable_memory_errors,
    resolve_device,
)
from napari_adacs.registration.inputs import (
    ImageOnGrid,
    check_pair,
    checked,
    image_on_grid,
)
from napari_adacs.registration.plan import plan_registration
from napari_adacs.registration.preprocess import (
    NetworkPair,
    network_grid,
    prepare,
)
from napari_adacs.registration.progress import Cancel, Progress, Reporter
from napari_adacs.registration.refine import refine
from napari_adacs.registration.result import FloatMap, RegistrationResult
from napari_adacs.spatial import operators
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid
from napari_adacs.weighting.base import Direction

if TYPE_CHECKING:
    from pathlib import Path


def register(
    moving: object,
    fixed: object,
    model: str | Path | Model = 'auto',
    *,
    spacing: float | Sequence[float] | None = None,
    moving_spacing: float | Sequence[float] | None = None,
    device: str = 'auto',
    refine_steps: int = 0,
    threads: int = 0,
    progress: Progress | None = None,
    cancel: Cancel = None,
) -> RegistrationResult:
    """Register a moving image to a fixed image.

    Parameters
    ----------
    moving, fixed : array_like or nibabel image, 2D or 3D
        Images; a nibabel image brings its own geometry. Neither is changed.
    model : str, Path or Model, default: 'auto'
        Bundled name, path of a bundle, a loaded model, or 'auto' for the
        best bundled model for these images.
    spacing : float or sequence of float, optional
        Voxel size in array axis order, of both images; 1 voxel if omitted.
    moving_spacing : float or sequence of float, optional
        Voxel size of the moving image where it differs.
    device : str, default: 'auto'
        'auto', 'cpu', 'cuda', 'cuda:N' or 'mps'.
    refine_steps : int, default: 0
        Steps of instance optimisation after the model's estimate.
    threads : int, default: 0
        CPU threads; 0 leaves the choice to torch.
    progress : callable, optional
        Called with (fraction, message).
    cancel : threading.Event or callable, optional
        Set, or returning True, to stop.

    Returns
    -------
    RegistrationResult
        Field, warped image and maps on the native fixed grid.

    Raises
    ------
    InputError
        If an image cannot be registered.
    ModelError
        If the model is unknown or made for another number of axes.
    DeviceError
        If the device is missing or runs out of memory.
    CancelledError
        If `cancel` was set.
    """
    name = model if isinstance(model, str) else str(getattr(model, 'name', ''))
    config = RunConfig(
        name or 'given model', device, refine_steps, threads
    )
    moving_spacing = spacing if moving_spacing is None else moving_spacing
    return register_on_grids(
        image_on_grid(moving, 'moving', moving_spacing),
        image_on_grid(fixed, 'fixed', spacing),
        config,
        model=model if isinstance(model, Model) else None,
        model_path=None if isinstance(model, str | Model) else model,  # type: ignore[arg-type]
        progress=progress,
        cancel=cancel,
    )


def register_on_grids(
    moving: ImageOnGrid,
    fixed: ImageOnGrid,
    config: RunConfig,
    *,
    model: Model | None = None,
    model_path: Path | None = None,
    progress: Progress | None = None,
    cancel: Cancel = None,
) -> RegistrationResult:
    """Register two images whose grids are known; see `register`."""
    report = Reporter(progress, cancel)
    clock = _Clock()
    report(0.0, 'Checking the images')
    checked(moving)
    checked(fixed)
    check_pair(moving, fixed)
    target = resolve_device(config.device)
    report(0.05, 'Loading the model')
    if model is None:
        chosen = str(model_path) if model_path is not None else config.model
        model = resolve_model(chosen, fixed.grid.ndim)
    plan = plan_registration(
        moving.grid, fixed.grid, model.header, model.size_multiple
    )
    clock.lap('load')
    with _threads(config.threads), readable_memory_errors(plan.memory_gb):
        report(0.1, 'Resampling')
        grid = network_grid(
            fixed.grid, model.header.preprocessing, model.size_multiple
        )
        pair = prepare(moving, fixed, grid)
        clock.lap('prepare')
        with report.watching(model.modules().values()):
            estimate = _estimate(model, pair, target, config, report)
        clock.lap('network')
        report(0.85, 'Returning to the native grid')
        result = _to_native(estimate, pair, moving, fixed)
        clock.lap('native')
    report(1.0, 'Done')
    return RegistrationResult(
        **result,
        config=config,
        model_name=model.header.name,
        device=str(target),
        timings=clock.laps,
        notes=plan.sentences,
    )


@dataclass(frozen=True, eq=False)
class _Estimate:
    """Field and maps on the network grid."""

    field: Tensor
    inverse: Tensor | None
    maps: dict[str, Tensor]


def _estimate(
    model: Model,
    pair: NetworkPair,
    device: torch.device,
    config: RunConfig,
    report: Reporter,
) -> _Estimate:
    layout = (
        torch.channels_last
        if pair.grid.ndim == 2
        else torch.channels_last_3d
    )
    for module in model.modules().values():
        module.to(device=device, memory_format=layout)  # type: ignore[call-overload]
    moving = pair.moving.to(device)
    fixed = pair.fixed.to(device)
    report(0.2, 'Estimating the displacement')
    with torch.inference_mode():
        motion: Motion = model.displacement(moving, fixed)
    if config.refine_steps:
        motion = refine(
            model, motion, moving, fixed, config.refine_steps, report
        )
    report(0.6, 'Computing the maps')
    with torch.inference_mode():
        maps = _maps(model, moving, fixed, motion)
    inverse = None if motion.inverse is None else motion.inverse.cpu()
    return _Estimate(motion.displacement.cpu(), inverse, maps)


def _maps(
    model: Model, moving: Tensor, fixed: Tensor, motion: Motion
) -> dict[str, Tensor]:
    direction = Direction(fixed, operators.warp(moving, motion.displacement))
    maps: dict[str, Tensor] = {}
    for name, scheme in companion_schemes(model).items():
        output = model.auxiliaries[name](fixed, direction.warped)
        shown = scheme.maps(direction, output)
        if scheme is not model.scheme:
            # Only the scheme the model was trained with has a say in how
            # much a residual counted.
            shown.pop('weight', None)
        maps.update({k: v.cpu() for k, v in shown.items()})
    return maps


def _to_native(
    estimate: _Estimate,
    pair: NetworkPair,
    moving: ImageOnGrid,
    fixed: ImageOnGrid,
) -> dict[str, object]:
    inverse = estimate.inverse
    on_network = DisplacementField(
        estimate.field[0].numpy(),
        pair.grid,
        inverse_voxels=None if inverse is None else inverse[0].numpy(),
    )
    native = on_network.to_grid(fixed.grid)
    same = moving.grid.same_space(fixed.grid)
    field = DisplacementField(
        native.voxels,
        fixed.grid,
        None if same else moving.grid,
        native.inverse_voxels,
    )
    warped = field.warp_image(moving.data)
    maps: dict[str, FloatMap | None] = dict.fromkeys(
        ('score', 'variance', 'weight')
    )
    for name, values in estimate.maps.items():
        maps[name] = _map_to(values, pair.grid, fixed.grid)
    return {
        'field': field,
        'warped': warped,
        'residual': _residual(fixed.data, moving.data, warped),
        **maps,
    }


def _map_to(values: Tensor, source: Grid, target: Grid) -> FloatMap:
    from napari_adacs.registration.preprocess import resample

    if source.same_space(target):
        return values[0, 0].numpy()
    out: FloatMap = resample(values[0, 0].numpy(), source, target)[0, 0].numpy()
    return out


def _residual(
    fixed: NDArray[np.generic],
    moving: NDArray[np.generic],
    warped: FloatMap,
) -> FloatMap:
    def unit(values: NDArray[np.generic], like: NDArray[np.generic]) -> FloatMap:
        low, high = np.float32(like.min()), np.float32(like.max())
        scaled: FloatMap = (values.astype(np.float32) - low) / (high - low)
        return scaled

    difference: FloatMap = np.abs(unit(fixed, fixed) - unit(warped, moving))
    return difference


class _threads:  # noqa: N801
    """Limit torch's CPU threads for a while."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._before = torch.get_num_threads()

    def __enter__(self) -> None:
        if self._count:
            torch.set_num_threads(self._count)

    def __exit__(self, *_: object) -> None:
        if self._count:
            torch.set_num_threads(self._before)


class _Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Store the time since the last lap under a name."""
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now
