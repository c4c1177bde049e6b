"""Files that belong together: two images, with segmentations or without.

Nothing is read here but names and manifests, so that the same pairs can be
listed, trained on and compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SPLITS = ('train', 'val', 'test')


@dataclass(frozen=True)
class PairFiles:
    """The files of one pair.

    Parameters
    ----------
    name : str
        Unique among the pairs it was found with.
    moving, fixed : Path
        The images.
    moving_labels, fixed_labels : Path, optional
        Their segmentations.
    moving_frame, fixed_frame : int, optional
        Frames to take from sequences, from 0.
    patient : str, default: ''
        Whose images they are: those of one patient are never divided
        between training and validation. The name, if empty.
    split : {'', 'train', 'val', 'test'}, default: ''
        What the pair is for; '' leaves it open.
    """

    name: str
    moving: Path
    fixed: Path
    moving_labels: Path | None = None
    fixed_labels: Path | None = None
    moving_frame: int | None = None
    fixed_frame: int | None = None
    patient: str = ''
    split: str = ''

    @property
    def group(self) -> str:
        """What must not be divided between training and validation."""
        return self.patient or self.name

    @property
    def files(self) -> list[Path]:
        """All files there are."""
        every = (
            self.moving,
            self.fixed,
            self.moving_labels,
            self.fixed_labels,
        )
        return [path for path in every if path is not None]
