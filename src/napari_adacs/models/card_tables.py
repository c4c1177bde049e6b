"""The figures in a model's header as tables.

Two kinds are known by their keys: what `recipes/finish.py` measures, a
mapping of measures to mappings of labels, and what training measures before
and after, a mapping of measures to their two values. Anything else is listed
as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Values = Mapping[str, object]

# Measures that have a value per label, in order.
_MEASURES = ('DSC', 'HD', 'ASD')
_BEFORE, _INTERVAL = ' before', ' 95% CI'


@dataclass(frozen=True)
class Table:
    """Figures of one data set.

    Parameters
    ----------
    title : str
        The data.
    heads : tuple of str
        Of the columns.
    rows : tuple of tuple of str
        Cells.
    remarks : tuple of str
        Number of cases, folding, failures.
    """

    title: str
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    remarks: tuple[str, ...] = ()


def tables(metrics: Values) -> Iterator[Table]:
    """Yield a table per data set."""
    for title, values in metrics.items():
        if not isinstance(values, Mapping):
            yield Table(title, remarks=(number(values),))
        elif isinstance(values.get('DSC'), Mapping) and 'cases' in values:
            yield _overlap(title, values)
        elif values and all(
            isinstance(v, Mapping) and 'after' in v for v in values.values()
        ):
            yield _before_after(title, values)
        else:
            yield Table(title, remarks=tuple(_lines(values)))


def number(value: object) -> str:
    """Return a value with a sensible number of digits."""
    if isinstance(value, float):
        return f'{value:.3g}'
    if isinstance(value, list | tuple):
        return ' to '.join(number(v) for v in value)
    return str(value)


def _overlap(title: str, values: Values) -> Table:
    measures = [m for m in _MEASURES if isinstance(values.get(m), Mapping)]
    heads = ['label']
    for measure in measures:
        heads += [f'{measure} before', measure, '95 % CI']
    labels = list(_of(values, 'DSC'))
    rows = [
        (
            label,
            *(
                _cell(_of(values, f'{measure}{what}').get(label))
                for measure in measures
                for what in (_BEFORE, '', _INTERVAL)
            ),
        )
        for label in labels
    ]
    return Table(title, tuple(heads), tuple(rows), tuple(_remarks(values)))


def _remarks(values: Values) -> Iterator[str]:
    patients = values.get('patients')
    of_patients = f' of {patients} patients' if patients is not None else ''
    yield f'{values["cases"]} pairs{of_patients}'
    if 'folded %' in values:
        yield f'folded voxels: {number(values["folded %"])} %'
    failures = values.get('failures')
    if isinstance(failures, Sequence) and failures:
        told = '; '.join(_failure(f) for f in failures)
        yield f'worst cases: {told}'
    if 'units' in values:
        yield f'distances in {values["units"]}'


def _failure(failure: object) -> str:
    if not isinstance(failure, Mapping):
        return str(failure)
    before, after = (_cell(failure.get(k)) for k in ('DSC before', 'DSC'))
    text = f'{failure.get("case")}, mean DSC {before} -> {after}'
    labels = failure.get('labels')
    if isinstance(labels, Mapping):
        parts = ', '.join(f'{k} {_cell(v)}' for k, v in labels.items())
        text += f' ({parts})'
    folded = failure.get('folded %')
    return f'{text}, {number(folded)} % folded' if folded else text


def _before_after(title: str, values: Values) -> Table:
    heads = ('measure', 'unregistered', 'start', 'model', 'p', 'pairs')
    rows = []
    for measure, found in values.items():
        assert isinstance(found, Mapping)
        unit = f' ({found["unit"]})' if found.get('unit') else ''
        rows.append(
            (
                f'{measure}{unit}',
                *(
                    _cell(found.get(key))
                    for key in ('unregistered', 'before', 'after', 'p')
                ),
                _cell(found.get('pairs')),
            )
        )
    return Table(title, heads, tuple(rows))


def _lines(values: Values, lead: str = '') -> Iterator[str]:
    for key, value in values.items():
        name = f'{lead}{key}'
        if isinstance(value, Mapping):
            yield from _lines(value, f'{name}, ')
        else:
            yield f'{name}: {number(value)}'


def _of(values: Values, key: str) -> Values:
    found = values.get(key)
    if not isinstance(found, Mapping):
        return {}
    return {str(k): v for k, v in found.items()}


def _cell(value: object) -> str:
    return '-' if value is None else number(value)
