"""Which model registers a pair, and why (no torch)."""

from __future__ import annotations

from dataclasses import dataclass

from napari_adacs.models.library import AUTOMATIC, ModelEntry, find_model
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.recognise import Kind, Seen, recognise, seen


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
    return choose_as_seen(seen(moving), seen(fixed), fixed.grid.ndim)


def choose_as_seen(moving: Seen, fixed: Seen, ndim: int) -> ModelChoice:
    """Choose by what is known of the images.

    Raises
    ------
    ModelError
        If there is no model for so many axes.
    """
    kind = recognise(moving, fixed)
    entry = find_model(AUTOMATIC, ndim, kind.name)
    return ModelChoice(entry, _why(kind, entry))


def _why(kind: Kind, entry: ModelEntry) -> str:
    if entry.is_for(kind.name):
        return kind.why
    axes = f'{entry.header.ndim}D'
    if kind.name == 'general':
        return f'{kind.why}, and no general {axes} model is here'
    return f'{kind.why}, and no {axes} model for {kind.name} is here'
