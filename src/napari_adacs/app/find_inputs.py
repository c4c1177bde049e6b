"""Finding the images of a saved registration again.

An image is known by the SHA-256 of its voxels. It may be a layer that is
open, the file it came from, or a copy beside the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_adacs.app.layers import (
    LayerImage,
    frame_count,
    image_of,
    is_sequence,
    may_be_frames,
)
from napari_adacs.app.result_layers import is_input
from napari_adacs.app.session import LayerRef
from napari_adacs.errors import InputError
from napari_adacs.io.images import read_image
from napari_adacs.io.record import describe_array
from napari_adacs.registration.inputs import ImageOnGrid

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_adacs.io.volume import Volume


@dataclass(frozen=True, eq=False)
class OpenImage:
    """An image or segmentation that a viewer shows, or one frame of it.

    Parameters
    ----------
    reference : LayerRef
        Which one.
    image : LayerImage
        The same without its voxels.
    """

    reference: LayerRef
    image: LayerImage


@dataclass(frozen=True, eq=False)
class Located:
    """An image of a saved registration.

    Parameters
    ----------
    image : ImageOnGrid
        Its voxels and place.
    reference : LayerRef
        Its layer; without an id if it is not open.
    volume : Volume or None
        The file it was read from, if no layer has it.
    """

    image: ImageOnGrid
    reference: LayerRef
    volume: Volume | None = None

    def shown_in(self, viewer: ViewerModel) -> tuple[Layer, LayerRef]:
        """Return the layer in a viewer; it is added if it is not there."""
        layer = self.reference.find(viewer)
        if layer is None:
            layer = self._layer()
            viewer.add_layer(layer)
        key = str(layer.unique_id)
        reference = replace(self.reference, layer_id=key, name=layer.name)
        return layer, reference

    def _layer(self) -> Layer:
        from napari.layers import Layer as AnyLayer

        from napari_adacs.app.layers import layer_kwargs
        from napari_adacs.app.readers import layer_of

        if self.volume is not None:
            data, options, kind = layer_of(self.volume)
        else:
            # Its layer was removed while the result was being read.
            data, options = self.image.data, layer_kwargs(self.image.grid)
            kind = 'image'
        name = self.reference.name
        return AnyLayer.create(data, {**options, 'name': name}, kind)


def open_images(viewer: ViewerModel) -> tuple[OpenImage, ...]:
    """Return every image and segmentation that a person has opened."""
    from napari.layers import Image, Labels

    found = []
    for layer in viewer.layers:
        if not isinstance(layer, Image | Labels) or not is_input(layer):
            continue
        for frame in _frames(layer):
            try:
                image = image_of(layer, frame, layer.name)
            except InputError:
                continue
            key = str(layer.unique_id)
            found.append(OpenImage(LayerRef(key, layer.name, frame), image))
    return tuple(found)


def locate(
    role: str,
    described: Mapping[str, Any],
    folder: Path,
    opened: Sequence[OpenImage] = (),
) -> Located:
    """Find an image again.

    Parameters
    ----------
    role : str
        Key of the image in the run record, such as 'moving'.
    described : mapping
        What the run record says of it.
    folder : Path
        Folder of the result.
    opened : sequence of OpenImage
        Images that need not be read.

    Raises
    ------
    InputError
        If it is nowhere, or its file holds another image now.
    """
    digest = described.get('sha256')
    shape = tuple(described.get('shape') or ())
    for candidate in opened:
        if candidate.image.grid.shape == shape:
            image = candidate.image.load()
            if describe_array(image.data)['sha256'] == digest:
                return Located(image, candidate.reference)
    changed = ''
    title = str(described.get('layer') or described.get('name') or role)
    for path, is_copy in _files(described, folder):
        found = _read(path, role, None if is_copy else described.get('frame'))
        if is_copy:
            reference = replace(found.reference, name=title)
            return replace(found, reference=reference)
        if describe_array(found.image.data)['sha256'] == digest:
            return found
        changed = f' {path} holds another image now.'
    raise InputError(
        f'The {role.replace("_", " ")} of this result, {title}, was not '
        f'found.{changed}',
        'Open it in the viewer first, then open the result again.',
    )


def _files(
    described: Mapping[str, Any], folder: Path
) -> Iterator[tuple[Path, bool]]:
    """Yield the files to try, and whether each is our own copy."""
    copy, path = described.get('copy'), described.get('path')
    if isinstance(copy, str) and (folder / Path(copy).name).is_file():
        yield folder / Path(copy).name, True
    if isinstance(path, str) and path:
        # The folder may have been moved together with its images.
        places = (
            Path(path),
            folder / path,
            folder.parent / path,
            folder / Path(path).name,
            folder.parent / Path(path).name,
        )
        for place in dict.fromkeys(places):
            if place.is_file():
                yield place, False


def _read(path: Path, role: str, frame: object) -> Located:
    volume = read_image(path)
    data, chosen = volume.data, None
    if volume.has_time:
        chosen = frame if isinstance(frame, int) else 0
        if chosen >= volume.n_frames:
            raise InputError(
                f'{path} has no frame {chosen} any more.',
                'Restore the file, or open the image in the viewer first.',
            )
        data = data[chosen]
    image = ImageOnGrid(data, volume.grid, role)
    return Located(image, LayerRef('', volume.name, chosen), volume)


def _frames(layer: Layer) -> list[int | None]:
    if is_sequence(layer):
        return list(range(frame_count(layer)))
    if may_be_frames(layer):
        return [None, *range(frame_count(layer))]
    return [None]
