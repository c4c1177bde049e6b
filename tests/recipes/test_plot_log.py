"""Figures are drawn from what a run wrote down."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from napari_adacs.training.train import train
from tests.training.conftest import make_config, make_pairs

RECIPE = Path(__file__).parents[2] / 'recipes' / 'plot_log.py'


def plot(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(RECIPE), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_becomes_figures(tmp_path: Path) -> None:
    pytest.importorskip('matplotlib')
    pairs, run = make_pairs(), tmp_path / 'run'
    train(pairs, make_config(), validation=pairs, folder=run)
    done = plot(run, '-o', tmp_path / 'figures')
    assert done.returncode == 0, done.stderr
    found = {p.stem: p for p in (tmp_path / 'figures').iterdir()}
    assert set(found) == {'losses', 'validation', 'momentum', 'maps-run'}
    for path in found.values():
        assert ElementTree.parse(path).getroot().tag.endswith('svg')
    text = found['maps-run'].read_text()
    for step in (4, 8, 12):
        assert f'score, step {step}' in text
    assert 'DSC, label 1' in found['validation'].read_text()


def test_a_folder_without_a_log(tmp_path: Path) -> None:
    pytest.importorskip('matplotlib')
    done = plot(tmp_path, '-o', tmp_path / 'figures')
    assert done.returncode == 2
    assert 'no log.csv' in done.stderr
