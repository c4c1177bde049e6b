"""The report: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from napari_adacs.benchmark.method import UNREGISTERED
from napari_adacs.benchmark.results import DSC, Results
from napari_adacs.benchmark.significance import Difference
from napari_adacs.benchmark.summary import SummaryTable
from napari_adacs.benchmark.text_tables import html

_WORST = 10
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1150px;
  margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: 0.5em 0; }
th, td { padding: 0.25em 0.7em; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 2px solid #222; border-top: 2px solid #222; }
tbody tr:last-child td { border-bottom: 2px solid #222; }
tbody tr:hover { background: #f3f6f9; }
svg { max-width: 100%; height: auto; display: block; margin: 1em 0; }
.note { color: #555; font-size: 13px; margin: 0.2em 0; }
code { background: #f3f3f3; padding: 0 0.3em; overflow-wrap: anywhere; }
details { margin: 1em 0; }
summary { cursor: pointer; font-weight: bold; }
"""


def report(
    title: str,
    facts: Mapping[str, str],
    results: Results,
    tables: Sequence[SummaryTable],
    tests: Sequence[Difference],
    plots: Mapping[str, str],
) -> str:
    """Write everything into one page.

    Parameters
    ----------
    title : str
        Title of the page.
    facts : mapping of str to str
        What was run: data, command, versions.
    results : Results
        All records.
    tables : sequence of SummaryTable
        Tables, in order.
    tests : sequence of Difference
        Comparisons with the reference.
    plots : mapping of str to str
        SVG documents by name; they become part of the page.

    Returns
    -------
    str
        An HTML document without scripts, style sheets or pictures of its
        own outside.
    """
    parts = [
        f'<h1>{escape(title)}</h1>',
        _facts(facts),
        *map(html, tables),
        _tests(tests),
        *(plots.values()),
        _worst(results),
        _failures(results),
        _every_case(results),
    ]
    body = '\n'.join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<title>{escape(title)}</title><style>{_STYLE}</style></head>\n'
        f'<body>\n{body}\n</body></html>\n'
    )


def _facts(facts: Mapping[str, str]) -> str:
    rows = ''.join(
        f'<p class="note">{escape(name)}: <code>{escape(value)}</code></p>'
        for name, value in facts.items()
    )
    return f'<div>{rows}</div>'


def _tests(tests: Sequence[Difference]) -> str:
    if not tests:
        return ''
    heads = list(tests[0].as_dict())
    rows = [
        [_number(name, value) for name, value in test.as_dict().items()]
        for test in tests
    ]
    return (
        f'<details><summary>Differences from {escape(tests[0].reference)}, '
        'tested</summary>'
        + _table(heads, rows)
        + '<p class="note">Method minus reference on the cases both have; '
        '95 % bootstrap interval; two-sided paired tests, p-values corrected '
        'by Holm over the methods of one label and metric.</p></details>'
    )


def _worst(results: Results) -> str:
    """List the cases in which a registration did worst."""
    if not results.labels:
        return ''
    before = results.values(DSC, UNREGISTERED)
    found = [
        (float(value), case, method, float(start))
        for method in results.methods
        if method != UNREGISTERED
        for case, value, start in zip(
            results.cases, results.values(DSC, method), before, strict=True
        )
        if np.isfinite(value)
    ]
    rows = [
        [case, method, f'{start:.3f}', f'{value:.3f}']
        for value, case, method, start in sorted(found)[:_WORST]
    ]
    return '<h2>Worst cases</h2>' + _table(
        ['case', 'method', 'DSC without', 'DSC'], rows
    )


def _failures(results: Results) -> str:
    if not results.failed:
        return ''
    rows = [
        [record['case'], record['method'], record['sentence']]
        for record in results.failed
    ]
    return '<h2>What failed</h2>' + _table(['case', 'method', 'why'], rows)


def _every_case(results: Results) -> str:
    if not results.labels:
        return ''
    columns = [results.values(DSC, method) for method in results.methods]
    rows = [
        [case, *(f'{v:.3f}' if np.isfinite(v) else '–' for v in values)]
        for case, *values in zip(results.cases, *columns, strict=True)
    ]
    return (
        '<details><summary>DSC of every case, mean over labels</summary>'
        + _table(['case', *results.methods], rows)
        + '</details>'
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = ''.join(f'<th>{escape(head)}</th>' for head in heads)
    lines = '\n'.join(
        '<tr>' + ''.join(f'<td>{escape(c)}</td>' for c in row) + '</tr>'
        for row in rows
    )
    return (
        f'<table><thead><tr>{top}</tr></thead><tbody>\n{lines}\n'
        '</tbody></table>'
    )


def _number(name: str, value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f'{value:.2g}' if name.startswith('p ') else f'{value:+.4f}'
