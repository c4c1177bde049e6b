"""What training can start from."""

from __future__ import annotations

from collections.abc import Iterable

from napari_adacs.app.choices import Choice, model_choices
from napari_adacs.app.finetune.wishes import SCRATCH, can_be_trained
from napari_adacs.errors import ModelError
from napari_adacs.models.header import FROM_ZERO, ModelHeader
from napari_adacs.models.library import find_model
from napari_adacs.networks.described import described_networks

_FIRST = 'voxelmorph'


def start_choices(ndim: int | None, files: Iterable[str]) -> list[Choice]:
    """Return models for images with a number of axes, scratch last.

    Parameters
    ----------
    ndim : int or None
        Number of axes; None lists all models.
    files : iterable of str
        Bundles that were chosen by hand.
    """
    models = [
        choice
        for choice in model_choices(ndim, files)
        if choice.value != 'auto' and _learns(choice.value)
    ]
    scratch = Choice(
        SCRATCH,
        'from scratch',
        'A network that knows nothing: for many pairs and much time.',
        'New network',
    )
    return [*models, scratch]


def network_choices() -> list[Choice]:
    """Return the architectures of a start from scratch, the usual first."""
    found = [
        Choice(text.name, text.name, f'{text.summary}.')
        for text in described_networks()
        if text.name != FROM_ZERO
    ]
    return sorted(found, key=lambda choice: choice.value != _FIRST)


def _learns(value: str) -> bool:
    try:
        return can_be_trained(find_model(value).header)
    except ModelError:
        return False


def header_of(value: str) -> ModelHeader | None:
    """Return the model that a choice stands for; None for scratch."""
    if value == SCRATCH:
        return None
    try:
        return find_model(value).header
    except ModelError:
        return None
