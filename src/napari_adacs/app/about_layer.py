"""What a layer and its file say of an image, and a quick look at it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_adacs.registration.about import About
from napari_adacs.registration.recognise import Seen, has_sector, sample_of

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_adacs.app.layers import LayerImage

_DEPTH = 3  # of nested metadata that is looked into
_MOST_ENTRIES = 400
_FOLDERS = 3  # above a file whose names may tell
_MOST_LOOKS = 64


def about_layer(layer: Layer, frame: int | None = None) -> About:
    """Return what a layer says of its image.

    Any reader's metadata count: a key 'modality' or 'Modality' anywhere in
    them, or pydicom's data sets.

    Parameters
    ----------
    layer : Layer
        The layer.
    frame : int, optional
        Frame of a sequence.
    """
    words, modality = [layer.name], ''
    if layer.source.path:
        words.append(_last_folders(str(layer.source.path)))
    for name, value in _entries(layer.metadata):
        if not isinstance(value, str):
            continue
        if name == 'modality':
            modality = modality or value
        elif name == 'path':
            words.append(_last_folders(value))
        elif name in ('description', 'descrip', 'seriesdescription'):
            words.append(value)
    return About(' '.join(words), modality, frame is not None)


def glimpse(image: LayerImage) -> Seen:
    """Return what is known of an image without waiting for anything.

    An array in memory is looked at; of what has to be read first it is known
    only if `look` has been there.
    """
    source = image.source
    in_memory = isinstance(source, np.ndarray) and not isinstance(
        source, np.memmap
    )
    if in_memory:
        look(image)
    return Seen(image.about, _LOOKS.get(image))


def look(image: LayerImage) -> None:
    """Look at an image, and remember what was seen; slow for lazy data."""
    if _LOOKS.get(image) is not None:
        return
    lead = () if image.frame is None else (image.frame,)
    try:
        part = image.source[(*lead, *sample_of(image.grid.shape))]
        sector = has_sector(np.asarray(part))
    except Exception:  # noqa: BLE001  lazy data raise what they like
        # Registering will say what is wrong with them.
        sector = False
    _LOOKS.keep(image, sector)


class _Looks:
    """What was seen in data, as long as these are there."""

    def __init__(self) -> None:
        self._kept: dict[
            tuple[int, int | None], tuple[Callable[[], Any], bool]
        ] = {}

    def get(self, image: LayerImage) -> bool | None:
        found = self._kept.get((id(image.source), image.frame))
        # Another object may have got the same id.
        if found is None or found[0]() is not image.source:
            return None
        return found[1]

    def keep(self, image: LayerImage, sector: bool) -> None:
        source = image.source
        try:
            reference: Callable[[], Any] = weakref.ref(source)
        except TypeError:

            def reference() -> Any:
                return source

        while len(self._kept) >= _MOST_LOOKS:
            del self._kept[next(iter(self._kept))]
        self._kept[id(source), image.frame] = (reference, sector)


_LOOKS = _Looks()


def _last_folders(path: str) -> str:
    return ' '.join(PurePath(path).parts[-_FOLDERS:])


def _entries(metadata: Any) -> Iterator[tuple[str, Any]]:
    """Yield names in lower case and values of nested metadata."""
    waiting, left = [(metadata, 0)], _MOST_ENTRIES
    while waiting and left > 0:
        value, depth = waiting.pop(0)
        if isinstance(value, list | tuple) and value:
            value = value[0]
        if isinstance(value, Mapping):
            for name, inside in value.items():
                left -= 1
                yield str(name).lower(), inside
                if depth < _DEPTH:
                    waiting.append((inside, depth + 1))
        elif hasattr(value, 'Modality'):
            yield 'modality', str(value.Modality)
