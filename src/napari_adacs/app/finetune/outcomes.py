"""What came out of a run, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_adacs.runs.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADERS = ('Measure', 'Label', 'Before', 'After', 'p')
MEANINGS = (
    (
        'DSC: overlap of the registered labels, 1 is best. MSE: difference of '
        'the images, 0 is best.'
    ),
    'Value of the label.',
    'With the model that the run started from.',
    'With the model that came out.',
    'Of a Wilcoxon signed-rank test over the held-out pairs.',
)


def rows_of(outcome: Outcome) -> Sequence[tuple[str, ...]]:
    """Return the cells of the table of before and after."""
    return [
        (
            row.measure,
            str(row.label),
            _number(row.before),
            _number(row.after),
            _probability(row.p),
        )
        for row in outcome.rows
    ]


def offered(outcome: Outcome) -> str:
    """Say under which name the Register dock has the model."""
    if not outcome.offered_as:
        return f'The model is in {outcome.bundle}.'
    return f'Offered in the Register dock as {outcome.offered_as}.'


def _number(value: float | None) -> str:
    if value is None or value != value:
        return '–'
    return f'{value:.3f}' if abs(value) >= 0.01 else f'{value:.2g}'


def _probability(value: float | None) -> str:
    if value is None or value != value:
        return '–'
    return '< 0.001' if value < 0.001 else f'{value:.3f}'
