"""Pairs of images among the layers that are open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_adacs.app.layers import frame_count, is_sequence
from napari_adacs.app.result_layers import is_input
from napari_adacs.app.session import LayerRef
from napari_adacs.io.pair_names import patient_of, told_by_name

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

# Voxels per axis that are looked at to find the frame that moved most.
_LOOKED_AT = 32
# Where systole ends, as a share of a cycle that begins with diastole.
_SYSTOLE = 0.4
_NUMBER = re.compile(r' \[\d+\]$')


@dataclass(frozen=True)
class LayerPair:
    """Two images to register to each other, and their segmentations.

    Parameters
    ----------
    name : str
        What to call the pair.
    moving, fixed : LayerRef or None
        The images; None while none is chosen.
    moving_labels, fixed_labels : LayerRef, optional
        Their segmentations.
    patient : str, default: ''
        Whose they are; the name if empty.
    used : bool, default: True
        Whether to train on it.
    """

    name: str
    moving: LayerRef | None
    fixed: LayerRef | None
    moving_labels: LayerRef | None = None
    fixed_labels: LayerRef | None = None
    patient: str = ''
    used: bool = True

    @property
    def references(self) -> dict[str, LayerRef]:
        """What there is, by its column in a table of pairs."""
        found = {
            'moving': self.moving,
            'fixed': self.fixed,
            'moving_labels': self.moving_labels,
            'fixed_labels': self.fixed_labels,
        }
        return {k: v for k, v in found.items() if v is not None}


def find_layer_pairs(viewer: ViewerModel) -> list[LayerPair]:
    """Find pairs among the layers of a viewer.

    Layers are a pair if their names differ only in ED or ES, moving or
    fixed, source or target; a sequence is a pair of its frames. Failing
    that, two images of a kind are one.
    """
    sequences = [x for x in _images(viewer) if is_sequence(x)]
    pairs = [*_by_names(viewer), *(_frames(viewer, x) for x in sequences)]
    if not pairs:
        pairs = _the_only_two(viewer)
    return _with_own_names(pairs)


def image_choices(viewer: ViewerModel) -> list[LayerRef]:
    """Return every image, and every frame of a sequence."""
    return [r for x in _images(viewer) for r in _references(x)]


def label_choices(viewer: ViewerModel) -> list[LayerRef]:
    """Return every segmentation, and every frame of one over time."""
    return [r for x in _labels(viewer) for r in _references(x)]


def _images(viewer: ViewerModel) -> list[Layer]:
    from napari.layers import Image

    return [
        layer
        for layer in viewer.layers
        if isinstance(layer, Image) and is_input(layer) and not layer.rgb
    ]


def _labels(viewer: ViewerModel) -> list[Layer]:
    from napari.layers import Labels

    return [
        layer
        for layer in viewer.layers
        if isinstance(layer, Labels) and is_input(layer)
    ]


def _references(layer: Layer) -> Iterator[LayerRef]:
    if not is_sequence(layer):
        yield reference(layer)
        return
    for frame in range(frame_count(layer)):
        yield reference(layer, frame)


def reference(layer: Layer, frame: int | None = None) -> LayerRef:
    """Return what stands for a layer, or a frame of it."""
    return LayerRef(str(layer.unique_id), layer.name, frame)


def _by_names(viewer: ViewerModel) -> list[LayerPair]:
    found: dict[tuple[str, str], dict[str, LayerRef]] = {}
    for layer in _images(viewer):
        told = told_by_name(layer.name)
        if told is not None and not is_sequence(layer):
            key = (_folder(layer), told[0])
            found.setdefault(key, {}).setdefault(told[1], reference(layer))
    for layer in _labels(viewer):
        # napari numbers a name that is taken, perhaps by the image itself
        for name in (layer.name, _NUMBER.sub('', layer.name)):
            told = told_by_name(name)
            key = (_folder(layer), told[0] if told else '')
            if told is None or is_sequence(layer) or key not in found:
                continue
            role = f'{told[1].removesuffix(" labels")} labels'
            found[key].setdefault(role, reference(layer))
            break
    return [
        LayerPair(
            stem or Path(folder).name or 'pair',
            roles['moving'],
            roles['fixed'],
            roles.get('moving labels'),
            roles.get('fixed labels'),
            patient_of(stem) or Path(folder).name,
        )
        for (folder, stem), roles in found.items()
        if {'moving', 'fixed'} <= set(roles)
    ]


def _folder(layer: Layer) -> str:
    path = layer.source.path
    return str(Path(path).parent) if path else ''


def _frames(viewer: ViewerModel, layer: Layer) -> LayerPair:
    """Return the first frame of a sequence and the one that moved most."""
    other = most_moved_frame(layer)
    labels = _labels_of(viewer, layer)
    return LayerPair(
        layer.name,
        reference(layer, 0),
        reference(layer, other),
        None if labels is None else reference(labels, 0),
        None if labels is None else reference(labels, other),
        patient_of(layer.name),
    )


def _labels_of(viewer: ViewerModel, sequence: Layer) -> Layer | None:
    """Return labels over time that have as many frames; named alike first."""
    fitting = [
        x
        for x in _labels(viewer)
        if is_sequence(x) and frame_count(x) == frame_count(sequence)
    ]
    alike = [x for x in fitting if x.name.startswith(sequence.name)]
    if alike:
        return alike[0]
    alone = sum(is_sequence(x) for x in _images(viewer)) == 1
    return fitting[0] if alone and len(fitting) == 1 else None


def most_moved_frame(layer: Layer) -> int:
    """Return the frame of a sequence that differs most from the first.

    Of a heart that begins at end-diastole that is about end-systole. Data
    that are not in memory are not read for it.
    """
    data: Any = layer.data[0] if layer.multiscale else layer.data
    count = frame_count(layer)
    if not isinstance(data, np.ndarray):
        return min(round(_SYSTOLE * count), count - 1)
    steps = tuple(
        slice(None, None, max(1, n // _LOOKED_AT)) for n in data.shape[1:]
    )
    few = data[(slice(None), *steps)].astype(np.float32)
    axes = tuple(range(1, few.ndim))
    return int(np.abs(few - few[:1]).mean(axes).argmax())


def _the_only_two(viewer: ViewerModel) -> list[LayerPair]:
    images = _images(viewer)
    if len(images) != 2 or images[0].ndim != images[1].ndim:
        return []
    labels = [x for x in _labels(viewer) if x.ndim == images[0].ndim]
    found = [
        next((x for x in labels if x.name.startswith(image.name)), None)
        for image in images
    ]
    if found[0] is found[1]:
        found = [None, None]
    moving, fixed = (None if x is None else reference(x) for x in found)
    return [
        LayerPair(
            f'{images[0].name} → {images[1].name}',
            reference(images[0]),
            reference(images[1]),
            moving,
            fixed,
        )
    ]


def _with_own_names(pairs: list[LayerPair]) -> list[LayerPair]:
    """Number pairs of one name."""
    seen: dict[str, int] = {}
    named = []
    for pair in pairs:
        count = seen[pair.name] = seen.get(pair.name, 0) + 1
        name = pair.name if count == 1 else f'{pair.name} {count}'
        named.append(replace(pair, name=name))
    return named
