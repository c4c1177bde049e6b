"""What came out of a run."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_adacs.errors import ModelError
from napari_adacs.io.atomic import atomic_path
from napari_adacs.models.bundle import read_header
from napari_adacs.runs.files import OUTCOME
from napari_adacs.training.run_files import BEST, MODEL

# What a run without a model to start from is compared with.
NO_REGISTRATION = 'no registration'
_LARGER_IS_BETTER = {'DSC', 'NCC'}


@dataclass(frozen=True)
class Comparison:
    """One measure before and after training, over held-out pairs.

    Parameters
    ----------
    measure : str
        'DSC', 'HD', 'ASD', 'MSE', 'NCC' or 'folded %'.
    label : str
        Value of the label, 'mean' over labels, or '' of the whole image.
    unit : str
        'mm' or 'voxel' of a distance, else ''.
    unregistered, before, after : float
        Means over the pairs: without registration, by the model that
        training started from, by the trained one. NaN where undefined.
    n, patients : int
        Number of pairs that have a value, and of their patients.
    p : float
        Two-sided Wilcoxon signed-rank test of after against before, over
        the means of patients; NaN with fewer than two.
    """

    measure: str
    label: str
    unit: str
    unregistered: float
    before: float
    after: float
    n: int
    patients: int
    p: float

    @property
    def better(self) -> bool | None:
        """Whether training has helped; None if nothing changed."""
        change = self.after - self.before
        if change == 0 or math.isnan(change):
            return None
        return (change > 0) == (self.measure in _LARGER_IS_BETTER)


@dataclass(frozen=True)
class Outcome:
    """What came out of a run.

    Parameters
    ----------
    bundle : Path
        The model, in the folder of the run.
    name : str
        What it is called.
    before_name : str
        The model that it started from, or 'no registration'.
    rows : tuple of Comparison
        Before and after; empty without held-out pairs.
    seconds : float
        Time the run took, pauses left out.
    kept_as : str
        Name among the user's models, '' if it was not copied there.
    """

    bundle: Path
    name: str
    before_name: str
    rows: tuple[Comparison, ...]
    seconds: float
    kept_as: str = ''


def write_comparisons(
    folder: Path, rows: Sequence[Comparison], before_name: str
) -> None:
    """Write the table of a run, atomically."""
    with (
        atomic_path(folder / OUTCOME) as temporary,
        open(temporary, 'w', newline='', encoding='utf-8') as file,
    ):
        writer = csv.writer(file)
        names = [field.name for field in dataclasses.fields(Comparison)]
        writer.writerow([*names, 'started from'])
        for row in rows:
            cells = map(_cell, dataclasses.astuple(row))
            writer.writerow([*cells, before_name])


def _cell(value: object) -> object:
    return f'{value:.6g}' if isinstance(value, float) else value


def read_comparisons(folder: Path) -> tuple[tuple[Comparison, ...], str]:
    """Return the table of a run and what it started from; empty if none."""
    try:
        with (folder / OUTCOME).open(newline='', encoding='utf-8') as file:
            found = list(csv.DictReader(file))
        rows = tuple(_row(values) for values in found)
    except (OSError, ValueError, KeyError, TypeError):
        return (), ''
    return rows, found[0]['started from'] if found else ''


def _row(values: dict[str, str]) -> Comparison:
    return Comparison(
        values['measure'],
        values['label'],
        values['unit'],
        float(values['unregistered']),
        float(values['before']),
        float(values['after']),
        int(values['n']),
        int(values['patients']),
        float(values['p']),
    )


def read_outcome(folder: Path, seconds: float) -> Outcome | None:
    """Return what came out of a run; None without a model.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    seconds : float
        Time it took.
    """
    bundle = bundle_of(folder)
    if bundle is None:
        return None
    header = read_header(bundle)
    rows, before_name = read_comparisons(folder)
    return Outcome(bundle, header.name, before_name, rows, seconds)


def bundle_of(folder: Path) -> Path | None:
    """Return the model of a run: the last one, or the best before it."""
    for name in (MODEL, BEST):
        path = folder / name
        try:
            read_header(path)
        except ModelError:
            continue
        return path
    return None
