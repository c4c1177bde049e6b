"""The papers' MATLAB files as cases."""

from __future__ import annotations

from pathlib import Path

from napari_adacs.benchmark.case import Case, CaseSource
from napari_adacs.benchmark.files import stamp
from napari_adacs.errors import InputError
from napari_adacs.registration.inputs import image_on_grid
from napari_adacs.training.pairs import MatFolder


class MatCases(CaseSource):
    """Each .mat file of a folder is a case; ED moves onto ES.

    Parameters
    ----------
    folder : Path
        Folder of .mat files, see `MatFolder`. They know no voxel size, so
        distances are in pixels.
    """

    def __init__(self, folder: Path) -> None:
        self._pairs = MatFolder(folder)
        self._index = {
            file.stem: index for index, file in enumerate(self._pairs.files)
        }

    @property
    def names(self) -> list[str]:
        """File names without the suffix."""
        return list(self._index)

    @property
    def ndim(self) -> int:
        """Number of axes of the first readable pair."""
        refused: InputError | None = None
        for index in range(len(self._pairs)):
            try:
                return self._pairs[index].moving.ndim
            except InputError as error:
                refused = refused or error
        assert refused is not None  # MatFolder is never empty
        raise refused

    def load(self, name: str) -> Case:
        """Read one file."""
        pair = self._pairs[self._index[name]]
        return Case(
            name,
            image_on_grid(pair.moving, 'moving'),
            image_on_grid(pair.fixed, 'fixed'),
            pair.moving_labels,
            pair.fixed_labels,
        )

    def identity(self, name: str) -> str:
        """Return size and time of the file."""
        return stamp([self._pairs.files[self._index[name]]])
