"""Records as columns: one value per case, aligned between methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_adacs.benchmark.task import Record
from napari_adacs.evaluation.before_after import Preset
from napari_adacs.evaluation.tables import Cell

Better = Literal['high', 'low', '']
Label = int | Literal['mean']
FloatArray = NDArray[np.float64]

_NAN = float('nan')


@dataclass(frozen=True)
class Metric:
    """A column of the tables.

    Parameters
    ----------
    key : str
        Name in a record.
    heading : str
        Heading, without unit.
    digits : int
        Decimals.
    better : {'high', 'low', ''}
        Which end is good; '' for neither.
    of_label : bool
        Whether each label has its own value.
    is_length : bool
        Whether it has the unit of the spacing.
    """

    key: str
    heading: str
    digits: int
    better: Better
    of_label: bool = True
    is_length: bool = False


DSC = Metric('dsc', 'DSC', 3, 'high')
HD = Metric('hd', 'HD', 2, 'low', is_length=True)
ASD = Metric('asd', 'ASD', 2, 'low', is_length=True)
FOLDED = Metric('folded_percent', 'folded %', 4, 'low', of_label=False)
SMOOTH = Metric('sd_log_jacobian', 'SDlogJ', 3, '', of_label=False)
SECONDS = Metric('seconds', 's', 2, 'low', of_label=False)
MEASURED = (
    DSC,
    Metric('jaccard', 'Jaccard', 3, 'high'),
    HD,
    Metric('hd95', 'HD95', 2, 'low', is_length=True),
    ASD,
    Metric('assd', 'ASSD', 2, 'low', is_length=True),
)
WHOLE = (FOLDED, SMOOTH, SECONDS)
ERROR = Metric('displacement_error', 'EPE', 2, 'low', False, True)


@dataclass(frozen=True, eq=False)
class Results:
    """All records of a benchmark.

    Parameters
    ----------
    records : sequence of dict
        One per case and method.
    """

    records: Sequence[Record]

    @cached_property
    def methods(self) -> list[str]:
        """Names of the methods, in order."""
        return list(dict.fromkeys(r['method'] for r in self.records))

    @cached_property
    def cases(self) -> list[str]:
        """Names of the cases, in order."""
        return list(dict.fromkeys(r['case'] for r in self.records))

    @cached_property
    def labels(self) -> list[Label]:
        """All labels that occur, ascending, and 'mean' if there are any."""
        found = {
            row['label']
            for record in self._done
            for row in record['scores']['labels'].get('default', [])
        }
        numbers: list[Label] = sorted(found - {'mean'})
        return [*numbers, 'mean'] if numbers else []

    @cached_property
    def units(self) -> str:
        """Unit of lengths: 'mm', 'voxel', or 'mixed' between cases."""
        found = {record['scores']['units'] for record in self._done}
        if len(found) > 1:
            return 'mixed'
        return found.pop() if found else 'voxel'

    @property
    def failed(self) -> list[Record]:
        """Records of what could not be done."""
        return [r for r in self.records if r['status'] != 'done']

    @property
    def knows_truth(self) -> bool:
        """Whether true displacements are known."""
        return any('displacement_error' in r['scores'] for r in self._done)

    def values(
        self,
        metric: Metric,
        method: str,
        label: Label = 'mean',
        preset: Preset = 'default',
    ) -> FloatArray:
        """Return one value per case; NaN where there is none.

        Parameters
        ----------
        metric : Metric
            What was measured.
        method : str
            Name of the method.
        label : int or 'mean', default: 'mean'
            The label, for metrics that have one.
        preset : {'default', 'code'}, default: 'default'
            The rules of metrics per label.
        """
        return np.array(
            [
                _number(self._value(metric, method, case, label, preset))
                for case in self.cases
            ],
            dtype=np.float64,
        )

    def flagged(
        self, method: str, label: Label, preset: Preset = 'default'
    ) -> int:
        """Return how many cases have an empty mask among their labels."""
        return sum(
            bool(row and row['flags'])
            for row in (
                self._row(method, case, label, preset) for case in self.cases
            )
        )

    def maps(self, method: str, name: str) -> list[dict[str, Any]]:
        """Return the scores of a map, of the cases that have it."""
        return [
            record['scores']['maps'][name]
            for record in self._done
            if record['method'] == method and name in record['scores']['maps']
        ]

    def tidy(self) -> list[dict[str, Cell]]:
        """Return one row per case, method and label."""
        return [
            row for record in self.records for row in _tidy(record, self.units)
        ]

    @property
    def _done(self) -> Iterator[Record]:
        return (r for r in self.records if r['status'] == 'done')

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], Record]:
        return {(r['method'], r['case']): r for r in self._done}

    def _row(
        self, method: str, case: str, label: Label, preset: Preset
    ) -> dict[str, Any] | None:
        record = self._by_name.get((method, case))
        if record is None:
            return None
        rows = record['scores']['labels'].get(preset, [])
        return next((r for r in rows if r['label'] == label), None)

    def _value(
        self,
        metric: Metric,
        method: str,
        case: str,
        label: Label,
        preset: Preset,
    ) -> Any:
        if metric.of_label:
            row = self._row(method, case, label, preset)
            return None if row is None else row[metric.key]
        record = self._by_name.get((method, case))
        return None if record is None else _whole(record, metric)


def _whole(record: Record, metric: Metric) -> Any:
    """Return a number that belongs to the case as a whole."""
    if metric is SECONDS:
        return record['seconds']
    if metric is ERROR:
        return record['scores'].get('displacement_error', {}).get('mean')
    return record['scores']['folding'][metric.key]


def _tidy(record: Record, units: str) -> Iterator[dict[str, Cell]]:
    head: dict[str, Cell] = {
        'case': record['case'],
        'method': record['method'],
        'status': record['status'],
    }
    scores = record.get('scores', {})
    default = scores.get('labels', {}).get('default') or [{'label': ''}]
    code = scores.get('labels', {}).get('code') or [{}] * len(default)
    whole: dict[str, Cell] = {
        metric.heading: _whole(record, metric) if scores else None
        for metric in (*WHOLE, ERROR)
    }
    for row, theirs in zip(default, code, strict=True):
        yield {
            **head,
            'label': row['label'],
            **{m.heading: row.get(m.key) for m in MEASURED},
            **{f'{m.heading} code': theirs.get(m.key) for m in MEASURED},
            **{
                f'volume {which}': row.get(f'volume_{which}')
                for which in ('moving', 'fixed', 'warped')
            },
            **whole,
            'units': units,
            'notes': '; '.join(
                [*row.get('flags', []), *filter(None, [record['sentence']])]
            ),
        }


def _number(value: Any) -> float:
    return _NAN if value is None else float(value)
