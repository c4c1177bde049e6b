"""Pairs of image files as cases: by table, pattern or names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_adacs.benchmark.case import Case, CaseSource
from napari_adacs.benchmark.files import stamp
from napari_adacs.errors import InputError
from napari_adacs.io.images import read_image
from napari_adacs.io.label_guess import as_labels
from napari_adacs.io.pair_files import PairFiles
from napari_adacs.io.pair_finding import find_pairs
from napari_adacs.registration.inputs import ImageOnGrid


class FileCases(CaseSource):
    """Pairs of files, each image on the grid its header says.

    Parameters
    ----------
    data : str
        Folder, table or pattern, see `find_pairs`. Where a table says what
        pairs are for, those to test on are taken, else those to validate
        on, and never those to train on.

    Raises
    ------
    InputError
        If there are no such pairs.
    """

    def __init__(self, data: str) -> None:
        pairs = _held_out(find_pairs(data))
        self._pairs = {pair.name: pair for pair in pairs}
        if not pairs:
            raise InputError(
                f"All pairs of '{data}' are there to train on.",
                'Mark some as test in the column split.',
            )

    @property
    def names(self) -> list[str]:
        """Names of the pairs."""
        return list(self._pairs)

    @property
    def ndim(self) -> int:
        """Number of axes of the first pair that can be read."""
        refused: InputError | None = None
        for pair in self._pairs.values():
            try:
                return read_image(pair.fixed).grid.ndim
            except InputError as error:
                refused = refused or error
        assert refused is not None  # there are pairs
        raise refused

    def load(self, name: str) -> Case:
        """Read the files of one pair."""
        pair = self._pairs[name]
        moving, moving_labels = _side(
            'moving', pair.moving, pair.moving_labels, pair.moving_frame
        )
        fixed, fixed_labels = _side(
            'fixed', pair.fixed, pair.fixed_labels, pair.fixed_frame
        )
        if moving_labels is None or fixed_labels is None:
            moving_labels = fixed_labels = None
        return Case(name, moving, fixed, moving_labels, fixed_labels)

    def identity(self, name: str) -> str:
        """Return sizes and times of the files, and the frames."""
        pair = self._pairs[name]
        frames = f'{pair.moving_frame} {pair.fixed_frame}'
        return f'{stamp(pair.files)} {frames}'


def _held_out(pairs: list[PairFiles]) -> list[PairFiles]:
    for use in ('test', 'val'):
        chosen = [pair for pair in pairs if pair.split == use]
        if chosen:
            return chosen
    return [pair for pair in pairs if pair.split != 'train']


def _side(
    role: str, path: Path, labels: Path | None, frame: int | None
) -> tuple[ImageOnGrid, NDArray[Any] | None]:
    """Read one image of a pair, and its segmentation if it has one."""
    volume = read_image(path)
    option = f'a table of pairs: {role}_frame'
    image = ImageOnGrid(volume.frame(frame, option), volume.grid, role)
    if labels is None:
        return image, None
    segmentation = read_image(labels)
    if not segmentation.grid.same_space(volume.grid):
        raise InputError(
            f'{labels.name} does not lie on the grid of {path.name}.',
            'Resample the segmentation with nearest neighbours first.',
        )
    # a single segmentation belongs to whatever frame is chosen
    own = frame if segmentation.has_time else None
    data = segmentation.frame(own, option)
    whole = as_labels(data, labels.name, declared=True)
    if whole is None:
        raise InputError(
            f'{labels.name} is no segmentation: not all values are whole '
            'numbers from 0 up.'
        )
    return image, whole
