"""Register two images: preprocess, estimate, return to the native grid."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from numpy.typing import ArrayLike

from napari_adacs.models.library import resolve_model
from napari_adacs.models.model import Model
from napari_adacs.registration.backend import available
from napari_adacs.registration.config import Backend, RunConfig
from napari_adacs.registration.device import (
    readable_memory_errors,
    resolve_device,
)
from napari_adacs.registration.estimate import Estimate, estimate
from napari_adacs.registration.inputs import (
    ImageOnGrid,
    check_pair,
    checked,
    checked_emphasis,
    image_on_grid,
)
from napari_adacs.registration.native import (
    native_field,
    native_map,
    residual,
)
from napari_adacs.registration.plan import plan_registration
from napari_adacs.registration.preprocess import network_grid, prepare
from napari_adacs.registration.progress import Cancel, Progress, Reporter
from napari_adacs.registration.result import RegistrationResult
from napari_adacs.registration.threads import limited_threads
from napari_adacs.spatial.grid import Grid


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
    backend: Backend = 'auto',
    eta: float | None = None,
    emphasis: ArrayLike | None = None,
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
        CPU threads; 0 takes one per core, or a single one while other
        programs keep every core busy.
    backend : {'auto', 'plain', 'openvino'}, default: 'auto'
        What computes the networks: the fastest that torch has, the modules
        as they are, or OpenVINO, an optional package.
    eta : float, optional
        Scale of the score of a DiffuseMorph model; the model's own, mostly
        1, if omitted.
    emphasis : (*fixed.shape) array_like, optional
        Where refining should try harder: residual weights are multiplied
        by ``1 + emphasis``. 0 or more; needs `refine_steps`.
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
    given = model if isinstance(model, Model) else None
    name = given.header.name if given else str(model)
    config = RunConfig(name, device, refine_steps, threads, backend, eta)
    moving_spacing = spacing if moving_spacing is None else moving_spacing
    return register_on_grids(
        image_on_grid(moving, 'moving', moving_spacing),
        image_on_grid(fixed, 'fixed', spacing),
        config,
        model=given,
        emphasis=emphasis,
        progress=progress,
        cancel=cancel,
    )


def register_on_grids(
    moving: ImageOnGrid,
    fixed: ImageOnGrid,
    config: RunConfig,
    *,
    model: Model | None = None,
    emphasis: ArrayLike | None = None,
    progress: Progress | None = None,
    cancel: Cancel = None,
) -> RegistrationResult:
    """Register two images whose grids are known; see `register`.

    Parameters
    ----------
    moving, fixed : ImageOnGrid
        Images with their geometry.
    config : RunConfig
        Model, device and settings.
    model : Model, optional
        A model in memory, instead of the one `config` names.
    emphasis, progress, cancel
        As in `register`.
    """
    report = Reporter(progress, cancel)
    clock = _Clock()
    report(0.0, 'Checking the images')
    checked(moving)
    checked(fixed)
    check_pair(moving, fixed)
    marked = checked_emphasis(emphasis, fixed.grid, config.refine_steps)
    target = resolve_device(config.device)
    report(0.05, 'Loading the model')
    if model is None:
        model = resolve_model(config.model, fixed.grid.ndim)
    plan = plan_registration(
        moving.grid, fixed.grid, model.header, model.size_multiple
    )
    clock.lap('load')
    with (
        limited_threads(config.threads),
        readable_memory_errors(plan.memory_gb),
    ):
        report(0.1, 'Resampling')
        grid = network_grid(
            fixed, model.header.preprocessing, model.size_multiple
        )
        pair = prepare(moving, fixed, grid, marked)
        clock.lap('prepare')
        with report.watching(model.modules().values()):
            backend, remarks = available(config.backend)
            found = estimate(
                model, pair, target, replace(config, backend=backend), report
            )
        clock.lap('network')
        report(0.85, 'Returning to the native grid')
        place = _Place(moving, fixed, grid, config, model.header.name, target)
        result = place.result(found, (*plan.sentences, *remarks), clock)
    report(1.0, 'Done')
    return result


@dataclass(frozen=True, eq=False)
class _Place:
    """Where an estimate belongs, and what it came from."""

    moving: ImageOnGrid
    fixed: ImageOnGrid
    network: Grid
    config: RunConfig
    model_name: str
    device: torch.device

    def result(
        self, found: Estimate, notes: tuple[str, ...], clock: _Clock
    ) -> RegistrationResult:
        """Bring an estimate to the native grid."""
        moving, fixed = self.moving, self.fixed
        field = native_field(found, self.network, moving.grid, fixed.grid)
        warped = field.warp_image(moving.data)
        maps = {
            name: native_map(values, self.network, fixed.grid)
            for name, values in found.maps.items()
        }
        difference = residual(fixed, moving, warped)
        clock.lap('native')
        again = found.again
        return RegistrationResult(
            field,
            warped,
            difference,
            maps.get('score'),
            maps.get('variance'),
            maps.get('weight'),
            config=self.config,
            model_name=self.model_name,
            device=str(self.device),
            timings=clock.laps,
            notes=notes,
            displacement_sd=maps.get('displacement_sd'),
            with_eta=None if again is None else partial(self.rescaled, again),
        )

    def rescaled(
        self, again: Callable[[float], Estimate], eta: float
    ) -> RegistrationResult:
        """Register with another eta, running the field network alone."""
        config = replace(self.config, eta=eta, refine_steps=0)
        clock = _Clock()
        with limited_threads(config.threads):
            found = again(eta)
            clock.lap('network')
            place = replace(self, config=config)
            return place.result(found, (), clock)


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
