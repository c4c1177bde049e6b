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
from napari_adacs.app.layers import layer_kwargs
from napari_adacs.app.looks import looks_of
from napari_adacs.app.reproduce import (
    Painted,
    Source,
    command_line,
    python_lines,
    source_of,
)
from napari_adacs.app.request import Preflight, Request, preflight
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.session import LayerRef, Run
from napari_adacs.models.library import AUTOMATIC
from napari_adacs.registration.progress import Progress

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_adacs.app.chosen import Chosen
    from napari_adacs.app.perform import Finished
    from napari_adacs.registration.preview import Preview
    from napari_adacs.registration.result import RegistrationResult


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

    def run(
        self,
        progress: Progress,
        cancel: Event,
        preview: Preview | None = None,
    ) -> Finished:
        """Carry the registration out, in a worker; see `perform`."""
        # What computes is loaded by the worker, not by the open dock.
        from napari_adacs.app.perform import perform

        finished = perform(
            self.request, self.ready, progress, cancel, self.earlier, preview
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
    config = replace(
        request.config, model=_exact(chosen.model, ready), eta=chosen.eta
    )
    sources = _sources(chosen)
    lines = (
        sources['moving'],
        sources['fixed'],
        config,
        sources.get('moving_labels'),
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
        command_line(*lines, painted),
        python_lines(*lines, painted),
        sources,
        chosen.version,
    )


def _exact(model: str, ready: Preflight) -> str:
    """Return a name that means the same tomorrow, unlike 'auto'."""
    return ready.entry.name if model == AUTOMATIC else model


def _sources(chosen: Chosen) -> dict[str, Source]:
    found = {
        'moving': source_of(chosen.moving, chosen.moving_frame),
        'fixed': source_of(chosen.fixed, chosen.fixed_frame),
    }
    if chosen.labels is not None:
        labels = source_of(chosen.labels, chosen.labels_frame)
        found['moving_labels'] = labels
    return found


def _reference(layer: Layer, frame: int | None) -> LayerRef:
    return LayerRef(str(layer.unique_id), layer.name, frame)
