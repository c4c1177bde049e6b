"""Data sets that can be prepared.

To add one, write its file and add one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from napari_adacs.training.preparation import acdc, camus, camus3d
from napari_adacs.training.preparation.writing import (
    Patient,
    Prepared,
    PreparedPair,
    Progress,
    check_target,
    divide,
    write_all,
)


@dataclass(frozen=True)
class Dataset:
    """How a download becomes pairs.

    Parameters
    ----------
    find : callable
        Finds the patients in the download.
    prepare : callable
        Makes the pairs of a patient.
    parts : tuple of three float
        Relative sizes of train, val and test among patients to which the
        download gives no split.
    """

    find: Callable[[Path], list[Patient]]
    prepare: Callable[[Patient], Iterable[PreparedPair]]
    parts: tuple[float, float, float]


DATASETS: dict[str, Dataset] = {
    'acdc': Dataset(acdc.find_patients, acdc.prepare_patient, acdc.PARTS),
    'camus': Dataset(camus.find_patients, camus.prepare_patient, camus.PARTS),
    'camus-3d': Dataset(
        camus3d.find_patients, camus3d.prepare_patient, camus.PARTS
    ),
}


def prepare_dataset(
    name: str,
    source: Path,
    target: Path,
    seed: int = 0,
    progress: Progress | None = None,
) -> Prepared:
    """Write the pairs of a data set as the papers use them.

    Parameters
    ----------
    name : str
        One of `DATASETS`.
    source : Path
        The unpacked download.
    target : Path
        New folder for ``train/``, ``val/`` and ``test/``.
    seed : int, default: 0
        Divides the patients.
    progress : callable, optional
        Called with (done, total, patient).

    Raises
    ------
    InputError
        If there are no patients, or the folder holds pairs already.
    """
    dataset = DATASETS[name]
    check_target(target)
    patients = dataset.find(source)
    splits = divide(patients, dataset.parts, seed)
    return write_all(patients, dataset.prepare, splits, target, progress)
