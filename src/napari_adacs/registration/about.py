"""What is known of an image besides its voxels (no torch)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """What a file or a reader says of an image.

    Parameters
    ----------
    text : str
        Names, folders and descriptions, in any order.
    modality : str
        DICOM's code, such as 'US' or 'MR'; empty where nobody says.
    in_frames : bool
        Whether the image is one frame of a sequence.
    """

    text: str = ''
    modality: str = ''
    in_frames: bool = False
