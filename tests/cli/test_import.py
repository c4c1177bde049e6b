"""``napari-adacs models import``, and a checkpoint in place of a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_adacs.models.bundle import load_bundle, read_header
from napari_adacs.networks.auxiliary import ScoringEstimator
from napari_adacs.networks.voxelmorph import VoxelMorph
from tests.cli.conftest import Run

SMALL = {'encoder': [4, 8], 'decoder': [8, 8, 4]}
CONFIG = {'inshape': (32, 32), 'int_steps': 7, 'int_downsize': 2}


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / 'models'
    monkeypatch.setenv('NAPARI_ADACS_MODELS', str(folder))
    return folder


@pytest.fixture
def motion(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / 'vxm_ACDC_motion.pt'
    state = VoxelMorph(2, **SMALL).state_dict()
    torch.save({'config': CONFIG, 'model_state': state}, path)
    return path


def test_a_checkpoint_becomes_a_bundle(
    run: Run, motion: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'mine.safetensors'
    ran = run(
        *('models', 'import', motion, '-o', out, '--name', 'mine'),
        *('--domain', 'cine MR', '--licence', 'unknown'),
        *('--shape', '128', '128', '--orientation', 'beam'),
        *('--option', 'int_steps=5'),
    )
    assert ran.code == 0, ran.err
    assert 'VoxelMorph 0.2, 2D: a displacement network of' in ran.out
    assert str(out) in ran.out
    header = read_header(out)
    assert (header.name, header.domain) == ('mine', 'cine MR')
    assert header.preprocessing.shape == (128, 128)
    assert header.preprocessing.orientation == 'beam'
    assert header.network_options['int_steps'] == 5
    assert 'sha256' in header.training['imported from'][0]
    assert load_bundle(out).displacement.int_steps == 5


def test_without_a_place_it_goes_to_the_users_models(
    run: Run, motion: Path, models: Path, tmp_path: Path
) -> None:
    scoring = tmp_path / 's.pt'
    state = ScoringEstimator(2, **SMALL).state_dict()
    torch.save({'config': {}, 'model_state': state}, scoring)
    ran = run('models', 'import', scoring, motion)
    assert ran.code == 0, ran.err
    assert (models / 'vxm-acdc-motion.safetensors').is_file()
    listed = run('models', 'list').out
    (line,) = [t for t in listed.splitlines() if 'vxm-acdc-motion' in t]
    assert 'adacs' in line
    again = run('models', 'import', motion)
    assert again.code == 2
    assert "a model called 'vxm-acdc-motion' already" in again.err


def test_what_is_refused_is_one_sentence_and_leaves_nothing(
    run: Run, models: Path, motion: Path, tmp_path: Path
) -> None:
    other = tmp_path / 'x.pt'
    torch.save({'layer.weight': torch.zeros(3)}, other)
    for arguments, sentence in (
        ([other], 'not of a VoxelMorph'),
        ([tmp_path / 'none.pt'], 'no such file'),
        ([motion, '-o', tmp_path / 'a.pt'], 'ends in .safetensors'),
        ([motion, '--option', 'int_steps'], 'NAME=VALUE'),
        ([motion, '--option', 'colour=3'], 'do not fit'),
        ([motion, '--shape', '64'], 'is 2 numbers'),
        ([motion, '--name', '../evil'], 'name'),
    ):
        ran = run('models', 'import', *arguments)
        assert ran.code == 2, arguments
        assert sentence in ran.err
        assert len(ran.err.splitlines()) == 1
    assert not models.exists() or not list(models.iterdir())


def test_a_checkpoint_is_shown_and_registers(
    run: Run, motion: Path, tmp_path: Path
) -> None:
    shown = run('models', 'show', motion)
    assert shown.code == 0
    assert 'VoxelMorph 0.2' in shown.out
    images = []
    for i in range(2):
        image = np.random.default_rng(i).random((40, 50), dtype=np.float32)
        images.append(tmp_path / f'{i}.npy')
        np.save(images[-1], image)
    out = tmp_path / 'out'
    ran = run('register', *images, '-o', out, '--model', motion)
    assert ran.code == 0, ran.err
    assert 'vxm-acdc-motion' in ran.out
    assert (out / 'displacement.nii.gz').is_file()
