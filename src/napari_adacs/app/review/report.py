"""The review as one HTML file that needs nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from threading import Event
from typing import TYPE_CHECKING, Any

from napari_adacs.app.review.landmarks import LandmarkRow
from napari_adacs.app.review.looks import SUSPICION_HELP, reasons
from napari_adacs.app.review.pictures import Volumes, slice_pictures
from napari_adacs.app.review.png import data_uri
from napari_adacs.app.review.report_parts import (
    PAGE,
    badge,
    curve,
    grid_table,
)
from napari_adacs.app.review.report_sections import (
    landmarks,
    metrics,
    run_facts,
)
from napari_adacs.app.review.table import axes_reviewed, review_rows
from napari_adacs.app.review.verdicts import Judgement, Place, Review, Verdict
from napari_adacs.io.atomic import atomic_path
from napari_adacs.registration.progress import Progress, Reporter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_adacs.app.review.ready import Ready
    from napari_adacs.evaluation.slices import SliceFigures

_SHOWN = (Verdict.REJECT, Verdict.FLAG)
_WARNING = (
    'A research tool, not a medical device: a figure of this report is no '
    'substitute for looking at the images.'
)


@dataclass(frozen=True, eq=False)
class ReportRequest:
    """What a report is about.

    Parameters
    ----------
    ready : Ready
        The result and its figures.
    judgements : mapping of (axis, index) to Judgement
        What was decided.
    axis : int
        Axis along which the viewer scrolls.
    axis_names : tuple of str
        Labels of the axes of the fixed grid.
    landmarks : sequence of LandmarkRow
        Errors of landmarks.
    """

    ready: Ready
    judgements: Mapping[Place, Judgement]
    axis: int = 0
    axis_names: tuple[str, ...] = ()
    landmarks: Sequence[LandmarkRow] = ()


def save_report(
    path: str | os.PathLike[str],
    request: ReportRequest,
    progress: Progress,
    cancel: Event,
) -> None:
    """Write the report, atomically; call it in a worker.

    Raises
    ------
    InputError
        If the file cannot be written.
    CancelledError
        If `cancel` was set; nothing was written.
    """
    text = report_html(request, Reporter(progress, cancel))
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def report_html(request: ReportRequest, report: Reporter) -> str:
    """Return the report as HTML, with its pictures inside."""
    report(0.0, 'Measuring')
    identity = request.ready.identity
    sections = [
        f'<h1>{escape(str(identity))}</h1>',
        _byline(),
        _summary(request),
        metrics(request.ready.request),
        landmarks(request.landmarks, request.ready.request.run),
        _slices(request, report),
        run_facts(request.ready.request.run),
        _all_slices(request),
        _record(request),
    ]
    report(1.0, 'Done')
    body = '\n'.join(filter(None, sections))
    return PAGE.format(title=escape(f'Review: {identity}'), body=body)


def _byline() -> str:
    now = datetime.now(UTC)
    return (
        f'<p class="quiet">Review of a registration, {now:%d %B %Y, %H:%M} '
        f'UTC. {escape(_WARNING)}</p>'
    )


def _axes(request: ReportRequest) -> list[int]:
    return axes_reviewed(request.judgements, request.axis)


def _axis_name(request: ReportRequest, axis: int) -> str:
    if axis < len(request.axis_names) and len(request.axis_names) > 2:
        return f' along {request.axis_names[axis]}'
    return ''


def _summary(request: ReportRequest) -> str:
    review = Review(request.judgements)
    parts = ['<h2>Verdict</h2>']
    for axis in _axes(request):
        figures = request.ready.figures[axis]
        counts = review.counts(axis)
        said = ' '.join(
            f'{badge(verdict)} {count} {verdict.past}'
            for verdict, count in counts.items()
        )
        progress = review.progress(axis, len(figures))
        name = _axis_name(request, axis)
        parts.append(
            f'<p><b>{progress}</b>{escape(name)} &emsp; {said}</p>'
            + curve(figures, review.along(axis))
        )
    parts.append(f'<p class="quiet">{escape(SUSPICION_HELP)}</p>')
    return ''.join(parts)


def _slices(request: ReportRequest, report: Reporter) -> str:
    """Return the flagged and rejected slices with their pictures."""
    shown = [
        (place, said)
        for place, said in sorted(request.judgements.items())
        if said.verdict in _SHOWN or said.note
    ]
    title = '<h2>Flagged, rejected and noted slices</h2>'
    if not shown:
        return f'{title}<p>None.</p>'
    volumes = _volumes(request)
    limits = volumes.limits()
    parts = [title]
    for number, (place, said) in enumerate(shown):
        report(0.1 + 0.8 * number / len(shown), f'Picture {number + 1}')
        pictures = slice_pictures(volumes, place, limits)
        parts.append(_slice(request, place, said, pictures))
    return ''.join(parts)


def _slice(
    request: ReportRequest,
    place: Place,
    said: Judgement,
    pictures: dict[str, Any],
) -> str:
    axis, index = place
    figures: SliceFigures = request.ready.figures[axis]
    name = _axis_name(request, axis)
    mark = '' if said.verdict is None else badge(said.verdict)
    what = '' if said.verdict is None else said.verdict.past
    suspicion = 100 * float(figures.suspicion[index])
    note = f'<p class="note">{escape(said.note)}</p>' if said.note else ''
    images = ''.join(
        f'<figure><img alt="{escape(caption)}" src="{data_uri(pixels)}">'
        f'<figcaption>{escape(caption)}</figcaption></figure>'
        for caption, pixels in pictures.items()
    )
    why = escape(', '.join(reasons(figures, index)))
    return (
        f'<section><h3>{mark} Slice {index}{escape(name)} {what}</h3>{note}'
        f'<p class="quiet">Suspicion {suspicion:.0f} of 100: {why}.'
        f'{_when(said)}</p><div class="row">{images}</div></section>'
    )


def _when(said: Judgement) -> str:
    try:
        at = datetime.fromisoformat(said.at)
    except ValueError:
        return ''
    return f' Decided {at:%d %B %Y, %H:%M} UTC.'


def _volumes(request: ReportRequest) -> Volumes:
    wanted = request.ready.request
    result = wanted.run.result
    fixed = None if wanted.fixed is None else wanted.fixed.load().data
    name, values = 'score', result.score
    if values is None:
        name, values = 'variance', result.variance
    return Volumes(
        fixed,
        result.warped,
        result.field.grid.spacing,
        '' if values is None else name,
        values,
        request.ready.labels.get('fixed'),
        request.ready.labels.get('warped'),
    )


def _all_slices(request: ReportRequest) -> str:
    rows = review_rows(
        request.ready.figures, request.judgements, _axes(request)
    )
    cells = [
        ['' if v is None else _cell(v) for v in row.values()] for row in rows
    ]
    table = grid_table([str(k) for k in rows[0]], cells)
    return f'<details><summary>All slices</summary>{table}</details>'


def _cell(value: object) -> str:
    return f'{value:.4g}' if isinstance(value, float) else str(value)


def _record(request: ReportRequest) -> str:
    record = request.ready.request.run.record
    text = json.dumps(dict(record), indent=1, ensure_ascii=False, default=str)
    return (
        f'<details><summary>Run record</summary><pre>{escape(text)}</pre>'
        '</details>'
    )
