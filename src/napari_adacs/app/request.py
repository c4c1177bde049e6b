"""A registration of layers, before it runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]

from napari_adacs.app.about_layer import glimpse, look
from napari_adacs.app.layers import LayerImage
from napari_adacs.app.settings import compute_settings
from napari_adacs.errors import InputError
from napari_adacs.models.library import AUTOMATIC, ModelEntry, find_model
from napari_adacs.registration.choice import ModelChoice, choose_as_seen
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.inputs import ImageOnGrid, check_pair
from napari_adacs.registration.plan import Plan, plan_registration


@dataclass(frozen=True, eq=False)
class Region:
    """Where refining tries harder.

    Parameters
    ----------
    mask : LayerImage
        Painted voxels are not zero; anywhere in the world of the images.
    strength : float
        Residuals in the region count ``1 + strength`` times.
    layer : str, default: ''
        Name of the layer it is painted in.
    """

    mask: LayerImage
    strength: float = 10.0
    layer: str = ''


@dataclass(frozen=True, eq=False)
class Request:
    """What to register, and how.

    Parameters
    ----------
    moving, fixed : LayerImage
        The images, not yet in memory.
    config : RunConfig
        The settings.
    labels : LayerImage, optional
        Labels of the moving image, to be warped along.
    region : Region, optional
        Where refining tries harder.
    memory_cap_gb : float, default: 0.0
        Refuse what needs more; 0 for what is free.
    """

    moving: LayerImage
    fixed: LayerImage
    config: RunConfig
    labels: LayerImage | None = None
    memory_cap_gb: float = 0.0
    region: Region | None = None


@dataclass(frozen=True, eq=False)
class Preflight:
    """What a request will do.

    Parameters
    ----------
    choice : ModelChoice
        The model, 'auto' resolved, and why.
    plan : Plan
        Grids and memory.
    unseen : tuple of LayerImage
        Images that a look at may change the choice: nobody has read them.
    """

    choice: ModelChoice
    plan: Plan
    unseen: tuple[LayerImage, ...] = ()

    def look(self) -> None:
        """Look at what nobody has read; in a worker."""
        for image in self.unseen:
            look(image)

    @property
    def entry(self) -> ModelEntry:
        """The model."""
        return self.choice.entry

    @property
    def sentences(self) -> tuple[str, ...]:
        """The same in words."""
        return (self.choice.sentence, *self.plan.sentences)


def make_request(
    moving: LayerImage,
    fixed: LayerImage,
    labels: LayerImage | None = None,
    *,
    region: Region | None = None,
    **chosen: Any,
) -> Request:
    """Return a request with the preferences filled in.

    Parameters
    ----------
    moving, fixed, labels, region
        As in `Request`.
    **chosen
        Settings of the `RunConfig` that a person has chosen.
    """
    settings = compute_settings()
    config = RunConfig(
        threads=settings.threads, backend=settings.backend, **chosen
    )
    return Request(
        moving, fixed, config, labels, settings.memory_cap_gb, region
    )


def preflight(request: Request) -> Preflight:
    """Find out what can be known without reading files or loading torch.

    Raises
    ------
    InputError
        If the images, their places or the memory do not do.
    ModelError
        If there is no such model, or it is for other images.
    """
    moving, fixed = request.moving, request.fixed
    if moving.source is fixed.source and moving.frame == fixed.frame:
        raise InputError(
            'Moving and fixed are the same image.',
            'Choose two layers, or two frames.',
        )
    places = [_place(image) for image in (moving, fixed)]
    _check_units(moving, fixed)
    check_pair(*places)
    if request.labels is not None:
        # SciPy comes with it, which is felt when a dock opens.
        from napari_adacs.app.label_evaluation import check_place

        labels = _place(request.labels)
        check_place(labels, replace(places[0], name='moving image'))
    choice, unseen = _choice(request)
    plan = plan_registration(
        moving.grid, fixed.grid, choice.entry.header, config=request.config
    )
    _check_memory(plan, request)
    return Preflight(choice, plan, unseen)


def _choice(
    request: Request,
) -> tuple[ModelChoice, tuple[LayerImage, ...]]:
    """Return the model, and what was not looked at to choose it."""
    model, ndim = request.config.model, request.fixed.grid.ndim
    if model != AUTOMATIC:
        return ModelChoice(find_model(model, ndim)), ()
    images = (request.moving, request.fixed)
    moving, fixed = (glimpse(image) for image in images)
    unseen = tuple(
        image
        for image, known in zip(images, (moving, fixed), strict=True)
        if known.sector is None
    )
    return choose_as_seen(moving, fixed, request.fixed.grid), unseen


def _place(image: LayerImage) -> ImageOnGrid:
    """Return the image as far as it can be known without its voxels."""
    if min(image.grid.shape) < 2:
        raise InputError(
            f'The {image.name} image has an axis of one voxel (shape '
            f'{image.grid.shape}).',
            'Choose a 2D image or a full volume.',
        )
    return ImageOnGrid(image.source, image.grid, image.name)


def _check_units(moving: LayerImage, fixed: LayerImage) -> None:
    units = {moving.grid.units, fixed.grid.units}
    if moving.grid.ndim == fixed.grid.ndim and len(units) == 2:
        unknown = moving if moving.grid.units == 'voxel' else fixed
        raise InputError(
            f'The {unknown.name} layer has no physical units, the other is '
            'in mm.',
            'Set scale and units of its layer, or open both in the same way.',
        )


def _check_memory(plan: Plan, request: Request) -> None:
    cap = request.memory_cap_gb
    if cap and plan.memory_gb > cap:
        raise InputError(
            f'This pair needs about {plan.memory_gb:.1f} GB, more than the '
            f'memory cap of {cap:g} GB in the preferences.',
            'Crop or resample the images, or raise the cap.',
        )
    if request.config.device.startswith('cuda'):
        return
    free = psutil.virtual_memory().available / 1e9
    if plan.memory_gb > free:
        raise InputError(
            f'This pair needs about {plan.memory_gb:.1f} GB, and only '
            f'{free:.1f} GB are free.',
            'Crop or resample the images, or close other programs.',
        )
