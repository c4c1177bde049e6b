"""What the boxes of the docks offer: models and devices."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from napari_adacs.errors import ModelError
from napari_adacs.models.card import model_card
from napari_adacs.models.header import ModelHeader
from napari_adacs.models.library import (
    AUTOMATIC,
    SUFFIX,
    ModelEntry,
    find_model,
    list_models,
)
from napari_adacs.registration.choice import ModelChoice

MODEL_SUFFIX = SUFFIX

# Headings of the model box in their order; kinds as of `ModelEntry.is_for`.
_KINDS = {'echo': 'Echo', 'cine': 'Cine MRI', 'general': 'Any image'}
_OTHER, _YOURS, _FROM_ZERO = 'Other images', 'Your models', 'No network'
_GROUPS = (*_KINDS.values(), _OTHER, _YOURS, _FROM_ZERO)

_NVIDIA = Path('/proc/driver/nvidia/gpus')


@dataclass(frozen=True)
class Choice:
    """An entry of a box.

    Parameters
    ----------
    value : str
        What it stands for in a `RunConfig`.
    text : str
        What the box shows.
    tooltip : str
        What it is.
    group : str
        Heading of the entries that it belongs to.
    """

    value: str
    text: str
    tooltip: str = ''
    group: str = ''


def model_choices(
    ndim: int | None,
    files: Iterable[str] = (),
    automatic: ModelChoice | None = None,
    stacked: bool = False,
) -> list[Choice]:
    """Return the models for images with a number of axes, 'auto' first.

    The others come in groups: what is bundled by the kind of images, what the
    user has brought, and no network at all.

    Parameters
    ----------
    ndim : int or None
        Number of axes; None lists all models.
    files : iterable of str
        Bundles that were chosen by hand; unreadable ones are left out.
    automatic : ModelChoice, optional
        What 'auto' is for the present images.
    stacked : bool, default: False
        Whether the images are stacks, whose slices a 2D model can take one
        by one.
    """
    entries = list_models(ndim)
    if stacked:
        entries += [e for e in list_models(2) if not e.from_zero]
    fitting = {ndim, 2} if stacked else {ndim}
    choices = [_choice(entry, entry.name) for entry in entries]
    for file in files:
        try:
            entry = find_model(file)
        except ModelError:
            continue
        if ndim is None or entry.header.ndim in fitting:
            choices.append(_choice(entry, file))
    choices.sort(key=lambda choice: _GROUPS.index(choice.group))
    return [automatic_choice(ndim, automatic), *choices]


def model_in_file(path: str) -> tuple[str, int]:
    """Return the name of the model in a bundle, and its number of axes.

    Raises
    ------
    ModelError
        If the file is no bundle.
    """
    header = find_model(path).header
    return header.name, header.ndim


def card_of(
    model: str, ndim: int | None, automatic: ModelChoice | None = None
) -> str:
    """Return the card of a choice of the model box, in Markdown.

    Parameters
    ----------
    model : str
        A name, a path, or 'auto'.
    ndim : int or None
        Number of axes of the images.
    automatic : ModelChoice, optional
        What 'auto' is for them.

    Raises
    ------
    ModelError
        If there is no such model any more.
    """
    if model == AUTOMATIC and automatic is not None:
        entry = automatic.entry
    else:
        entry = find_model(model, ndim)
    return model_card(entry.header).to_markdown()


def registers_from_zero(model: str) -> bool:
    """Whether a choice of the model box is no network at all."""
    if model == AUTOMATIC:
        return False
    try:
        return find_model(model).from_zero
    except ModelError:
        return False


def automatic_choice(ndim: int | None, chosen: ModelChoice | None) -> Choice:
    """Return the entry that leaves the choice to the images.

    Parameters
    ----------
    ndim : int or None
        Their number of axes, if that is known.
    chosen : ModelChoice or None
        What they have chosen.
    """
    if ndim is None:
        return Choice(AUTOMATIC, 'Automatic', 'The model for the images.')
    if chosen is None:
        try:
            chosen = ModelChoice(find_model(AUTOMATIC, ndim))
        except ModelError as error:
            text = f'Automatic (none for {ndim}D)'
            return Choice(AUTOMATIC, text, str(error))
    header = chosen.entry.header
    return Choice(
        AUTOMATIC,
        f'Automatic ({header.name})',
        f'{chosen.sentence}\n\n{describe(header)}',
    )


def _choice(entry: ModelEntry, value: str) -> Choice:
    mark = '' if entry.source == 'bundled' else f' ({entry.source})'
    tooltip = describe(entry.header)
    if mark:
        tooltip += f'\n{entry.path}'
    return Choice(value, f'{entry.name}{mark}', tooltip, _group(entry))


def _group(entry: ModelEntry) -> str:
    if entry.from_zero:
        return _FROM_ZERO
    if entry.source != 'bundled':
        return _YOURS
    kinds = (title for word, title in _KINDS.items() if entry.is_for(word))
    return next(kinds, _OTHER)


def describe(header: ModelHeader) -> str:
    """Return what a model is, in a few lines."""
    lines = [header.title or header.name, header.description]
    for name in ('domain', 'licence', 'date'):
        value = getattr(header, name)
        if value:
            lines.append(f'{name.capitalize()}: {value}')
    for data, figures in header.metrics.items():
        lines.append(f'{data}: {_figures(figures)}')
    return '\n'.join(filter(None, lines))


def _figures(values: object) -> str:
    if isinstance(values, Mapping):
        return ', '.join(f'{k} {_figures(v)}' for k, v in values.items())
    return f'{values:.3g}' if isinstance(values, float) else str(values)


def device_choices(preferred: str = 'auto') -> list[str]:
    """Return the devices to offer.

    Importing torch takes seconds; until something else has done it, the
    drivers of the system tell what there may be.

    Parameters
    ----------
    preferred : str, default: 'auto'
        A device from the preferences; offered in any case.
    """
    torch = sys.modules.get('torch')
    if torch is not None and hasattr(torch, 'cuda'):
        count = torch.cuda.device_count()
        has_mps = torch.backends.mps.is_available()
    else:
        count, has_mps = _likely_cuda_devices(), _likely_mps()
    found = ['auto', 'cpu', *(f'cuda:{i}' for i in range(count))]
    if has_mps:
        found.append('mps')
    return found if preferred in found else [*found, preferred]


def _likely_cuda_devices() -> int:
    try:
        build = metadata.version('torch')
        cards = os.listdir(_NVIDIA)
    except (metadata.PackageNotFoundError, OSError):
        return 0
    return 0 if build.endswith('+cpu') else len(cards)


def _likely_mps() -> bool:
    return sys.platform == 'darwin' and platform.machine() == 'arm64'
