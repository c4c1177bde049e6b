"""A registration of two layers, from what is chosen to what is shown.

This is the Register dock without Qt: the dock and scripts go the same way.

    ready = prepare(Chosen(moving, fixed))
    finished = ready.run(progress, cancel)      # in a worker
    for layer in ready.group(viewer).show(finished.specs): ...
    ready.remember(finished)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING, Any

from napari_adacs.app import session
from napari_adacs.app.layer_specs import Role
from napari_adacs.app.layers import image_of, is_sequence, layer_kwargs
from napari_adacs.app.looks import looks_of
from napari_adacs.app.reproduce import (
    Painted,
    Source,
    command_line,
    python_lines,
    source_of,
)
from napari_adacs.app.request import (
    Preflight,
    Region,
    Request,
    make_request,
    preflight,
)
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.session import LayerRef, Run
from napari_adacs.registration.progress import Progress

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

    from napari_adacs.app.perform import Finished
    from napari_adacs.registration.result import RegistrationResult


@dataclass(frozen=True, eq=False)
class Chosen:
    """What a person has chosen.

    Parameters
    ----------
    moving, fixed : Image
        Layers; they may be the same sequence.
    moving_frame, fixed_frame : int, optional
        Frames of sequences.
    labels : Labels, optional
        Labels of the moving image.
    model, device : str, default: 'auto'
        As in `RunConfig`.
    refine_steps : int, default: 0
        As in `RunConfig`.
    region : Region, optional
        Where refining tries harder.
    version : int, default: 1
        Which attempt at this pair and model; each has layers of its own.
    """

    moving: Image
    fixed: Image
    moving_frame: int | None = None
    fixed_frame: int | None = None
    labels: Labels | None = None
    model: str = 'auto'
    device: str = 'auto'
    refine_steps: int = 0
    region: Region | None = None
    version: int = 1

    @property
    def labels_frame(self) -> int | None:
        """Frame of the labels: that of the moving image if they have any."""
        labels = self.labels
        if labels is None or self.moving_frame is None:
            return None
        alike = labels.ndim == self.moving.ndim
        return self.moving_frame if alike or is_sequence(labels) else None

    def request(self) -> Request:
        """Return the request this amounts to.

        Raises
        ------
        InputError
            If a layer cannot be used.
        """
        labels = None
        if self.labels is not None:
            labels = image_of(self.labels, self.labels_frame, 'moving labels')
        return make_request(
            image_of(self.moving, self.moving_frame, 'moving'),
            image_of(self.fixed, self.fixed_frame, 'fixed'),
            labels,
            model=self.model,
            device=self.device,
            refine_steps=self.refine_steps,
            region=self.region,
        )

    def check(self) -> Preflight:
        """Find out what will happen; see `request.preflight`."""
        return preflight(self.request())


@dataclass(frozen=True, eq=False)
class Prepared:
    """A registration that needs its layers no more.

    They may be renamed, moved or deleted while it runs.

    Parameters
    ----------
    request : Request
        What to register; the model is resolved.
    ready : Preflight
        What will happen.
    moving, fixed, labels : LayerRef
        Which layers these were.
    placement : dict
        Where the result belongs: on the fixed image.
    looks : dict
        What result layers take over from the user's.
    command, python : str
        How to repeat the run.
    sources : mapping of str to Source
        Where the images come from, by role.
    version : int, default: 1
        Which attempt this is.
    earlier : RegistrationResult, optional
        What only has to be computed again with another eta.
    """

    request: Request
    ready: Preflight
    moving: LayerRef
    fixed: LayerRef
    labels: LayerRef | None
    placement: Mapping[str, Any]
    looks: Mapping[Role, Mapping[str, Any]]
    command: str
    python: str
    sources: Mapping[str, Source]
    version: int = 1
    earlier: RegistrationResult | None = None

    @property
    def title(self) -> str:
        """First part of the names of the result layers."""
        version = '' if self.version == 1 else f' v{self.version}'
        model = self.ready.entry.name
        return f'{self.moving} → {self.fixed} [{model}]{version}'

    @cached_property
    def group_id(self) -> str:
        """Group of the result layers."""
        return session.group_id(
            self.moving, self.fixed, self.ready.entry.name, self.version
        )

    def run(self, progress: Progress, cancel: Event) -> Finished:
        """Carry the registration out, in a worker; see `perform`."""
        # What computes is loaded by the worker, not by the open dock.
        from napari_adacs.app.perform import perform

        finished = perform(
            self.request, self.ready, progress, cancel, self.earlier
        )
        record = dict(finished.record)
        record |= {'command': self.command, 'python': self.python}
        record['inputs'] = {
            role: {**described, **self._origin(role)}
            for role, described in record['inputs'].items()
        }
        return replace(finished, record=record)

    def with_eta(self, eta: float, earlier: RegistrationResult) -> Prepared:
        """Return the same registration with another eta.

        Parameters
        ----------
        eta : float
            Scale of the score of a DiffuseMorph model.
        earlier : RegistrationResult
            What came out before; its score is used again.
        """
        config = replace(self.request.config, eta=eta, refine_steps=0)
        sources = (
            self.sources['moving'],
            self.sources['fixed'],
            config,
            self.sources.get('moving_labels'),
        )
        return replace(
            self,
            request=replace(self.request, config=config, region=None),
            command=command_line(*sources),
            python=python_lines(*sources),
            earlier=earlier,
        )

    def told(self, finished: Finished) -> str:
        """Say in a sentence what happened."""
        return (
            f'Registered in {finished.seconds:.1f} s on '
            f'{finished.result.device}: {finished.figures}.'
        )

    def _origin(self, role: str) -> dict[str, str]:
        """Return where an input comes from, to find it again."""
        source = self.sources.get(role)
        if source is None:
            return {}
        return {'layer': source.layer, 'path': source.path}

    def group(
        self, viewer: ViewerModel, finished: Finished | None = None
    ) -> ResultGroup:
        """Return the result layers in a viewer, shown or not."""
        return ResultGroup(
            viewer,
            self.group_id,
            self.title,
            self.placement,
            {} if finished is None else finished.record,
            self.looks,
        )

    def remember(self, finished: Finished) -> Run:
        """Keep the result for this session."""
        run = Run(
            self.group_id,
            self.title,
            self.moving,
            self.fixed,
            finished.result,
            self.labels,
            finished.record,
            version=self.version,
        )
        session.remember(run)
        return run


def prepare(chosen: Chosen) -> Prepared:
    """Check a choice and take from its layers all that is needed.

    Raises
    ------
    InputError, ModelError
        If it cannot be registered; see `request.preflight`.
    """
    request = chosen.request()
    ready = preflight(request)
    config = replace(request.config, model=_exact(chosen.model, ready))
    sources = (
        source_of(chosen.moving, chosen.moving_frame),
        source_of(chosen.fixed, chosen.fixed_frame),
        config,
        None
        if chosen.labels is None
        else source_of(chosen.labels, chosen.labels_frame),
    )
    labels = painted = None
    if chosen.labels is not None:
        labels = _reference(chosen.labels, chosen.labels_frame)
    if chosen.region is not None:
        region = Source(chosen.region.layer)
        painted = Painted(region, chosen.region.strength)
    return Prepared(
        replace(request, config=config),
        ready,
        _reference(chosen.moving, chosen.moving_frame),
        _reference(chosen.fixed, chosen.fixed_frame),
        labels,
        layer_kwargs(chosen.fixed, ndim=request.fixed.grid.ndim),
        looks_of(chosen.moving, chosen.labels),
        command_line(*sources, painted),
        python_lines(*sources, painted),
        _by_role(sources),
        chosen.version,
    )


def _exact(model: str, ready: Preflight) -> str:
    """Return a name that means the same tomorrow, unlike 'auto'."""
    return ready.entry.name if model == 'auto' else model


def _by_role(
    sources: tuple[Source, Source, object, Source | None],
) -> dict[str, Source]:
    moving, fixed, _, labels = sources
    found = {'moving': moving, 'fixed': fixed}
    return found if labels is None else {**found, 'moving_labels': labels}


def _reference(layer: Layer, frame: int | None) -> LayerRef:
    return LayerRef(str(layer.unique_id), layer.name, frame)
