"""``napari-adacs benchmark``."""

from __future__ import annotations

import os
import shlex
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_adacs.cli.console import ProgressLine, say
from napari_adacs.errors import InputError
from napari_adacs.io.record import package_versions
from napari_adacs.io.staging import check_folder

if TYPE_CHECKING:
    from napari_adacs.benchmark.run import Plan

_INTERRUPTED = 130
# Seconds between lines of progress where there is no terminal.
_QUIET = 60.0


def run(chosen: Namespace) -> int:
    """Compare methods on cases, and write the tables."""
    plan = _plan(chosen)
    reference = _reference(chosen.reference, plan)
    folder = Path(chosen.out).expanduser()
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    from napari_adacs.benchmark.run import finished_records, run_benchmark

    stopped = False
    with ProgressLine() as line:
        try:
            records = run_benchmark(
                plan,
                folder,
                retry_failed=chosen.retry_failed,
                progress=_progress(line),
            )
        except KeyboardInterrupt:
            stopped = True
            records = finished_records(plan, folder)
    if stopped:
        total = len(plan.tasks())
        say(
            f'Stopped after {len(records)} of {total} registrations; the '
            'same command continues.'
        )
        return _INTERRUPTED
    return _finish(chosen, plan, reference, records)


def _finish(
    chosen: Namespace,
    plan: Plan,
    reference: str,
    records: list[dict[str, Any]],
) -> int:
    from napari_adacs.benchmark.results import Results
    from napari_adacs.benchmark.summary import summary_table
    from napari_adacs.benchmark.text_tables import markdown
    from napari_adacs.benchmark.write import Wanted, write_results

    results = Results(records)
    files = write_results(
        Path(chosen.out).expanduser(),
        results,
        Wanted(
            f'Benchmark on {chosen.data}',
            reference,
            _facts(chosen, plan),
            dict(chosen.label_name),
        ),
    )
    label = results.labels[-1] if results.labels else None
    say(markdown(summary_table(results, label, chosen.preset)))
    if results.failed:
        say(
            f'{len(results.failed)} of {len(records)} registrations failed; '
            f'report.html says why, --retry-failed tries them again.'
        )
    say(f'{chosen.out}: {", ".join(files)}')
    return 0


def _plan(chosen: Namespace) -> Plan:
    """Find out all that can be wrong before anything is computed."""
    from napari_adacs.benchmark.methods import method_names
    from napari_adacs.benchmark.run import Plan
    from napari_adacs.benchmark.sources import open_cases
    from napari_adacs.registration.device import resolve_device

    resolve_device(chosen.device)
    source = open_cases(chosen.data, _axes(chosen))
    ndim = source.ndim
    names = method_names(chosen.models, chosen.peers, ndim)
    return Plan(
        _absolute(chosen.data),
        ndim,
        tuple(names),
        chosen.limit,
        chosen.jobs,
        chosen.threads,
        chosen.device,
        chosen.timeout,
        chosen.dask,
    )


def _axes(chosen: Namespace) -> int:
    """Return the number of axes of phantoms: what the models need."""
    if chosen.axes is not None:
        return int(chosen.axes)
    from napari_adacs.benchmark.methods import model_parts
    from napari_adacs.models.library import find_model

    if not chosen.models:
        return 2
    _, model, _ = model_parts(chosen.models[0])
    return find_model(model).header.ndim


def _absolute(data: str) -> str:
    """Return a name that workers elsewhere understand."""
    path = Path(data).expanduser()
    return str(path.resolve()) if path.exists() else data


def _reference(name: str | None, plan: Plan) -> str:
    """Return the method to compare with: the first that does something."""
    from napari_adacs.benchmark.methods import make_method

    methods = [make_method(method).name for method in plan.methods]
    if name is None:
        return methods[min(1, len(methods) - 1)]
    if name not in methods:
        raise InputError(
            f"The reference '{name}' is not among the methods.",
            f'Choose one of {", ".join(methods)}.',
        )
    return name


def _facts(chosen: Namespace, plan: Plan) -> dict[str, str]:
    versions = package_versions()
    return {
        'Command': shlex.join(['napari-adacs', *chosen.words]),
        'Data': plan.data,
        'Threads per process': str(plan.threads or 'chosen by each library'),
        'Processes': plan.dask or str(plan.jobs),
        'CPU cores': str(os.cpu_count()),
        'Versions': ', '.join(f'{k} {v}' for k, v in versions.items()),
        'Methods': '; '.join(_described(plan)),
        'Written': time.strftime('%Y-%m-%d %H:%M'),
    }


def _described(plan: Plan) -> list[str]:
    from napari_adacs.benchmark.methods import make_method

    return [
        f'{method.name} = {method.identity()}'
        for method in (make_method(n, plan.device) for n in plan.methods)
    ]


def _progress(line: ProgressLine) -> Callable[[float, str], None]:
    """Draw the bar; say a line now and then where there is no terminal."""
    last = time.monotonic()

    def show(fraction: float, message: str) -> None:
        nonlocal last
        line(fraction, message)
        now = time.monotonic()
        if not line.shown and now - last > _QUIET:
            last = now
            say(message)

    return show
