"""The registrations of this session, by the group of their layers.

Layers carry plain metadata; the field itself is here, for the docks and
writers that need more than pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_adacs.app.result_layers import groups_in, tag

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_adacs.registration.result import RegistrationResult


@dataclass(frozen=True)
class LayerRef:
    """A layer and a frame of it, without keeping the layer alive.

    Parameters
    ----------
    layer_id : str
        Its `unique_id`, as text.
    name : str
        Its name at the time.
    frame : int or None
        Frame of a sequence.
    """

    layer_id: str
    name: str
    frame: int | None = None

    def __str__(self) -> str:
        return (
            self.name if self.frame is None else f'{self.name}[{self.frame}]'
        )

    def same(self, other: LayerRef) -> bool:
        """Whether both are the same frame of a layer, whatever its name."""
        return (self.layer_id, self.frame) == (other.layer_id, other.frame)

    def find(self, viewer: ViewerModel) -> Layer | None:
        """Return the layer if the viewer still has it."""
        for layer in viewer.layers:
            if str(layer.unique_id) == self.layer_id:
                return layer
        return None


@dataclass(frozen=True, eq=False)
class Run:
    """A finished registration of two layers.

    Parameters
    ----------
    group_id : str
        Group of its result layers.
    title : str
        First part of their names: 'moving → fixed [model]'.
    moving, fixed : LayerRef
        What was registered.
    result : RegistrationResult
        The field and all that came with it.
    labels : LayerRef, optional
        Moving labels that were warped with it.
    record : mapping
        Run record, JSON-able.
    folder : Path, optional
        Where it is saved.
    field_digest : str, default: ''
        SHA-256 of the displacement in the file it was read from.
    version : int, default: 1
        Which attempt at this pair and model; later ones refine.
    """

    group_id: str
    title: str
    moving: LayerRef
    fixed: LayerRef
    result: RegistrationResult
    labels: LayerRef | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    field_digest: str = ''
    version: int = 1


def group_id(
    moving: LayerRef, fixed: LayerRef, model: str, version: int = 1
) -> str:
    """Return the group of a registration: the same pair and model, always."""
    sides = [f'{x.layer_id}@{x.frame}' for x in (moving, fixed)]
    versions = [] if version == 1 else [f'v{version}']
    return '>'.join([*sides, model, *versions])


# Oldest first. A run is kept until its layers are removed.
_RUNS: dict[str, Run] = {}
_LISTENERS: list[Callable[[Run], None]] = []


def remember(run: Run) -> None:
    """Keep a run; an earlier one of the same group is replaced."""
    _RUNS.pop(run.group_id, None)
    _RUNS[run.group_id] = run
    for listener in list(_LISTENERS):
        listener(run)


def listen(listener: Callable[[Run], None]) -> None:
    """Call a function with every run that is remembered from now on."""
    _LISTENERS.append(listener)


def unlisten(listener: Callable[[Run], None]) -> None:
    """Call it no more."""
    if listener in _LISTENERS:
        _LISTENERS.remove(listener)


def recall(group: str) -> Run | None:
    """Return the run of a group, or None."""
    return _RUNS.get(group)


def forget(group: str) -> None:
    """Let go of a run."""
    _RUNS.pop(group, None)


def forget_removed(viewer: ViewerModel, layer: Layer) -> None:
    """Let go of a run when the last of its layers was removed.

    Parameters
    ----------
    viewer : ViewerModel
        Where the layer was.
    layer : Layer
        Any layer that is no longer in the viewer.
    """
    about = tag(layer)
    if about is not None and about['group'] not in groups_in(viewer):
        forget(about['group'])


def runs_in(viewer: ViewerModel) -> list[Run]:
    """Return the runs that have layers in a viewer, newest first."""
    groups = set(groups_in(viewer))
    return [run for key, run in reversed(_RUNS.items()) if key in groups]


def latest(viewer: ViewerModel) -> Run | None:
    """Return the newest run that has a layer in a viewer, or None."""
    runs = runs_in(viewer)
    return runs[0] if runs else None
