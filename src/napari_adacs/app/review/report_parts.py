"""Pieces of HTML that a report is put together from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from napari_adacs.app.review.verdicts import Verdict

if TYPE_CHECKING:
    from napari_adacs.app.review.verdicts import Judgement
    from napari_adacs.evaluation.slices import SliceFigures

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1d1f22;
  background: #fff; max-width: 1100px; margin: 2rem auto;
  padding: 0 1.5rem; }}
h1 {{ font-size: 1.5rem; margin-bottom: 0.2rem; overflow-wrap: anywhere; }}
h2 {{ font-size: 1.15rem; margin-top: 2.2rem; padding-bottom: 0.2rem;
  border-bottom: 1px solid #d5d8dc; }}
h3 {{ font-size: 1rem; margin-bottom: 0.2rem; }}
.quiet {{ color: #5b6066; font-size: 0.87rem; margin-top: 0.2rem; }}
.note {{ margin: 0.3rem 0; padding-left: 0.7rem;
  border-left: 3px solid #b4b9bf; white-space: pre-wrap; }}
.row {{ display: flex; flex-wrap: wrap; gap: 0.6rem; }}
figure {{ margin: 0; }}
figure img {{ display: block; width: 174px; background: #000; }}
th {{ white-space: nowrap; }}
figcaption {{ font-size: 0.75rem; max-width: 174px; color: #5b6066;
  text-align: center; }}
section {{ break-inside: avoid; margin-bottom: 1.4rem; }}
table {{ border-collapse: collapse; font-size: 0.87rem; }}
th, td {{ padding: 0.15rem 0.8rem 0.15rem 0; text-align: left;
  vertical-align: top; border-bottom: 1px solid #eceef0;
  overflow-wrap: anywhere; }}
th {{ font-weight: 600; }}
pre {{ background: #f4f5f6; padding: 0.7rem; overflow-x: auto;
  font-size: 0.8rem; white-space: pre-wrap; overflow-wrap: anywhere; }}
details {{ margin-top: 1.2rem; overflow-x: auto; }}
summary {{ cursor: pointer; font-weight: 600; }}
svg {{ max-width: 100%; height: auto; }}
@media print {{ body {{ margin: 0; max-width: none; }} }}
</style>
</head>
<body>
{body}
</body>
</html>
"""
_WIDTH, _HEIGHT, _STRIP = 1000, 90, 14


def badge(verdict: Verdict, size: int = 18) -> str:
    """Return the sign of a verdict: shape, letter and colour."""
    shape = {
        Verdict.ACCEPT: '<circle cx="9" cy="9" r="8.5" {fill}/>',
        Verdict.FLAG: '<path d="M9 0 L18 18 L0 18 Z" {fill}/>',
        Verdict.REJECT: '<rect width="18" height="18" {fill}/>',
    }[verdict].format(fill=f'fill="{verdict.colour}"')
    y = 16 if verdict is Verdict.FLAG else 13
    return (
        f'<svg width="{size}" height="{size}" viewBox="0 0 18 18" role="img" '
        f'aria-label="{verdict.past}" style="vertical-align:-3px">{shape}'
        f'<text x="9" y="{y}" font-size="11" font-weight="bold" '
        f'text-anchor="middle">{verdict.letter}</text></svg>'
    )


def curve(figures: SliceFigures, judgements: Mapping[int, Judgement]) -> str:
    """Return the suspicion over the slices, with the verdicts below it."""
    values = figures.suspicion
    step = _WIDTH / len(values)
    base = _HEIGHT - _STRIP - 4
    points = [f'0,{base}']
    for index, value in enumerate(values):
        y = base - float(value) * (base - 4)
        points.append(f'{index * step:.1f},{y:.1f}')
        points.append(f'{(index + 1) * step:.1f},{y:.1f}')
    points.append(f'{_WIDTH},{base}')
    marks = ''.join(
        f'<rect x="{index * step:.1f}" y="{_HEIGHT - _STRIP}" '
        f'width="{step:.2f}" height="{_STRIP}" '
        f'fill="{said.verdict.colour}"><title>Slice {index} '
        f'{said.verdict.past}</title></rect>'
        for index, said in judgements.items()
        if said.verdict is not None
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'role="img" aria-label="suspicion of the slices">'
        f'<rect y="{_HEIGHT - _STRIP}" width="{_WIDTH}" height="{_STRIP}" '
        f'fill="#eceef0"/><polygon points="{" ".join(points)}" '
        f'fill="#c9ced4" stroke="#5b6066"/>{marks}</svg>'
    )


def facts(rows: Mapping[str, str]) -> str:
    """Return a table of names and values."""
    lines = ''.join(
        f'<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in rows.items()
    )
    return f'<table>{lines}</table>'


def grid_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    bold_last: bool = False,
) -> str:
    """Return a table with headings."""
    lines = [_line(headers, 'th')]
    for number, row in enumerate(rows):
        last = bold_last and number == len(rows) - 1
        lines.append(_line(row, 'th' if last else 'td'))
    return f'<table>{"".join(lines)}</table>'


def _line(cells: Sequence[str], kind: str) -> str:
    inside = ''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)
    return f'<tr>{inside}</tr>'
