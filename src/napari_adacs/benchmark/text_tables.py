"""Summary tables as Markdown, LaTeX and HTML."""

from __future__ import annotations

from html import escape

from napari_adacs.benchmark.summary import Entry, SummaryTable

_MARKDOWN = {0: '{}', 1: '**{}**', 2: '_{}_'}
_LATEX = {0: '{}', 1: r'\textbf{{{}}}', 2: r'\underline{{{}}}'}
_HTML = {0: '{}', 1: '<b>{}</b>', 2: '<u>{}</u>'}
_LATEX_CHARACTERS = {
    '\\': r'\textbackslash{}',
    '%': r'\%',
    '_': r'\_',
    '&': r'\&',
    '#': r'\#',
    '$': r'\$',
    '{': r'\{',
    '}': r'\}',
    '±': r'$\pm$',
    '↑': r'$\uparrow$',
    '↓': r'$\downarrow$',
    '–': '--',
}


def markdown(table: SummaryTable) -> str:
    """Return a table as GitHub Markdown, with its title and notes."""
    lines = [f'### {table.title}', '', _line(table.heads)]
    lines.append(_line([':---', *['---:'] * (len(table.heads) - 1)]))
    lines += [
        _line([_MARKDOWN[e.place].format(_bar(e.text)) for e in row])
        for row in table.rows
    ]
    return '\n'.join([*lines, '', *table.notes]) + '\n'


def latex(table: SummaryTable) -> str:
    """Return a table for LaTeX with the package booktabs."""
    columns = 'l' + 'r' * (len(table.heads) - 1)
    lines = [
        r'\begin{table}',
        r'\centering',
        rf'\caption{{{tex(table.title)}. {tex(" ".join(table.notes))}}}',
        rf'\begin{{tabular}}{{{columns}}}',
        r'\toprule',
        ' & '.join(map(tex, table.heads)) + r' \\',
        r'\midrule',
        *(' & '.join(map(_tex_cell, row)) + r' \\' for row in table.rows),
        r'\bottomrule',
        r'\end{tabular}',
        r'\end{table}',
    ]
    return '\n'.join(lines) + '\n'


def html(table: SummaryTable) -> str:
    """Return a table as HTML, with its title and notes."""
    heads = ''.join(f'<th>{escape(head)}</th>' for head in table.heads)
    rows = '\n'.join(
        '<tr>'
        + ''.join(
            f'<td>{_HTML[e.place].format(escape(e.text))}</td>' for e in row
        )
        + '</tr>'
        for row in table.rows
    )
    notes = ''.join(
        f'<p class="note">{escape(note)}</p>' for note in table.notes
    )
    return (
        f'<h3>{escape(table.title)}</h3>\n<table><thead><tr>{heads}</tr>'
        f'</thead><tbody>\n{rows}\n</tbody></table>\n{notes}'
    )


def tex(text: str) -> str:
    """Return a text with what LaTeX takes for commands escaped."""
    return ''.join(_LATEX_CHARACTERS.get(c, c) for c in text)


def _tex_cell(entry: Entry) -> str:
    return _LATEX[entry.place].format(tex(entry.text))


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f'| {" | ".join(cells)} |'


def _bar(text: str) -> str:
    return text.replace('|', '\\|')
