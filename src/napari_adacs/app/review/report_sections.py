"""What a report says of a result as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from napari_adacs.app.review.landmarks import LandmarkRow, mean_row
from napari_adacs.app.review.report_parts import facts, grid_table
from napari_adacs.errors import AdacsError

if TYPE_CHECKING:
    from napari_adacs.app.review.ready import ReviewRequest
    from napari_adacs.app.session import Run


def metrics(wanted: ReviewRequest) -> str:
    """Return figures of the result, and of labels if there are."""
    result = wanted.run.result
    summary = result.summary()
    unit = 'mm' if summary['units'] == 'mm' else 'voxels'
    rows = {
        'Mean residual (images scaled to [0, 1])': (
            f'{float(result.residual.mean()):.4f}'
        ),
        'Largest displacement': f'{summary["max_displacement"]:.3g} {unit}',
        'Folded voxels': f'{summary["folded_percent"]:.3g} %',
    }
    if result.score is not None:
        rows['Mean score'] = f'{float(result.score.mean()):.3f}'
    return f'<h2>Metrics</h2>{facts(rows)}{_overlap(wanted)}'


def _overlap(wanted: ReviewRequest) -> str:
    """Return the table of labels, before → after."""
    if wanted.moving_labels is None or wanted.fixed_labels is None:
        return ''
    from napari_adacs.app.label_evaluation import evaluate_on_grids
    from napari_adacs.app.metric_table import metric_table

    try:
        evaluation = evaluate_on_grids(
            wanted.moving_labels.load(),
            wanted.fixed_labels.load(),
            wanted.run.result.field,
        ).evaluation
    except AdacsError as error:
        return f'<p>No overlap of labels: {escape(str(error))}</p>'
    table = metric_table(evaluation)
    return (
        '<h3>Labels, before → after</h3>'
        + grid_table(table.headers, table.rows, bold_last=True)
        + f'<p class="quiet">{escape(" ".join(table.meanings[1:]))}</p>'
    )


def landmarks(measured: Sequence[LandmarkRow], run: Run) -> str:
    """Return the errors of landmarks; '' without any."""
    if not measured:
        return ''
    grid = run.result.field.grid
    unit = 'mm' if grid.units == 'mm' else 'voxels'
    rows = [
        (str(number), _number(row.before), _number(row.after), row.note)
        for number, row in enumerate(measured, start=1)
    ]
    mean = mean_row(measured)
    if mean is not None:
        rows.append(('mean', _number(mean.before), _number(mean.after), ''))
    headers = ('Landmark', f'TRE before ({unit})', f'TRE after ({unit})', '')
    return '<h2>Landmarks</h2>' + grid_table(
        headers, rows, bold_last=mean is not None
    )


def _number(value: float | None) -> str:
    return '–' if value is None else f'{value:.2f}'


def run_facts(run: Run) -> str:
    """Return what was run, with what."""
    record = run.record
    model = dict(record.get('model') or {})
    rows: dict[str, object] = {
        'Moving': run.moving,
        'Fixed': run.fixed,
        'Model': model.get('name', run.result.model_name),
    }
    for name in ('scheme', 'network', 'domain', 'licence', 'sha256'):
        if model.get(name):
            rows[f'Model {name}'] = model[name]
    rows |= {
        'Version': run.version,
        'Device': run.result.device,
        'Registered': record.get('created', ''),
        'Folder': '' if run.folder is None else run.folder,
        'Notes': ' '.join(map(str, record.get('notes') or run.result.notes)),
    }
    command = str(record.get('command') or '')
    lines = f'<pre>{escape(command)}</pre>' if command else ''
    shown = {k: str(v) for k, v in rows.items() if str(v)}
    return f'<h2>Run</h2>{facts(shown)}{lines}'
