"""Register two images: preprocess, estimate, return to the native grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from numpy.typing import ArrayLike

from napari_adacs.models.library import load_entry
from napari_adacs.models.model import Model
from napari_adacs.registration.backend import available
from napari_adacs.registration.choice import choose_for
from napari_adacs.registration.clock import Clock
from napari_adacs.registration.config import (
    Backend,
    Refining,
    RunConfig,
    Similarity,
)
from napari_adacs.registration.device import (
    readable_memory_errors,
    resolve_device,
)
from napari_adacs.registration.estimate import Networks
from napari_adacs.registration.inputs import (
    ImageOnGrid,
    check_pair,
    checked,
    checked_emphasis,
    image_on_grid,
)
from napari_adacs.registration.plan import completed, plan_registration
from napari_adacs.registration.preprocess import network_grid, prepare
from napari_adacs.registration.preview import Preview, Previewer
from napari_adacs.registration.progress import Cancel, Progress, Reporter
from napari_adacs.registration.result import RegistrationResult
from napari_adacs.registration.slices import SliceNetworks
from napari_adacs.registration.stages import Stages
from napari_adacs.registration.threads import limited_threads


def register(
    moving: object,
    fixed: object,
    model: str | Path | Model = 'auto',
    *,
    spacing: float | Sequence[float] | None = None,
    moving_spacing: float | Sequence[float] | None = None,
    device: str = 'auto',
    refine_steps: int = 0,
    refine: Refining = 'field',
    refine_similarity: Similarity = 'lncc',
    refine_smoothness: float = 1.0,
    refine_prior: float | None = None,
    threads: int = 0,
    backend: Backend = 'auto',
    eta: float | None = None,
    emphasis: ArrayLike | None = None,
    progress: Progress | None = None,
    cancel: Cancel = None,
    preview: Preview | None = None,
) -> RegistrationResult:
    """Register a moving image to a fixed image.

    Parameters
    ----------
    moving, fixed : array_like or nibabel image, 2D or 3D
        Images; a nibabel image brings its own geometry. Neither is changed.
    model : str, Path or Model, default: 'auto'
        Bundled name, path of a bundle, a loaded model, 'auto' for the best
        bundled model for these images, or 'none' to fit a field from zero.
    spacing : float or sequence of float, optional
        Voxel size in array axis order, of both images; 1 voxel if omitted.
    moving_spacing : float or sequence of float, optional
        Voxel size of the moving image where it differs.
    device : str, default: 'auto'
        'auto', 'cpu', 'cuda', 'cuda:N' or 'mps'.
    refine_steps : int, default: 0
        Steps of instance optimisation after the model's estimate: of each
        resolution for 'field', in all for 'network'. With the model
        'none', 0 stands for a sensible number.
    refine : {'field', 'network'}, default: 'field'
        Whether refining moves a free displacement field, or trains a copy
        of the displacement estimator on this pair.
    refine_similarity : {'lncc', 'mse'}, default: 'lncc'
        What refining compares, weighted by the model's scheme.
    refine_smoothness : float, default: 1.0
        Multiplies the default smoothness of refining.
    refine_prior : float, optional
        How much refining a field holds on to the model's estimate: weight
        of the distance to it, in units of the mean structure of the images.
        The model's own if omitted, 0 for most.
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
        Set, or returning True, to stop. While refining, that keeps the
        field so far.
    preview : callable, optional
        Called with a `Snapshot` now and then while refining.

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
    config = RunConfig(
        name,
        device,
        refine_steps,
        threads,
        backend,
        eta,
        refine,
        refine_similarity,
        refine_smoothness,
        refine_prior=refine_prior,
    )
    moving_spacing = spacing if moving_spacing is None else moving_spacing
    return register_on_grids(
        image_on_grid(moving, 'moving', moving_spacing),
        image_on_grid(fixed, 'fixed', spacing),
        config,
        model=given,
        emphasis=emphasis,
        progress=progress,
        cancel=cancel,
        preview=preview,
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
    preview: Preview | None = None,
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
    emphasis, progress, cancel, preview
        As in `register`.
    """
    report = Reporter(progress, cancel)
    clock = Clock()
    report(0.0, 'Checking the images')
    checked(moving)
    checked(fixed)
    check_pair(moving, fixed)
    target = resolve_device(config.device)
    report(0.05, 'Loading the model')
    why: tuple[str, ...] = ()
    if model is None:
        choice = choose_for(config.model, moving, fixed)
        why = choice.notes
        model = load_entry(choice.entry)
    config = completed(config, model.header)
    marked = checked_emphasis(emphasis, fixed.grid, config.refine_steps)
    plan = plan_registration(
        moving.grid, fixed.grid, model.header, model.size_multiple, config
    )
    clock.lap('load')
    with (
        limited_threads(config.threads),
        readable_memory_errors(plan.memory_gb),
    ):
        report(0.1, 'Resampling')
        grid = network_grid(
            fixed,
            model.header.preprocessing,
            model.size_multiple,
            model.header.ndim,
        )
        pair = prepare(moving, fixed, grid, marked)
        clock.lap('prepare')
        stacked = model.header.ndim < grid.ndim
        networks = SliceNetworks if stacked else Networks
        with report.watching(model.modules().values()):
            backend, remarks = available(config.backend)
            result = Stages(
                moving,
                fixed,
                networks(model, pair, target, backend),
                config,
                report,
                Previewer(preview, moving),
                clock,
                (*why, *plan.sentences, *remarks),
            ).run()
    report(1.0, 'Done')
    return result
