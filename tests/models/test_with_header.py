"""A bundle gets another description, and keeps its weights to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from napari_adacs.errors import ModelError
from napari_adacs.models.bundle import load_bundle, read_header, with_header
from tests.small_models import save_small_model


@pytest.mark.parametrize('text', ['x', 'longer ' * 1000, 'ü'])
def test_only_the_description_changes(tmp_path: Path, text: str) -> None:
    path = save_small_model(tmp_path)
    before = load_bundle(path).modules()
    header = replace(read_header(path), description=text)
    with_header(path, path, header)
    assert read_header(path) == header
    for role, module in load_bundle(path).modules().items():
        weights = before[role].state_dict()
        for key, value in module.state_dict().items():
            assert torch.equal(value, weights[key])


def test_what_is_no_bundle_stays(tmp_path: Path) -> None:
    path = tmp_path / 'x.safetensors'
    path.write_bytes(b'nothing')
    header = read_header(save_small_model(tmp_path))
    with pytest.raises(ModelError):
        with_header(path, path, header)
    assert path.read_bytes() == b'nothing'
