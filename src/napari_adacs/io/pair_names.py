"""Pairs found by words in the names of files."""

from __future__ import annotations

import re
from pathlib import Path

from napari_adacs.io.images import find_reader
from napari_adacs.io.pair_files import PairFiles

_ROLES = {
    'moving': 'moving',
    'ed': 'moving',
    'source': 'moving',
    'fixed': 'fixed',
    'es': 'fixed',
    'target': 'fixed',
}
_LABELS = {'gt', 'label', 'labels', 'seg', 'mask'}
HINT = (
    'Name the files of a pair alike but for one word, CASE_ED.nii.gz and '
    'CASE_ES.nii.gz (or moving and fixed), segmentations CASE_ED_gt.nii.gz '
    '(or _labels, _seg); or give a pattern or a table.'
)


def find_by_names(folder: str | Path) -> list[PairFiles]:
    """Find pairs in a folder and below, by words in their names.

    Parameters
    ----------
    folder : str or Path
        Two files in it are a pair if their names differ only in ED or ES,
        moving or fixed, source or target; gt, label(s), seg or mask makes
        a file the segmentation. A patient is a folder of its own, or the
        first word of the name.

    Returns
    -------
    list of PairFiles
        In the order of their names; empty if there are none.
    """
    root = Path(folder).expanduser()
    found: dict[tuple[Path, str], dict[str, Path]] = {}
    for file in sorted(root.rglob('*')):
        if find_reader(file) is None or not file.is_file():
            continue
        told = told_by_name(file.name)
        if told is not None:
            stem, role = told
            found.setdefault((file.parent, stem), {}).setdefault(role, file)
    return [
        _pair(root, place, stem, files)
        for (place, stem), files in found.items()
        if {'moving', 'fixed'} <= set(files)
    ]


def _pair(
    root: Path, place: Path, stem: str, files: dict[str, Path]
) -> PairFiles:
    folder = place.relative_to(root).as_posix()
    parts = [folder] if folder not in ('', '.') else []
    if stem and not (parts and stem.startswith(place.name)):
        parts.append(stem)
    elif stem:
        parts = [stem]
    own_folder = place.name if place != root else ''
    return PairFiles(
        '/'.join(parts) or root.name,
        files['moving'],
        files['fixed'],
        files.get('moving labels'),
        files.get('fixed labels'),
        patient=own_folder or patient_of(stem),
    )


def told_by_name(name: str) -> tuple[str, str] | None:
    """Return what a name says about its place in a pair.

    Parameters
    ----------
    name : str
        Of a file or a layer.

    Returns
    -------
    stem, role : str
        What the names of a pair share, and 'moving', 'fixed', 'moving
        labels' or 'fixed labels'; None if the name does not say.
    """
    stem = re.sub(r'\.(nii(\.gz)?|npy|npz)$', '', name, flags=re.I)
    words = re.split(r'[_\-. ]', stem)
    lower = [word.lower() for word in words]
    roles = [_ROLES[word] for word in lower if word in _ROLES]
    if len(roles) != 1:
        return None
    kept = [
        word
        for word, low in zip(words, lower, strict=True)
        if low not in _ROLES and low not in _LABELS
    ]
    kind = ' labels' if _LABELS & set(lower) else ''
    return '_'.join(kept), f'{roles[0]}{kind}'


def patient_of(stem: str) -> str:
    """Return the patient that a name begins with: its first word."""
    return re.split(r'[_\-. ]', stem)[0]
