"""Carry out a request, in a worker thread."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.emphasis import painted_emphasis
from napari_adacs.app.label_evaluation import check_labels, onto_moving
from napari_adacs.app.layer_specs import Figures, LayerSpec, layer_specs
from napari_adacs.app.request import Preflight, Region, Request
from napari_adacs.app.result_files import describe_model
from napari_adacs.app.torch_start import preload_torch, torch_is_loaded
from napari_adacs.io.record import RunRecord, describe_array
from napari_adacs.registration.inputs import ImageOnGrid, checked
from napari_adacs.registration.progress import Progress, Reporter

if TYPE_CHECKING:
    from napari_adacs.registration.preview import Preview
    from napari_adacs.registration.result import RegistrationResult


@dataclass(frozen=True, eq=False)
class Finished:
    """A registration and its layers to be.

    Parameters
    ----------
    result : RegistrationResult
        What came out.
    specs : tuple of LayerSpec
        Layers to show.
    figures : Figures
        Numbers for the result line.
    record : dict
        Run record, JSON-able.
    seconds : float
        From start to end.
    """

    result: RegistrationResult
    specs: tuple[LayerSpec, ...]
    figures: Figures
    record: dict[str, Any]
    seconds: float


def perform(
    request: Request,
    ready: Preflight,
    progress: Progress,
    cancel: Event,
    earlier: RegistrationResult | None = None,
    preview: Preview | None = None,
) -> Finished:
    """Read the voxels, register, and prepare the layers.

    Parameters
    ----------
    request : Request
        What to register.
    ready : Preflight
        What `preflight` said to it.
    progress : callable
        Called with (fraction, message).
    cancel : threading.Event
        Set to stop; while refining, that keeps the field so far.
    earlier : RegistrationResult, optional
        Of the same pair by a DiffuseMorph model: only its field network
        runs again, with the eta of the request.
    preview : callable, optional
        Takes snapshots while refining.

    Raises
    ------
    InputError, ModelError, DeviceError
        If an image, the model or the device does not do.
    CancelledError
        If `cancel` was set.
    """
    started = time.perf_counter()
    report = Reporter(progress, cancel)
    report(0.0, 'Reading the images')
    inputs = _load(request)
    if not torch_is_loaded():
        report(0.0, 'Starting torch')
        preload_torch()
    try:
        result = _result(request, inputs, earlier, progress, cancel, preview)
        report(0.9, 'Preparing the layers')
        warped = _warped_labels(result, inputs.get('moving labels'))
        specs, figures = layer_specs(result, warped)
        report.check()
    finally:
        _free_device_memory()
    record = _record(result, inputs, request, ready)
    record['notes'].append(f'{figures}.')
    if request.region is not None:
        painted = int(np.count_nonzero(inputs['emphasis'].data))
        record['notes'].append(_region_note(request.region, painted))
    seconds = time.perf_counter() - started
    return Finished(result, specs, figures, record, seconds)


def _result(
    request: Request,
    inputs: Mapping[str, ImageOnGrid],
    earlier: RegistrationResult | None,
    progress: Progress,
    cancel: Event,
    preview: Preview | None,
) -> RegistrationResult:
    from napari_adacs.registration.register import register_on_grids

    eta = request.config.eta
    if earlier is not None and earlier.with_eta and eta is not None:
        progress(0.2, 'Estimating the displacement')
        return earlier.with_eta(eta)
    return register_on_grids(
        inputs['moving'],
        inputs['fixed'],
        request.config,
        emphasis=_emphasis(request, inputs),
        progress=progress,
        cancel=cancel,
        preview=preview,
    )


def _region_note(region: Region, painted: int) -> str:
    return (
        f'Refined with residuals counting {1 + region.strength:g} times in '
        f'{painted} painted voxels.'
    )


def _load(request: Request) -> dict[str, ImageOnGrid]:
    loaded = {
        image.name: checked(image.load())
        for image in (request.moving, request.fixed)
    }
    if request.labels is not None:
        labels = request.labels
        loaded[labels.name] = check_labels(labels.load())
    if request.region is not None:
        loaded['emphasis'] = request.region.mask.load()
    return loaded


def _warped_labels(
    result: RegistrationResult, labels: ImageOnGrid | None
) -> NDArray[Any] | None:
    if labels is None:
        return None
    return onto_moving(result.field, labels).warp_labels(labels.data)


def _emphasis(
    request: Request, inputs: Mapping[str, ImageOnGrid]
) -> NDArray[np.float32] | None:
    if request.region is None:
        return None
    return painted_emphasis(
        inputs['emphasis'], request.fixed.grid, request.region.strength
    )


def _record(
    result: RegistrationResult,
    inputs: Mapping[str, ImageOnGrid],
    request: Request,
    ready: Preflight,
) -> dict[str, Any]:
    return RunRecord(
        task='register',
        config=request.config.to_dict(),
        inputs=_described(inputs, request),
        model=describe_model(ready.entry),
        device=result.device,
        timings_s={k: round(v, 4) for k, v in result.timings.items()},
        notes=(*ready.choice.notes, *result.notes),
    ).to_dict()


def _described(
    inputs: Mapping[str, ImageOnGrid], request: Request
) -> dict[str, object]:
    frames = {
        image.name: image.frame
        for image in (request.moving, request.fixed, request.labels)
        if image is not None
    }
    described: dict[str, object] = {
        name.replace(' ', '_'): {
            **describe_array(image.data, image.grid, name),
            'frame': frames.get(name),
        }
        for name, image in inputs.items()
    }
    if request.region is not None:
        emphasis = describe_array(
            inputs['emphasis'].data, inputs['emphasis'].grid, 'emphasis'
        )
        strength = request.region.strength
        described['emphasis'] = {**emphasis, 'strength': strength}
    return described


def _free_device_memory() -> None:
    torch = sys.modules['torch']
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
