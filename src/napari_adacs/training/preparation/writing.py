"""Prepared pairs in the papers' MATLAB format, divided by patient."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import AdacsError, InputError
from napari_adacs.io.atomic import atomic_path

SPLITS = ('train', 'val', 'test')
REPORT = 'prepared.csv'
MYOCARDIUM = 2

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class PreparedPair:
    """A pair of images as the papers store it.

    Parameters
    ----------
    name : str
        File name without suffix.
    ed, es : (x, y) or (x, y, z) numpy.ndarray
        Raw intensities.
    ed_labels, es_labels : numpy.ndarray of uint8
        All labels.
    ed_myocardium, es_myocardium : numpy.ndarray of uint8
        0 or 1.
    """

    name: str
    ed: NDArray[np.generic]
    es: NDArray[np.generic]
    ed_labels: NDArray[np.uint8]
    es_labels: NDArray[np.uint8]
    ed_myocardium: NDArray[np.uint8]
    es_myocardium: NDArray[np.uint8]

    def save(self, folder: Path) -> None:
        """Write ``<name>.mat`` into a folder."""
        from scipy.io import savemat

        values = {
            'im_ED': self.ed,
            'im_ES': self.es,
            'label_ED': self.ed_labels,
            'label_ES': self.es_labels,
            'myo_ED': self.ed_myocardium,
            'myo_ES': self.es_myocardium,
        }
        with (
            atomic_path(folder / f'{self.name}.mat') as temporary,
            open(temporary, 'wb') as file,
        ):
            savemat(file, values, do_compression=True)


@dataclass(frozen=True)
class Patient:
    """A patient of a download.

    Parameters
    ----------
    name : str
        Such as 'patient001'.
    folder : Path
        Where the images are.
    split : str, default: ''
        Where the download itself puts the patient, if it does.
    """

    name: str
    folder: Path
    split: str = ''


@dataclass(frozen=True)
class Prepared:
    """What has been written.

    Parameters
    ----------
    counts : dict of str to int
        Pairs per split.
    skipped : list of tuple of str
        Patient and reason.
    """

    counts: dict[str, int]
    skipped: list[tuple[str, str]]


def check_target(target: Path) -> None:
    """Refuse a folder that holds prepared pairs already.

    Raises
    ------
    InputError
        If it does: two splits must not be mixed.
    """
    for split in SPLITS:
        if any((target / split).glob('*.mat')):
            raise InputError(
                f'{target} holds prepared pairs already.',
                'Choose another folder, or remove them.',
            )


def divide(
    patients: Sequence[Patient], parts: Sequence[float], seed: int
) -> dict[str, str]:
    """Give each patient a split, by chance.

    Parameters
    ----------
    patients : sequence of Patient
        All patients; those with a split of their own keep it.
    parts : sequence of three float
        Relative sizes of train, val and test.
    seed : int
        Chooses, whatever the order of the patients.
    """
    free = sorted(p.name for p in patients if not p.split)
    order = np.random.default_rng(seed).permutation(len(free))
    edges = np.cumsum(parts) / sum(parts) * len(free)
    ends = [round(float(edge)) for edge in edges]
    chosen = {p.name: p.split for p in patients if p.split}
    for place, index in enumerate(order):
        split = next(
            name for name, end in zip(SPLITS, ends, strict=True) if place < end
        )
        chosen[free[int(index)]] = split
    return chosen


def write_all(
    patients: Sequence[Patient],
    prepare: Callable[[Patient], Iterable[PreparedPair]],
    splits: dict[str, str],
    target: Path,
    progress: Progress | None = None,
) -> Prepared:
    """Prepare and write every patient; those that cannot be are reported.

    Parameters
    ----------
    patients : sequence of Patient
        Whom to prepare.
    prepare : callable
        Makes the pairs of a patient.
    splits : dict of str to str
        Split of each patient.
    target : Path
        Folder that gets ``train/``, ``val/``, ``test/`` and
        ``prepared.csv``.
    progress : callable, optional
        Called with (done, total, patient).

    Raises
    ------
    InputError
        If nothing can be prepared, or the folder cannot be written to.
    """
    counts = dict.fromkeys(SPLITS, 0)
    rows: list[tuple[str, str, str, str]] = []
    for done, patient in enumerate(patients):
        if progress is not None:
            progress(done, len(patients), patient.name)
        split = splits[patient.name]
        try:
            pairs = list(prepare(patient))
        except AdacsError as error:
            rows.append((patient.name, '', 'skipped', str(error)))
            continue
        (target / split).mkdir(parents=True, exist_ok=True)
        for pair in pairs:
            pair.save(target / split)
            rows.append((patient.name, pair.name, split, ''))
        counts[split] += len(pairs)
    skipped = [(name, why) for name, _, use, why in rows if use == 'skipped']
    if not sum(counts.values()):
        raise InputError(f'No patient can be used. The first: {skipped[0][1]}')
    _report(target, rows)
    return Prepared(counts, skipped)


def _report(target: Path, rows: list[tuple[str, str, str, str]]) -> None:
    with (
        atomic_path(target / REPORT) as temporary,
        open(temporary, 'w', newline='', encoding='utf-8') as file,
    ):
        writer = csv.writer(file)
        writer.writerow(['patient', 'pair', 'use', 'reason'])
        writer.writerows(rows)


def masks(labels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return the myocardium of a segmentation, 0 or 1."""
    out: NDArray[np.uint8] = (labels == MYOCARDIUM).astype(np.uint8)
    return out
