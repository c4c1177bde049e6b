"""Each family of networks: saved, loaded, registering any shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_adacs.models.bundle import load_bundle, save_bundle
from napari_adacs.models.model import build_model
from napari_adacs.registration.register import register
from tests.small_models import small_model

FAMILIES = {
    'transmorph': {'variant': 'tiny', 'window': [3, 4]},
    'transmorph integrated': {'variant': 'tiny', 'int_steps': 5},
    'pyramid': {'channels': 4, 'levels': 3},
    'pyramid plain': {'channels': 4, 'correlation': 1, 'int_steps': 0},
    'diffusemorph': {
        'features': 32,
        'multipliers': [1, 1],
        'encoder': [4, 4, 4, 4, 4],
        'decoder': [4, 4, 4, 4, 4],
        'eta': 0.5,
    },
}


@pytest.fixture(params=FAMILIES)
def model(request):
    header = replace(
        small_model(auxiliaries=('scoring',)).header,
        network=request.param.split()[0],
        network_options=FAMILIES[request.param],
    )
    torch.manual_seed(0)
    built = build_model(header)
    with torch.no_grad():
        for module in built.modules().values():
            module.eval()
        for parameter in built.displacement.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return built


def images(shape):
    axes = np.meshgrid(*[np.linspace(0, 1, n) for n in shape], indexing='ij')
    return [
        np.exp(-sum((a - c) ** 2 for a in axes) / 0.04) for c in (0.45, 0.55)
    ]


def test_bundle_holds_the_whole_network(model, tmp_path):
    path = tmp_path / 'model.safetensors'
    save_bundle(path, model)
    loaded = load_bundle(path)
    assert loaded.header == model.header
    found = loaded.displacement.state_dict()
    for name, value in model.displacement.state_dict().items():
        assert torch.equal(found[name], value)
        assert found[name].dtype == value.dtype
    moving, fixed = images((45, 70))
    before = register(moving, fixed, model).field.voxels
    after = register(moving, fixed, loaded).field.voxels
    np.testing.assert_array_equal(after, before)


def test_registers_any_shape_there_and_back(model):
    moving, fixed = images((45, 70))
    result = register(moving, fixed, model)
    assert result.field.voxels.shape == (2, 45, 70)
    assert np.isfinite(result.field.voxels).all()
    assert np.abs(result.field.voxels).max() > 0.01
    assert result.warped.shape == (45, 70)
    back = result.field.inverse()
    assert np.isfinite(back.voxels).all()
