"""``napari-adacs models``."""

from __future__ import annotations

import textwrap
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence

from napari_adacs.cli.console import say
from napari_adacs.models.card import model_card
from napari_adacs.models.catalogue import remote_models
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
    card = model_card(entry.header)
    if chosen.markdown:
        say(card.to_markdown())
        return 0
    lines = [card.to_text(), '', f'File           {entry.path}']
    if chosen.recipe and entry.header.training:
        lines += ['', 'Recipe', *_tree(entry.header.training, 1)]
    say('\n'.join(lines))
    return 0


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        '  '.join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


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
