"""Is the difference to the reference model more than chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_adacs.benchmark.method import UNREGISTERED
from napari_adacs.benchmark.results import ASD, DSC, HD, Label, Metric, Results
from napari_adacs.evaluation.statistics import (
    bootstrap_interval,
    holm,
    paired_t_test,
    wilcoxon_test,
)
from napari_adacs.evaluation.tables import Cell

TESTED = (DSC, HD, ASD)


@dataclass(frozen=True)
class Difference:
    """A method beside the reference, for one metric of one label.

    Parameters
    ----------
    label : int or 'mean'
        The label.
    metric : str
        Heading of the metric.
    method, reference : str
        Names.
    pairs : int
        Cases that both have.
    mean : float
        Mean of method minus reference.
    low, high : float
        Its 95 % bootstrap interval.
    p_t, p_wilcoxon : float
        Two-sided p-values of paired tests, Holm-corrected for the number of
        methods that were compared.
    """

    label: Label
    metric: str
    method: str
    reference: str
    pairs: int
    mean: float
    low: float
    high: float
    p_t: float
    p_wilcoxon: float

    def as_dict(self) -> dict[str, Cell]:
        """Return the row of a table."""
        return {
            'label': self.label,
            'metric': self.metric,
            'method': self.method,
            'reference': self.reference,
            'pairs': self.pairs,
            'mean difference': self.mean,
            '95 % low': self.low,
            '95 % high': self.high,
            'p t-test (Holm)': self.p_t,
            'p Wilcoxon (Holm)': self.p_wilcoxon,
        }


def differences(results: Results, reference: str) -> list[Difference]:
    """Compare every method with the reference, on the cases both have.

    Parameters
    ----------
    results : Results
        All records.
    reference : str
        Name of the reference method.

    Returns
    -------
    list of Difference
        Without those for which fewer than two cases are complete.
    """
    others = [m for m in results.methods if m not in (reference, UNREGISTERED)]
    return [
        found
        for label in results.labels
        for metric in TESTED
        for found in _family(results, metric, label, reference, others)
    ]


def _family(
    results: Results,
    metric: Metric,
    label: Label,
    reference: str,
    others: list[str],
) -> list[Difference]:
    """Return one comparison per method; p-values corrected together."""
    base = results.values(metric, reference, label)
    columns = {
        method: results.values(metric, method, label) for method in others
    }
    tested = [
        method
        for method, column in columns.items()
        if np.isfinite(column - base).sum() > 1
    ]
    if not tested:
        return []
    t_tests = [paired_t_test(columns[m], base) for m in tested]
    ranks = [wilcoxon_test(columns[m], base) for m in tested]
    p_t, p_wilcoxon = (
        holm([test.p for test in tests]) for tests in (t_tests, ranks)
    )
    intervals = [
        bootstrap_interval(columns[m] - base, resamples=2000) for m in tested
    ]
    return [
        Difference(
            label,
            metric.heading,
            method,
            reference,
            t_tests[i].n,
            t_tests[i].mean_difference,
            intervals[i].low,
            intervals[i].high,
            float(p_t[i]),
            float(p_wilcoxon[i]),
        )
        for i, method in enumerate(tested)
    ]
