"""What every image reader returns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.spatial.grid import Grid


@dataclass(frozen=True, eq=False)
class Volume:
    """An image read from a file, with its place in the world.

    Parameters
    ----------
    data : ([T, Z,] Y, X) or (T, Z, Y, X) numpy.ndarray
        Intensities or labels, slowest axis first, as napari shows them; the
        frames of a cine come first. Labels have an integer type.
    grid : Grid
        Grid of one frame, axes in the order of `data`, world in LPS.
    path : pathlib.Path
        The file.
    frame_duration_s : float or None
        Seconds from frame to frame; None for a single frame or if unknown.
    is_labels : bool
        Whether the image is most likely a segmentation.
    description : str
        The description in the file, followed by what the reader had to
        assume.

    Raises
    ------
    InputError
        If `data` is neither one frame on `grid` nor a series of them.
    """

    data: NDArray[Any]
    grid: Grid
    path: Path
    frame_duration_s: float | None = None
    is_labels: bool = False
    description: str = ''

    def __post_init__(self) -> None:
        extra = self.data.ndim - self.grid.ndim
        if extra not in (0, 1) or self.data.shape[extra:] != self.grid.shape:
            raise InputError(
                f'Data of shape {self.data.shape} do not lie on a grid of '
                f'shape {self.grid.shape}.'
            )

    @property
    def name(self) -> str:
        """File name without its suffixes."""
        stem = self.path.name
        if stem.lower().endswith('.gz'):
            stem = stem[:-3]
        return Path(stem).stem

    @property
    def n_frames(self) -> int:
        """Number of frames; 1 for a single image."""
        return self.data.shape[0] if self.has_time else 1

    @property
    def has_time(self) -> bool:
        """Whether the first axis of the data is time."""
        return self.data.ndim > self.grid.ndim

    def frame(self, index: int | None, option: str) -> NDArray[Any]:
        """Return one frame, or the image that is not a sequence.

        Parameters
        ----------
        index : int or None
            Which frame; None or 0 for a single image.
        option : str
            What a person chooses the frame with, for messages.

        Returns
        -------
        (*grid.shape) numpy.ndarray
            A view of the data.

        Raises
        ------
        InputError
            If there is no such frame, or one must be chosen.
        """
        name, last = self.path.name, self.n_frames - 1
        if not self.has_time:
            if index:
                raise InputError(
                    f'{name} has no frame {index}: it is a single image.',
                    f'Leave {option} out.',
                )
            return self.data
        if index is None:
            raise InputError(
                f'{name} is a sequence of {self.n_frames} frames.',
                f'Choose one with {option} 0 to {last}.',
            )
        if not 0 <= index <= last:
            raise InputError(
                f'{name} has no frame {index}.', f'Choose 0 to {last}.'
            )
        chosen: NDArray[Any] = self.data[index]
        return chosen
