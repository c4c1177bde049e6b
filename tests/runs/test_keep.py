"""The model of a run becomes one of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from napari_adacs.errors import InputError
from napari_adacs.models.bundle import load_bundle, read_header
from napari_adacs.models.library import list_models
from napari_adacs.runs.keep import keep
from tests.small_models import save_small_model


def test_a_model_is_kept_under_a_free_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('NAPARI_ADACS_MODELS', str(tmp_path / 'models'))
    run = tmp_path / 'run'
    run.mkdir()
    with pytest.raises(InputError, match='no model yet'):
        keep(run)
    made = save_small_model(run, 2)
    name = read_header(made).name
    made.rename(run / 'best.safetensors')
    first = keep(run)
    assert first.name == name
    # asked twice it is there once
    assert keep(run) == first
    assert len(list((tmp_path / 'models').iterdir())) == 1
    (run / 'best.safetensors').touch()  # training has gone on
    second = keep(run)
    assert second.name == f'{name}-2'
    assert keep(run, 'my hearts/3').name == 'my-hearts-3'
    listed = {entry.name for entry in list_models()}
    assert {name, f'{name}-2', 'my-hearts-3'} <= listed
    kept = load_bundle(second.path).displacement.state_dict()
    source = load_bundle(run / 'best.safetensors').displacement
    for key, value in source.state_dict().items():
        assert torch.equal(kept[key], value)
