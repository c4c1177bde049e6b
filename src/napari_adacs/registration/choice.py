"""Which model registers a pair, and why (no torch)."""

from __future__ import annotations

from dataclasses import dataclass

from napari_adacs.models.library import AUTOMATIC, ModelEntry, find_model
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.recognise import (
    CINE,
    GENERAL,
    Kind,
    Seen,
    recognise,
    seen,
)
from napari_adacs.spatial.grid import Grid
from napari_adacs.spatial.stack import slice_axis


@dataclass(frozen=True)
class ModelChoice:
    """A model, and how it was chosen.

    Parameters
    ----------
    entry : ModelEntry
        The model.
    why : str
        Why it was chosen for these images; empty if a person did.
    """

    entry: ModelEntry
    why: str = ''

    @property
    def sentence(self) -> str:
        """Which model it is, and why."""
        header = self.entry.header
        domain = f', made for {header.domain}' if header.domain else ''
        why = f': {self.why}' if self.why else ''
        return f'Model {header.name}{domain}{why}.'

    @property
    def notes(self) -> tuple[str, ...]:
        """What a result should tell of the choice: nothing if it was none."""
        return (self.sentence,) if self.why else ()


def choose_for(
    name: str, moving: ImageOnGrid, fixed: ImageOnGrid
) -> ModelChoice:
    """Find the model for two images.

    Parameters
    ----------
    name : str
        'auto', or what a person has chosen, which is taken as it is.
    moving, fixed : ImageOnGrid
        The images.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    if name != AUTOMATIC:
        return ModelChoice(find_model(name, fixed.grid.ndim))
    return choose_as_seen(seen(moving), seen(fixed), fixed.grid)


def choose_as_seen(moving: Seen, fixed: Seen, grid: Grid) -> ModelChoice:
    """Choose by what is known of the images.

    Parameters
    ----------
    moving, fixed : Seen
        What their files and looks say.
    grid : Grid
        Of the fixed image. The slices of a stack are too far apart for a 3D
        model; where there is none for this kind, a 2D model takes them one
        by one.

    Raises
    ------
    ModelError
        If there is no model for so many axes.
    """
    kind = recognise(moving, fixed)
    entry = find_model(AUTOMATIC, grid.ndim, kind.name)
    # A general 3D network needs what lies between the slices, as any other.
    suited = kind.name != GENERAL and entry.is_for(kind.name)
    if slice_axis(grid) is not None and not suited:
        entry = _for_slices(kind) or entry
    return ModelChoice(entry, _why(kind, entry, grid))


def _for_slices(kind: Kind) -> ModelEntry | None:
    """Return a 2D model for the slices of a stack, if one is known."""
    # Hardly anything but cine MRI comes with slices that far apart.
    words = (CINE, GENERAL) if kind.name == GENERAL else (kind.name,)
    for word in words:
        entry = find_model(AUTOMATIC, 2, word)
        if entry.is_for(word):
            return entry
    return None


def _why(kind: Kind, entry: ModelEntry, grid: Grid) -> str:
    by_slice = ''
    if entry.header.ndim < grid.ndim:
        by_slice = '; its slices are far apart and taken one by one'
    if entry.is_for(kind.name) or by_slice:
        return kind.why + by_slice
    axes = f'{entry.header.ndim}D'
    if kind.name == GENERAL:
        return f'{kind.why}, and no general {axes} model is here'
    return f'{kind.why}, and no {axes} model for {kind.name} is here'
