"""Pairs of NIfTI files as cases, found by their names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_adacs.benchmark.case import Case, CaseSource
from napari_adacs.benchmark.files import stamp
from napari_adacs.errors import InputError
from napari_adacs.io.images import read_image
from napari_adacs.io.label_guess import as_labels
from napari_adacs.io.volume import Volume
from napari_adacs.registration.inputs import ImageOnGrid

# Words of a file name that say what the file is.
_ROLES = {
    'moving': 'moving',
    'ed': 'moving',
    'source': 'moving',
    'fixed': 'fixed',
    'es': 'fixed',
    'target': 'fixed',
}
_SEGMENTATION = {'gt', 'label', 'labels', 'seg', 'mask'}
_HINT = (
    'Name the files of a case alike but for one word: CASE_moving.nii.gz and '
    'CASE_fixed.nii.gz (or ED and ES), segmentations CASE_moving_labels.'
    'nii.gz (or _gt, _seg).'
)


class NiftiCases(CaseSource):
    """Pairs of NIfTI files in a folder or in folders below it.

    Two files are a pair if their names differ only in the word moving or
    fixed, ED or ES, source or target. A further word gt, label(s), seg or
    mask makes a file the segmentation.

    Parameters
    ----------
    folder : Path
        Where to look.

    Raises
    ------
    InputError
        If there is no complete pair.
    """

    def __init__(self, folder: Path) -> None:
        found: dict[str, dict[str, Path]] = {}
        for file in sorted(folder.rglob('*.nii*')):
            told = _told(file)
            if told is None:
                continue
            case, role = told
            place = file.parent.relative_to(folder).as_posix()
            # a case in a folder of its own repeats the folder's name
            name = '-'.join(p for p in (place, case) if p not in ('.', ''))
            if case.startswith(place):
                name = case
            role_files = found.setdefault(name or folder.name, {})
            role_files.setdefault(role, file)
        self._files = {
            name: files
            for name, files in found.items()
            if {'moving', 'fixed'} <= set(files)
        }
        if not self._files:
            raise InputError(f"'{folder}' holds no pairs of images.", _HINT)

    @property
    def names(self) -> list[str]:
        """Names without the words that say the role."""
        return sorted(self._files)

    @property
    def ndim(self) -> int:
        """Number of axes of the first case."""
        return read_image(self._files[self.names[0]]['fixed']).grid.ndim

    def load(self, name: str) -> Case:
        """Read the files of one case."""
        files = self._files[name]
        images = {
            role: _single(read_image(files[role]))
            for role in ('moving', 'fixed')
        }
        labels = {
            role: _labels(files.get(f'{role} labels'), images[role])
            for role in images
        }
        if labels['moving'] is None or labels['fixed'] is None:
            labels = dict.fromkeys(labels)
        moving, fixed = (
            ImageOnGrid(images[role].data, images[role].grid, role)
            for role in ('moving', 'fixed')
        )
        return Case(
            name,
            moving,
            fixed,
            labels['moving'],
            labels['fixed'],
        )

    def identity(self, name: str) -> str:
        """Return sizes and times of the files."""
        files = self._files[name]
        return stamp(files[role] for role in sorted(files))


def _told(file: Path) -> tuple[str, str] | None:
    """Return case and role that a file name tells, None if it does not."""
    stem = re.sub(r'\.nii(\.gz)?$', '', file.name, flags=re.IGNORECASE)
    words = re.split(r'[_\-. ]', stem)
    lower = [word.lower() for word in words]
    roles = [_ROLES[word] for word in lower if word in _ROLES]
    if len(roles) != 1:
        return None
    kept = [
        word
        for word, low in zip(words, lower, strict=True)
        if low not in _ROLES and low not in _SEGMENTATION
    ]
    suffix = ' labels' if _SEGMENTATION & set(lower) else ''
    return '_'.join(kept), roles[0] + suffix


def _single(volume: Volume) -> Volume:
    if volume.has_time:
        raise InputError(
            f'{volume.path.name} is a sequence of {volume.n_frames} frames.',
            'Save the two frames of each case as files of their own.',
        )
    return volume


def _labels(path: Path | None, image: Volume) -> NDArray[Any] | None:
    if path is None:
        return None
    volume = _single(read_image(path))
    if not volume.grid.same_space(image.grid):
        raise InputError(
            f'{path.name} does not lie on the grid of {image.path.name}.',
            'Resample the segmentation with nearest neighbours first.',
        )
    if volume.is_labels:
        return volume.data
    whole = as_labels(volume.data, path.name, declared=True)
    return volume.data if whole is None else whole
