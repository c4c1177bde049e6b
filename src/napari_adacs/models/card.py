"""The card of a model: what its header says, for people (no torch)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from napari_adacs.models.card_tables import Table, tables
from napari_adacs.models.header import ModelHeader

USE = (
    'Research on images like those it was trained on. Not for diagnosis or '
    'treatment; look at every result.'
)
_UNKNOWN = 'not recorded'
_LINE = 79
_NAMES = 15  # letters for the names of facts

Fact = tuple[str, str]


@dataclass(frozen=True)
class ModelCard:
    """What a person should know of a model.

    Parameters
    ----------
    title, description : str
        What it is.
    facts : tuple of (str, str)
        Its name, networks, input, licence.
    training : tuple of (str, str)
        Data, split, labels, steps, time.
    commands : tuple of str
        What makes it again, one after the other.
    measured : tuple of Table
        Figures by data set, with intervals, folding and failures.
    use : str
        What it is for.
    limits : str
        Where it is known to fail, beyond the worst cases of the tables.
    """

    title: str
    description: str
    facts: tuple[Fact, ...]
    training: tuple[Fact, ...]
    commands: tuple[str, ...]
    measured: tuple[Table, ...]
    use: str
    limits: str = ''

    def to_text(self) -> str:
        """Return the card for a terminal."""
        lines = [self.title, *_wrapped(self.description), '']
        lines += _aligned(self.facts)
        lines += ['', 'Training', *_aligned(self.training)]
        if self.commands:
            lines += ['', 'Make it again']
            lines += [f'  {command}' for command in self.commands]
        for table in self.measured:
            lines += ['', f'Measured: {table.title}', *_columns(table)]
            for remark in table.remarks:
                lines += _wrapped(remark, '  ')
        if self.limits:
            lines += ['', 'Known to fail', *_wrapped(self.limits)]
        return '\n'.join([*lines, '', 'Intended use', *_wrapped(self.use)])

    def to_markdown(self, level: int = 2) -> str:
        """Return the card in Markdown.

        Parameters
        ----------
        level : int, default: 2
            Of its heading.
        """
        head, below = '#' * level, '#' * (level + 1)
        parts = [f'{head} {self.title}']
        if self.description:
            parts.append(self.description)
        for title, facts in (('', self.facts), ('Training', self.training)):
            if title:
                parts.append(f'{below} {title}')
            parts.append('\n'.join(f'- **{n}**: {text}' for n, text in facts))
        if self.commands:
            commands = '\n'.join(self.commands)
            parts += [f'{below} Make it again', f'```\n{commands}\n```']
        for table in self.measured:
            parts += [f'{below} Measured: {table.title}', *_marked(table)]
        if self.limits:
            parts += [f'{below} Known to fail', self.limits]
        parts += [f'{below} Intended use', self.use]
        return '\n\n'.join(parts) + '\n'


def model_card(header: ModelHeader) -> ModelCard:
    """Return the card of a model.

    Parameters
    ----------
    header : ModelHeader
        Its header.
    """
    run = _section(header.training, 'run')
    trained = header.network != 'identity'
    return ModelCard(
        header.title or header.name,
        header.description,
        tuple((name, text) for name, text in _facts(header) if text),
        tuple(_training(header, run)) if trained else (('data', 'none'),),
        tuple(str(stage['command']) for stage in _stages(run)),
        tuple(tables(header.metrics)),
        str(run.get('intended use', USE)),
        str(_section(header.training, 'info').get('limits', '')),
    )


def _facts(header: ModelHeader) -> list[Fact]:
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


def _training(
    header: ModelHeader, run: Mapping[str, object]
) -> Iterator[Fact]:
    yield 'data', _pairs(run.get('pairs'))
    yield 'split', str(run.get('split', _UNKNOWN))
    yield 'labels', str(run.get('labels', _labels(header.training)))
    weight = header.training.get('motion_weight')
    if weight:
        yield 'known motion', f'of phantoms, weight {weight:g}'
    start = run.get('started from') or header.training.get('start_from')
    if start:
        # Older bundles hold paths of the computer they were trained on.
        name = str(start).replace('\\', '/').split('/')
        own = name[-1] if len(name) == 1 else 'a model of its own'
        yield 'started from', own
    steps = run.get('steps')
    if steps is not None:
        yield 'steps', str(steps)
    yield 'time', _time(run)
    if 'device' in run:
        yield 'device', str(run['device'])


def _pairs(pairs: object) -> str:
    if not isinstance(pairs, Mapping) or not pairs:
        return str(pairs) if isinstance(pairs, str) else _UNKNOWN
    texts = []
    for source, uses in pairs.items():
        if isinstance(uses, Mapping):
            uses = ', '.join(f'{count} {use}' for use, count in uses.items())
        texts.append(f'{source} ({uses})')
    return '; '.join(texts)


def _labels(training: Mapping[str, object]) -> str:
    weight = training.get('dice_weight')
    if not isinstance(weight, int | float):
        return _UNKNOWN
    if weight <= 0:
        return 'not used for training'
    which = training.get('dice_labels')
    named = which if isinstance(which, list | tuple) else ()
    chosen = ', '.join(map(str, named)) or 'drawn at every step'
    return f'Dice of labels {chosen}, weight {weight:g}'


def _time(run: Mapping[str, object]) -> str:
    stages = [(s, s.get('seconds')) for s in _stages(run)]
    known = [float(t) for _, t in stages if isinstance(t, int | float)]
    if not known:
        seconds = run.get('seconds')
        if isinstance(seconds, int | float):
            return _duration(seconds)
        return str(seconds) if seconds else _UNKNOWN
    whole = _duration(sum(known))
    if len(known) == 1:
        return whole
    parts = ' + '.join(map(_duration, known))
    return f'{whole} in {len(known)} stages ({parts})'


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return f'{seconds:.0f} s'
    if minutes < 100:
        return f'{minutes:.0f} min'
    return f'{minutes / 60:.1f} h'


def _stages(run: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return the runs behind a model that say their command, in order."""
    earlier = run.get('earlier')
    found = list(earlier) if isinstance(earlier, list | tuple) else []
    return [
        stage
        for stage in [*found, run]
        if isinstance(stage, Mapping) and 'command' in stage
    ]


def _section(values: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}


def _wrapped(text: str, margin: str = '') -> list[str]:
    return textwrap.wrap(
        text, _LINE, initial_indent=margin, subsequent_indent=margin
    )


def _aligned(facts: Sequence[Fact]) -> list[str]:
    lines = []
    for name, text in facts:
        lines += textwrap.wrap(
            f'{name:{_NAMES}}{text}',
            _LINE,
            subsequent_indent=' ' * _NAMES,
            break_on_hyphens=False,
        )
    return lines


def _columns(table: Table) -> list[str]:
    rows = [table.heads, *table.rows] if table.rows else []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        '  '
        + '  '.join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _marked(table: Table) -> Iterator[str]:
    """Yield a table and its remarks in Markdown."""
    if table.rows:
        lines = [table.heads, tuple('---' for _ in table.heads), *table.rows]
        yield '\n'.join(f'| {" | ".join(line)} |' for line in lines)
    if table.remarks:
        yield '\n'.join(f'- {remark}' for remark in table.remarks)
