"""``napari-adacs models``."""

from __future__ import annotations

import textwrap
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence

from napari_adacs.cli.console import say
from napari_adacs.models.catalogue import remote_models
from napari_adacs.models.header import ModelHeader
from napari_adacs.models.library import find_model, list_models, user_folder

_HEADS = ('NAME', 'AXES', 'SCHEME', 'DOMAIN', 'LICENCE', 'SOURCE')
_LINE = 79


def run_list(chosen: Namespace) -> int:
    """Print a line per model, default models first."""
    rows = [
        (
            entry.name,
            f'{entry.header.ndim}D',
            entry.header.scheme,
            entry.header.domain or '-',
            entry.header.licence or '-',
            entry.source,
        )
        for entry in list_models()
    ]
    here = {row[0] for row in rows}
    rows += [
        (
            model.name,
            f'{model.ndim}D' if model.ndim else '-',
            model.scheme or '-',
            model.domain or '-',
            model.licence or '-',
            'remote',
        )
        for model in remote_models()
        if model.name not in here
    ]
    say('\n'.join(_columns([_HEADS, *rows])))
    say(
        f'\nYour own models: {user_folder()}. Remote ones: napari-adacs '
        'models download NAME.'
    )
    return 0


def run_show(chosen: Namespace) -> int:
    """Print what a model is, where it comes from and how good it was."""
    entry = find_model(chosen.name)
    header = entry.header
    lines = [header.title or entry.name, *_wrapped(header.description), '']
    lines += _columns([(name, text) for name, text in _facts(header) if text])
    lines.append(f'file           {entry.path}')
    for title, values in (
        ('trained with', header.training),
        ('measured', header.metrics),
    ):
        if values:
            lines += ['', title, *_tree(values, 1)]
    say('\n'.join(lines))
    return 0


def _facts(header: ModelHeader) -> list[tuple[str, str]]:
    preparation = header.preprocessing
    grid = ' x '.join(str(n) for n in preparation.shape)
    return [
        ('name', header.name),
        ('axes', f'{header.ndim}D'),
        ('domain', header.domain),
        ('network', header.network),
        ('weighting', header.scheme),
        ('maps from', ', '.join(header.auxiliaries) or 'none'),
        (
            'network grid',
            {
                'resize': grid,
                'pad': 'native',
                'fit': f'native, or {grid} for much larger images',
            }[preparation.grid],
        ),
        ('orientation', preparation.orientation),
        ('intensities', preparation.intensity),
        ('licence', header.licence),
        ('date', header.date),
    ]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if len(widths) == 2:
        widths[0] = 13
    return [
        '  '.join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _LINE)


def _tree(values: Mapping[str, object], depth: int) -> Iterator[str]:
    """Yield nested values as indented lines."""
    margin = '  ' * depth
    for key, value in values.items():
        if isinstance(value, Mapping):
            if value:
                yield f'{margin}{key}'
                yield from _tree(value, depth + 1)
            continue
        if isinstance(value, float):
            value = f'{value:.4g}'
        elif isinstance(value, list | tuple):
            value = ' '.join(str(item) for item in value)
        yield from textwrap.wrap(
            f'{margin}{key}: {value}',
            _LINE,
            subsequent_indent=f'{margin}    ',
        )
