"""All files of a finished (or interrupted) benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_adacs.benchmark.box_plot import box_plot
from napari_adacs.benchmark.report import report
from napari_adacs.benchmark.results import ASD, DSC, ERROR, HD, Label, Results
from napari_adacs.benchmark.score import PRESETS
from napari_adacs.benchmark.significance import Difference, differences
from napari_adacs.benchmark.summary import SummaryTable, summary_table
from napari_adacs.benchmark.text_tables import latex, markdown
from napari_adacs.benchmark.uncertainty import (
    TARGETS,
    calibration_plot,
    calibration_table,
    judged_maps,
    map_table,
    sparsification_plot,
)
from napari_adacs.evaluation.before_after import Preset
from napari_adacs.evaluation.tables import write_csv
from napari_adacs.io.staging import staged_folder

_NAMES = (
    'results.csv',
    'differences.csv',
    'tables.md',
    'tables.tex',
    'report.html',
)
_PREAMBLE = '% \\usepackage{booktabs}\n\n'


@dataclass(frozen=True)
class Wanted:
    """What to write besides the records.

    Parameters
    ----------
    title : str
        Title of the report.
    reference : str
        Method that the others are compared with.
    facts : mapping of str to str
        What was run.
    label_names : mapping of int to str
        Names of labels.
    """

    title: str
    reference: str
    facts: Mapping[str, str] = field(default_factory=dict)
    label_names: Mapping[int, str] = field(default_factory=dict)


def write_results(folder: Path, results: Results, wanted: Wanted) -> list[str]:
    """Write tables, plots and the report into a folder.

    Parameters
    ----------
    folder : Path
        The folder of the benchmark; files of an earlier writing are
        replaced, all together.
    results : Results
        All records.
    wanted : Wanted
        Title, reference and names.

    Returns
    -------
    list of str
        Names of the files.
    """
    tables = _tables(results, wanted.label_names)
    tests = differences(results, wanted.reference)
    plots = _plots(results, wanted.label_names)
    texts = {
        'tables.md': '\n'.join(map(markdown, tables)),
        'tables.tex': _PREAMBLE + '\n'.join(map(latex, tables)),
        'report.html': report(
            wanted.title, wanted.facts, results, tables, tests, plots
        ),
        **{f'{name}.svg': drawing for name, drawing in plots.items()},
    }
    old = [path.name for path in folder.glob('*.svg')]
    with staged_folder(folder, [*_NAMES, *old]) as staged:
        for name, text in texts.items():
            (staged / name).write_text(text, encoding='utf-8')
        write_csv(staged / 'results.csv', results.tidy())
        _write_tests(staged, tests)
        return sorted(path.name for path in staged.iterdir())


def _tables(results: Results, names: Mapping[int, str]) -> list[SummaryTable]:
    labels: Sequence[Label | None] = results.labels or [None]
    presets: Sequence[Preset] = PRESETS if results.labels else PRESETS[:1]
    tables = [
        summary_table(results, label, preset, _name(label, names))
        for preset in presets
        for label in labels
    ]
    maps = judged_maps(results)
    found = [map_table(maps, target) for target in TARGETS]
    found.append(calibration_table(maps))
    return [*tables, *(table for table in found if table is not None)]


def _plots(results: Results, names: Mapping[int, str]) -> dict[str, str]:
    plots: dict[str, str | None] = {}
    unit = 'px' if results.units == 'voxel' else results.units
    for label in results.labels:
        for metric in (DSC, HD, ASD):
            plots[f'box_{metric.key}_{label}'] = box_plot(
                f'{metric.heading}, {_what(label, names)}',
                unit if metric.is_length else metric.heading,
                {
                    method: results.values(metric, method, label)
                    for method in results.methods
                },
            )
    if results.knows_truth:
        columns = {m: results.values(ERROR, m) for m in results.methods}
        plots['box_displacement_error'] = box_plot(
            'Endpoint error, mean over the sector', unit, columns
        )
    maps = judged_maps(results)
    for target in TARGETS:
        plots[f'sparsification_{target}'] = sparsification_plot(maps, target)
    plots['calibration'] = calibration_plot(maps)
    return {name: plot for name, plot in plots.items() if plot is not None}


def _write_tests(folder: Path, tests: Sequence[Difference]) -> None:
    if tests:
        write_csv(
            folder / 'differences.csv', [test.as_dict() for test in tests]
        )


def _name(label: Label | None, names: Mapping[int, str]) -> str:
    return names.get(label, '') if isinstance(label, int) else ''


def _what(label: Label, names: Mapping[int, str]) -> str:
    if label == 'mean':
        return 'mean over labels'
    return f'label {label} {_name(label, names)}'.strip()
