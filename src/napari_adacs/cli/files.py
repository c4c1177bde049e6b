"""Images and segmentations named on the command line."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from napari_adacs.app.label_evaluation import check_labels
from napari_adacs.io.images import read_image
from napari_adacs.io.label_guess import as_labels
from napari_adacs.io.record import describe_array
from napari_adacs.io.volume import Volume
from napari_adacs.registration.about import About
from napari_adacs.registration.inputs import ImageOnGrid


@dataclass(frozen=True, eq=False)
class Opened:
    """One frame of a file.

    Parameters
    ----------
    image : ImageOnGrid
        The frame, axes ([z,] y, x).
    volume : Volume
        The whole file.
    frame : int or None
        Which frame; None if the file has no time.
    """

    image: ImageOnGrid
    volume: Volume
    frame: int | None

    def describe(self) -> dict[str, object]:
        """Return what a run record keeps of the input."""
        described = describe_array(
            self.image.data, self.image.grid, self.volume.path.name
        )
        return {
            **described,
            'path': str(self.volume.path),
            'frame': self.frame,
        }


def open_image(path: str, role: str, frame: int | None, option: str) -> Opened:
    """Read one frame of an image.

    Parameters
    ----------
    path : str
        The file.
    role : str
        What messages call it, such as 'moving'.
    frame : int or None
        The frame to take from a sequence.
    option : str
        The option that chooses it, for messages.

    Raises
    ------
    InputError
        If the file cannot be used, or the frame does not exist or must be
        chosen.
    """
    return _frame_of(read_image(path), role, frame, option)


def open_labels(
    path: str, role: str, frame: int | None, option: str
) -> Opened:
    """Read one frame of a segmentation; see `open_image`.

    A segmentation that is not a sequence belongs to whatever frame is
    chosen.
    """
    volume = read_image(path)
    if not volume.has_time:
        frame = None
    opened = _frame_of(volume, role, frame, option)
    data = opened.image.data
    if not volume.is_labels:
        whole = as_labels(data, volume.path.name, declared=True)
        data = data if whole is None else whole
    image = replace(opened.image, data=data)
    return replace(opened, image=check_labels(image))


def _frame_of(
    volume: Volume, role: str, frame: int | None, option: str
) -> Opened:
    data = volume.frame(frame, option)
    chosen = None
    if volume.has_time:
        data, chosen = np.ascontiguousarray(data), frame
    image = ImageOnGrid(data, volume.grid, role, _about(volume))
    return Opened(image, volume, chosen)


def _about(volume: Volume) -> About:
    words = [*volume.path.absolute().parts[-3:], volume.description]
    return About(' '.join(words), in_frames=volume.has_time)
