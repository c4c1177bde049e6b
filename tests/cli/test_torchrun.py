"""Several processes train as one would, and stop together."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch.distributed
from scipy.io import savemat

from napari_adacs.training.checkpoint import load_checkpoint
from napari_adacs.training.processes import named_in_environment
from tests.cli.conftest import FIXED, heart

ROOT = Path(__file__).parents[2]
# What sums of float32 in another order change over a dozen steps.
TOLERANCE = 1e-4

RECIPE = """
name = 'shared-2d'
shape = [16, 16]
batch_size = 4
validate_every = 4
save_every = 4
learning_rate = 1e-3
final_learning_rate = 1e-3
[network]
options = {{encoder = [4, 8], decoder = [8, 8, 4]}}
[scheme]
name = 'adacs'
auxiliary_options = {{encoder = [4, 8], decoder = [8, 8, 4]}}
[stages]
displacement = 3
auxiliary = 3
joint = {joint}
[augment]
flip = [0, 1]
gamma = 0.2
nuisance = 0.5
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not torch.distributed.is_available() or os.name == 'nt',
        reason='needs gloo and signals',
    ),
]


@pytest.fixture(scope='module')
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('study')
    for name, count in (('train', 5), ('val', 3)):
        (root / name).mkdir()
        for index in range(count):
            ed, ed_labels = heart(FIXED[2])
            es, es_labels = heart(FIXED[2], 0.7 + 0.05 * index)
            values = {
                'im_ED': ed,
                'im_ES': es,
                'label_ED': ed_labels,
                'label_ES': es_labels,
            }
            savemat(root / name / f'p{index}.mat', values)
    return root


def command(study: Path, out: Path, processes: int, joint: int) -> list[str]:
    recipe = out.with_suffix('.toml')
    recipe.write_text(RECIPE.format(joint=joint))
    words = [sys.executable]
    if processes > 1:
        words += ['-m', 'torch.distributed.run', '--standalone']
        words += ['--nproc-per-node', str(processes)]
    return [
        *(*words, '-m', 'napari_adacs', 'train', str(study)),
        *('--config', str(recipe), '-o', str(out), '--device', 'cpu'),
    ]


def environment() -> dict[str, str]:
    return os.environ | {
        'PYTHONPATH': str(ROOT / 'src'),
        'OMP_NUM_THREADS': '1',
        'PYTHONUNBUFFERED': '1',
    }


def ran(words: list[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        words,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done


def curve(folder: Path) -> dict[tuple[int, str], float]:
    with (folder / 'log.csv').open() as file:
        rows = list(csv.DictReader(file))
    found = {(int(r['step']), r['name']): float(r['value']) for r in rows}
    assert len(found) == len(rows)  # one process writes
    return found


def test_two_processes_learn_as_one_and_resume(
    study: Path, tmp_path: Path
) -> None:
    """Half the batch each; stopped after 6 of 12 steps, and continued."""
    one, two = tmp_path / 'one', tmp_path / 'two'
    ran(command(study, one, 1, 6))
    done = ran(command(study, two, 2, 0))
    assert done.stdout.count('Trained shared-2d') == 1
    ran([*command(study, two, 2, 6), '--resume'])
    alone, shared = curve(one), curve(two)
    # step 0 is what the start is worth
    assert {step for step, _ in shared} == set(range(13))
    validated = ('val_dsc_1', 'val_mse', 'momentum', 'data', 'correspondence')
    for name in validated:
        assert (12, name) in shared
    # the shorter run validated at its own end, too
    for place in alone:
        assert shared[place] == pytest.approx(
            alone[place], rel=TOLERANCE, abs=TOLERANCE * 1e-2
        ), place
    weights = [load_checkpoint(f)['modules'] for f in (one, two)]
    for role, state in weights[0].items():
        for name, value in state.items():
            np.testing.assert_allclose(
                weights[1][role][name], value, rtol=1e-3, atol=1e-5
            )


def test_sigterm_stops_all_processes_at_the_same_step(
    study: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'run'
    process = subprocess.Popen(
        command(study, out, 2, 1_000_000),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 200
        while not (out / 'checkpoint.pt').exists():
            assert time.monotonic() < deadline
            assert process.poll() is None, process.stderr
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
    (told,) = [line for line in printed.splitlines() if 'Stopped' in line]
    step = load_checkpoint(out)['step']
    assert f'Stopped after step {step} of 1000006' in told
    assert max(s for s, _ in curve(out)) == step


@pytest.mark.parametrize('rank', ['x', '5'])
def test_an_environment_that_does_not_fit(
    monkeypatch: pytest.MonkeyPatch, rank: str
) -> None:
    from napari_adacs.errors import InputError

    monkeypatch.setenv('RANK', rank)
    monkeypatch.setenv('WORLD_SIZE', '2')
    with pytest.raises(InputError, match='torchrun'):
        named_in_environment()
