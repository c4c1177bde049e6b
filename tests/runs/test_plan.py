"""A plan is a command line and a file that anyone can use."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from napari_adacs.cli.parser import make_parser
from napari_adacs.errors import InputError
from napari_adacs.runs.plan import TrainingPlan
from napari_adacs.training.config import load_config
from tests.runs.conftest import small_config


@pytest.mark.skipif(os.name == 'nt', reason='Windows quotes otherwise')
def test_the_command_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = TrainingPlan(
        ("data/it's {patient}_{ED>ES}[|_gt].nii.gz", 'phantom:20'),
        small_config(),
        Path('my run'),
        'cuda:1',
        2.5,
    )
    name, *words = shlex.split(plan.command)
    assert name == 'napari-adacs'
    chosen = make_parser().parse_args(words)
    # absolute, so that it can be pasted anywhere
    pattern = "data/it's {patient}_{ED>ES}[|_gt].nii.gz"
    assert chosen.data == [str(tmp_path / pattern), 'phantom:20']
    assert chosen.out == str(tmp_path / 'my run')
    assert (chosen.device, chosen.minutes) == ('cuda:1', 2.5)
    Path('my run').mkdir()
    Path(chosen.config).write_text(plan.toml, 'utf-8')
    assert load_config(chosen.config) == plan.config


@pytest.mark.parametrize(
    ('data', 'minutes'), [((), None), (('x',), 0.0), (('x',), float('nan'))]
)
def test_plans_that_are_none(
    data: tuple[str, ...], minutes: float | None, tmp_path: Path
) -> None:
    with pytest.raises(InputError):
        TrainingPlan(data, small_config(), tmp_path, minutes=minutes)
