"""``napari-adacs register``."""

from __future__ import annotations

import shlex
import time
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.emphasis import painted_emphasis
from napari_adacs.app.label_evaluation import (
    check_place,
    check_same_labels,
    evaluate_on_grids,
    onto_moving,
)
from napari_adacs.app.metric_table import plain_text
from napari_adacs.app.reproduce import Painted, Source, python_lines
from napari_adacs.app.result_files import Registered, save_result
from napari_adacs.cli.console import ProgressLine, say
from napari_adacs.cli.files import Opened, open_image, open_labels
from napari_adacs.errors import InputError
from napari_adacs.io.staging import check_folder
from napari_adacs.registration.choice import ModelChoice, choose_for
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.inputs import (
    check_pair,
    checked,
    checked_emphasis,
)
from napari_adacs.registration.plan import completed, plan_registration

if TYPE_CHECKING:
    from napari_adacs.evaluation.report import Evaluation
    from napari_adacs.spatial.field import DisplacementField

_Inputs = Mapping[str, Opened]


def run(chosen: Namespace) -> int:
    """Register two files and write everything that comes out."""
    from napari_adacs.registration.register import register_on_grids

    started = time.perf_counter()
    config = RunConfig(
        chosen.model,
        chosen.device,
        chosen.refine,
        chosen.threads,
        chosen.backend,
        chosen.eta,
        chosen.refine_what,
        chosen.refine_by,
        chosen.refine_smoothness,
        chosen.refine_on,
        chosen.refine_prior,
    )
    inputs = _open(chosen)
    choice = _check(inputs, config, chosen)
    if choice.why:
        config = replace(config, model=choice.entry.name)
        say(choice.sentence)
    read_s = time.perf_counter() - started
    with ProgressLine() as progress:
        result = register_on_grids(
            inputs['moving'].image,
            inputs['fixed'].image,
            config,
            emphasis=_emphasis(inputs, chosen.emphasis_weight),
            progress=progress,
        )
        warped_labels, table = _labels(inputs, result.field, chosen.compare)
        timings = {'read': read_s, **result.timings}
        registered = Registered(
            replace(
                result,
                timings=timings,
                notes=(*choice.notes, *result.notes),
            ),
            choice.entry,
            {role: opened.describe() for role, opened in inputs.items()},
            shlex.join(['napari-adacs', *chosen.words]),
            _python(inputs, config, chosen.emphasis_weight),
            warped_labels,
            table,
        )
        files = save_result(chosen.out, registered)
    _report(registered, chosen.out, files)
    return 0


def _emphasis(inputs: _Inputs, strength: float) -> NDArray[np.float32] | None:
    if 'emphasis' not in inputs:
        return None
    return painted_emphasis(
        inputs['emphasis'].image, inputs['fixed'].image.grid, strength
    )


def _python(inputs: _Inputs, config: RunConfig, strength: float) -> str:
    sources = {
        role: Source(opened.volume.name, opened.frame, str(opened.volume.path))
        for role, opened in inputs.items()
    }
    return python_lines(
        sources['moving'],
        sources['fixed'],
        config,
        sources.get('moving_labels'),
        Painted(sources['emphasis'], strength)
        if 'emphasis' in sources
        else None,
    )


def _report(registered: Registered, out: str, files: list[str]) -> None:
    names = [
        str(registered.inputs[role]['name']) for role in ('moving', 'fixed')
    ]
    result = registered.result
    say(
        f'Registered {names[0]} to {names[1]} with {result.model_name} on '
        f'{result.device}. {registered.outcome()}'
    )
    if registered.evaluation is not None:
        say(plain_text(registered.evaluation))
    say(f'{out}: {", ".join(files)}')


def _open(chosen: Namespace) -> dict[str, Opened]:
    if chosen.fixed_labels and not chosen.moving_labels:
        raise InputError(
            'Fixed labels alone cannot be compared.',
            'Give --moving-labels as well.',
        )
    inputs = {}
    for role in ('moving', 'fixed'):
        frame = getattr(chosen, f'{role}_frame')
        option = f'--{role}-frame'
        inputs[role] = open_image(getattr(chosen, role), role, frame, option)
        path = getattr(chosen, f'{role}_labels')
        if path:
            name = f'{role} labels'
            inputs[f'{role}_labels'] = open_labels(path, name, frame, option)
    if chosen.emphasis:
        option = '--emphasis'
        inputs['emphasis'] = open_labels(
            chosen.emphasis, 'emphasis', None, option
        )
    return inputs


def _check(
    inputs: _Inputs, config: RunConfig, chosen: Namespace
) -> ModelChoice:
    """Find out all that can be wrong before anything is computed."""
    from napari_adacs.registration.device import resolve_device

    moving, fixed = inputs['moving'].image, inputs['fixed'].image
    checked(moving)
    checked(fixed)
    check_pair(moving, fixed)
    for role in ('moving', 'fixed'):
        if f'{role}_labels' in inputs:
            labels = inputs[f'{role}_labels'].image
            image = replace(inputs[role].image, name=f'{role} image')
            check_place(labels, image)
    if 'fixed_labels' in inputs:
        check_same_labels(
            inputs['moving_labels'].image,
            inputs['fixed_labels'].image,
            chosen.compare,
            '--compare',
        )
    choice = choose_for(config.model, moving, fixed)
    entry = choice.entry
    plan_registration(moving.grid, fixed.grid, entry.header, config=config)
    checked_emphasis(
        _emphasis(inputs, chosen.emphasis_weight),
        fixed.grid,
        completed(config, entry.header).refine_steps,
    )
    resolve_device(config.device)
    check_folder(chosen.out)
    return choice


def _labels(
    inputs: _Inputs, field: DisplacementField, wanted: list[int] | None
) -> tuple[NDArray[Any] | None, Evaluation | None]:
    """Return the moving labels on the fixed grid, and the table."""
    if 'moving_labels' not in inputs:
        return None, None
    moving = inputs['moving_labels'].image
    warped = onto_moving(field, moving).warp_labels(moving.data)
    if 'fixed_labels' not in inputs:
        return warped, None
    fixed = inputs['fixed_labels'].image
    found = evaluate_on_grids(moving, fixed, field, labels=wanted)
    return warped, found.evaluation
