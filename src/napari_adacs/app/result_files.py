"""A registration as a folder of files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_adacs.evaluation.report import Evaluation
from napari_adacs.io.itk_field import save_displacement
from napari_adacs.io.nifti import save_volume
from napari_adacs.io.record import RunRecord, save_record
from napari_adacs.io.staging import staged_folder

if TYPE_CHECKING:
    from napari_adacs.models.library import ModelEntry
    from napari_adacs.registration.result import RegistrationResult

MAPS = ('score', 'variance', 'weight', 'displacement_sd')
# Copies of images that are in no file of their own.
COPIES = {
    role: f'input_{role}.nii.gz'
    for role in (
        'moving',
        'fixed',
        'moving_labels',
        'fixed_labels',
        'emphasis',
    )
}
FILES = (
    'warped.nii.gz',
    'displacement.nii.gz',
    *(f'{name}.nii.gz' for name in MAPS),
    'warped_labels.nii.gz',
    'metrics.csv',
    *COPIES.values(),
    'run.json',
)


@dataclass(frozen=True, eq=False)
class Registered:
    """A finished registration and what belongs to it.

    Parameters
    ----------
    result : RegistrationResult
        What came out; arrays slowest axis first, as read from files.
    entry : ModelEntry
        The model that was used.
    inputs : mapping
        What `io.record.describe_array` says of each input.
    command, python : str
        How to repeat the run.
    warped_labels : (*fixed_shape) numpy.ndarray of int, optional
        Moving labels on the fixed grid.
    evaluation : Evaluation, optional
        The table of metrics.
    """

    result: RegistrationResult
    entry: ModelEntry
    inputs: Mapping[str, Mapping[str, object]]
    command: str = ''
    python: str = ''
    warped_labels: NDArray[Any] | None = None
    evaluation: Evaluation | None = None

    def record(self) -> RunRecord:
        """Return the record of the run."""
        result, evaluation = self.result, self.evaluation
        return RunRecord(
            task='register',
            config=result.config.to_dict(),
            inputs=self.inputs,
            model=describe_model(self.entry),
            command=self.command,
            python=self.python,
            device=result.device,
            timings_s={k: round(v, 4) for k, v in result.timings.items()},
            metrics=[] if evaluation is None else evaluation.records(),
            notes=[*result.notes, self.outcome()],
        )

    def outcome(self) -> str:
        """Say in a sentence how much moved and how much folded."""
        figures = self.result.summary()
        unit = 'mm' if figures['units'] == 'mm' else 'voxels'
        return (
            f'Largest displacement {figures["max_displacement"]:.3g} {unit}, '
            f'folded voxels {figures["folded_percent"]:.3g} %.'
        )


def save_result(
    folder: str | os.PathLike[str], registered: Registered
) -> list[str]:
    """Write a registration to a folder, all of it or nothing.

    Files of an earlier registration in the folder are replaced, those that
    the new one does not have removed; other files stay.

    Parameters
    ----------
    folder : path-like
        Made if it does not exist.
    registered : Registered
        What to write.

    Returns
    -------
    list of str
        Names of the files: warped.nii.gz, displacement.nii.gz, the maps the
        model has (score, variance, weight), warped_labels.nii.gz,
        metrics.csv and run.json.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    # Only a folder that holds an earlier run may lose files to a new one.
    old = FILES if (Path(folder) / 'run.json').is_file() else ()
    with staged_folder(folder, old) as staged:
        write_images(staged, registered.result, registered.warped_labels)
        if registered.evaluation is not None:
            registered.evaluation.to_csv(staged / 'metrics.csv')
        save_record(staged / 'run.json', registered.record())
        made = {file.name for file in staged.iterdir()}
    return [name for name in FILES if name in made]


def write_images(
    folder: Path,
    result: RegistrationResult,
    warped_labels: NDArray[Any] | None = None,
) -> None:
    """Write the images of a result to a folder; axes slowest first."""
    grid = result.field.grid
    images = {'warped': result.warped, **result.maps}
    for name, values in images.items():
        save_volume(folder / f'{name}.nii.gz', values, grid, axis_order='zyx')
    save_displacement(
        folder / 'displacement.nii.gz',
        result.field.voxels,
        grid,
        axis_order='zyx',
    )
    if warped_labels is not None:
        save_volume(
            folder / 'warped_labels.nii.gz',
            warped_labels,
            grid,
            labels=True,
            axis_order='zyx',
        )


def describe_model(entry: ModelEntry) -> dict[str, object]:
    """Return what a run record keeps of a model."""
    header = entry.header
    with entry.path.open('rb') as file:
        digest = hashlib.file_digest(file, 'sha256').hexdigest()
    return {
        'name': entry.name,
        'sha256': digest,
        'source': entry.source,
        'network': header.network,
        'scheme': header.scheme,
        'domain': header.domain,
        'licence': header.licence,
        'date': header.date,
    }
