"""Weights in fewer bits."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.models.bundle import load_bundle, save_bundle
from napari_adacs.models.packing import pack, unpack
from napari_adacs.training.train import new_model
from tests.training.conftest import make_config
from tests.training.test_every_network import NETWORKS, options


def test_a_byte_is_within_half_a_step_of_each_channel():
    torch.manual_seed(0)
    size = torch.logspace(-6, 3, 6)[:, None, None, None]
    weight = torch.randn(6, 4, 3, 3) * size
    state = {'weight': weight, 'bias': torch.randn(6)}
    stored = pack(state, {'weight', 'bias'}, 'byte')
    assert stored['weight'].dtype == torch.int8
    assert stored['bias'].dtype == torch.float16
    again = unpack(stored)
    assert set(again) == set(state)
    step = weight.abs().amax((1, 2, 3)) / 127
    error = (again['weight'] - weight).abs().amax((1, 2, 3))
    assert (error <= step * 0.501).all()
    # What has been stored once does not change any more.
    twice = unpack(pack(again, {'weight', 'bias'}, 'byte'))
    torch.testing.assert_close(twice['weight'], again['weight'])


def test_a_channel_of_zeros_stays_one():
    state = {'weight': torch.zeros(2, 16)}
    again = unpack(pack(state, {'weight'}, 'byte'))
    torch.testing.assert_close(again['weight'], state['weight'])


@pytest.mark.parametrize('storage', ['half', 'byte'])
def test_what_was_not_learnt_keeps_its_values(storage):
    state = {
        'betas': torch.linspace(1e-6, 1e-2, 400).reshape(4, 100),
        'index': torch.arange(300).reshape(3, 100),
        'steps': torch.tensor(100_000),
        'none': torch.zeros(0, dtype=torch.int64),
    }
    stored = pack(state, (), storage)
    assert stored['index'].dtype == torch.int16
    again = unpack(stored)
    for name, value in state.items():
        torch.testing.assert_close(again[name], value.float(), atol=0, rtol=0)


def test_a_weight_may_be_called_scale():
    state = {'scale': torch.ones(3), 'norm.scale': torch.full((2,), 2.0)}
    for storage in ('single', 'half', 'byte'):
        again = unpack(pack(state, set(state), storage))
        assert {k: v.tolist() for k, v in again.items()} == {
            'scale': [1, 1, 1],
            'norm.scale': [2, 2],
        }


@pytest.mark.parametrize('ndim', [2, 3])
@pytest.mark.parametrize('network', NETWORKS)
def test_every_network_survives(network, ndim, tmp_path):
    torch.manual_seed(0)
    chosen = options(network, ndim)
    model = new_model(
        make_config(
            shape=[32] * ndim, network={'name': network, 'options': chosen}
        )
    )
    single, byte = tmp_path / 'single.safetensors', tmp_path / 'b.safetensors'
    save_bundle(single, model)
    save_bundle(byte, model, storage='byte')
    assert byte.stat().st_size < single.stat().st_size
    again = load_bundle(byte)
    for role, module in model.modules().items():
        state = again.modules()[role].state_dict()
        for name, value in module.state_dict().items():
            bound = float(value.abs().max()) / 200 if value.numel() else 0
            torch.testing.assert_close(
                state[name], value, atol=bound, rtol=1e-3
            )
