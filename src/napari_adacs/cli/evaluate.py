"""``napari-adacs evaluate``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_adacs.app.label_evaluation import (
    check_place,
    check_same_labels,
    evaluate_on_grids,
)
from napari_adacs.app.metric_table import (
    check_table_name,
    plain_text,
    save_table,
)
from napari_adacs.cli.console import say
from napari_adacs.cli.files import open_labels
from napari_adacs.errors import InputError
from napari_adacs.io.itk_field import read_displacement

if TYPE_CHECKING:
    from napari_adacs.spatial.field import DisplacementField


def run(chosen: Namespace) -> int:
    """Write and print the table of metrics of two segmentations."""
    out = Path(chosen.out).expanduser()
    check_table_name(out)
    _check_preset(chosen)
    moving, fixed = (
        open_labels(
            getattr(chosen, f'{role}_labels'),
            f'{role} labels',
            getattr(chosen, f'{role}_frame'),
            f'--{role}-frame',
        ).image
        for role in ('moving', 'fixed')
    )
    check_place(moving, fixed)
    check_same_labels(moving, fixed, chosen.compare, '--compare')
    field = _read_field(chosen.displacement)
    found = evaluate_on_grids(
        moving, fixed, field, labels=chosen.compare, preset=chosen.preset
    )
    save_table(out, found.evaluation)
    say(plain_text(found.evaluation))
    say(f'Wrote {chosen.out}')
    return 0


def _check_preset(chosen: Namespace) -> None:
    if chosen.preset == 'code' and chosen.displacement is None:
        raise InputError(
            'The rules of the authors concern warped masks.',
            'Give --displacement as well.',
        )


def _read_field(path: str | None) -> DisplacementField | None:
    if path is None:
        return None
    voxels, grid = read_displacement(path)
    # torch comes with the field: only now, when the file is known good
    from napari_adacs.spatial.field import DisplacementField

    return DisplacementField(voxels, grid)
