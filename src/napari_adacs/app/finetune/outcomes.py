"""What came out of a run, for people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_adacs.errors import AdacsError
from napari_adacs.io.atomic import atomic_path
from napari_adacs.runs.keep import keep
from napari_adacs.runs.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADERS = ('', 'Without', 'Before', 'After', 'p')
# Says under which name the model of a run is offered: a person who removes
# it from the model folder does not find it there again.
_OFFERED = 'offered_as.txt'
_DIGITS = {'DSC': 3, 'HD': 1, 'ASD': 2}


@dataclass(frozen=True, eq=False)
class Offer:
    """The model of a run, and where it is.

    Parameters
    ----------
    outcome : Outcome
        What came out.
    name : str
        Name in the model folder; '' if it could not be put there.
    problem : str, default: ''
        Why not.
    """

    outcome: Outcome
    name: str
    problem: str = ''

    @property
    def model(self) -> str:
        """What it is chosen by."""
        return self.name or str(self.outcome.bundle)

    @property
    def sentence(self) -> str:
        """Where it is, in words."""
        pairs = max((row.n for row in self.outcome.rows), default=0)
        measured = ''
        if pairs:
            held_out = 'pair' if pairs == 1 else 'pairs'
            measured = f' Measured on {pairs} held-out {held_out}.'
        if self.name:
            return f'Offered in the Register dock as {self.name}.{measured}'
        return f'{self.problem} It is {self.outcome.bundle}.{measured}'


def offer(folder: Path, outcome: Outcome) -> Offer:
    """Put the model of a run into the model folder, once; in a worker."""
    marker = folder / _OFFERED
    if marker.is_file():
        return Offer(outcome, marker.read_text('utf-8').strip())
    try:
        name = keep(folder).name
        with atomic_path(marker) as temporary:
            temporary.write_text(name, 'utf-8')
    except AdacsError as error:
        return Offer(outcome, '', str(error))
    return Offer(outcome, name)


def meanings(outcome: Outcome) -> tuple[str, ...]:
    """Return what each column is."""
    patients = max((row.patients for row in outcome.rows), default=0)
    return (
        (
            'DSC: overlap of labels, 1 is best. HD, ASD: distances of their '
            'surfaces; MSE: difference of the images; 0 is best.'
        ),
        'Without registration.',
        f'With {outcome.before_name}.',
        'With the model that came out.',
        f'Wilcoxon signed-rank test over {patients} patients.',
    )


def rows_of(outcome: Outcome) -> Sequence[tuple[str, ...]]:
    """Return the cells of the table of before and after."""
    return [
        (
            _title(row.measure, row.label, row.unit),
            _number(row.unregistered, row.measure),
            _number(row.before, row.measure),
            _number(row.after, row.measure),
            _probability(row.p),
        )
        for row in outcome.rows
    ]


def _title(measure: str, label: str, unit: str) -> str:
    words = [measure, label, f'({unit})' if unit and unit != '%' else '']
    return ' '.join(filter(None, words))


def _number(value: float, measure: str) -> str:
    if math.isnan(value):
        return '–'
    digits = _DIGITS.get(measure)
    return f'{value:.3g}' if digits is None else f'{value:.{digits}f}'


def _probability(value: float) -> str:
    if math.isnan(value):
        return '–'
    return '<\N{NO-BREAK SPACE}0.001' if value < 0.001 else f'{value:.3f}'
