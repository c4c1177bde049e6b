"""Names and shapes of the entries of published state dicts.

A line of a table reads: name, then ``w`` and ``b`` for the shapes of its
weight and bias, or ``buffer/param`` for an entry of just that name.
``{Lk}`` is stage k; ``{i}`` counts as often as ``xN`` at the end says.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

_FOLDER = Path(__file__).parent / 'key_tables'
_SHAPE = re.compile(r'\(([\d, ]*)\)')


def published_keys(table: str) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all entries of a published state dict."""
    keys: dict[str, tuple[int, ...]] = {}
    for line in (_FOLDER / f'{table}.txt').read_text().splitlines():
        name, rest = line.split(' ', 1)
        name = re.sub(r'\{L(\d)\}', r'\1', name)
        repeated = re.search(r' x(\d+)$', rest)
        for i in range(int(repeated[1]) if repeated else 1):
            keys.update(_entries(name.replace('{i}', str(i)), rest))
    return keys


def _entries(name: str, rest: str) -> dict[str, tuple[int, ...]]:
    shapes = [
        ast.literal_eval(f'({s},)'.replace(',,', ','))
        for s in _SHAPE.findall(rest)
    ]
    if rest.startswith('buffer/param'):
        return {name: shapes[0]}
    suffixes = ('weight', 'bias')
    return {
        f'{name}.{s}': shape
        for s, shape in zip(suffixes, shapes, strict=False)
    }
