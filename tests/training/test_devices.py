"""Each process computes on a device of its own; half precision on CUDA."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.errors import DeviceError
from napari_adacs.training import trainer
from napari_adacs.training.devices import training_device
from napari_adacs.training.processes import Processes
from napari_adacs.training.train import train
from napari_adacs.training.trainer import Trainer
from tests.training.conftest import make_config, make_pairs
from tests.training.test_trainer import weights


@pytest.fixture
def two_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)


def test_processes_take_devices_in_turn(two_devices):
    found = [
        training_device(name, Processes(rank, 4, rank % 2))
        for name in ('auto', 'cuda')
        for rank in range(4)
    ]
    assert [d.index for d in found] == [0, 1, 0, 1] * 2
    assert training_device('auto', Processes()).type == 'cuda'
    assert training_device('cuda:1', Processes()).index == 1
    assert training_device('cpu', Processes(0, 2)).type == 'cpu'


def test_devices_that_are_not_there(two_devices):
    with pytest.raises(DeviceError, match='at most 2 processes'):
        training_device('auto', Processes(2, 3, 2))
    with pytest.raises(DeviceError, match='cannot share cuda:0'):
        training_device('cuda:0', Processes(0, 2))
    with pytest.raises(DeviceError, match='2 CUDA devices'):
        training_device('cuda:7', Processes())


def test_without_cuda_the_processor_computes(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert training_device('auto', Processes(1, 2, 1)).type == 'cpu'


def learned(device='cpu', **changes):
    figures = []
    model = train(
        make_pairs(),
        make_config(**changes),
        validation=make_pairs(),
        device=device,
        progress=lambda step, total, values: figures.append(values),
    )
    return model, figures


def test_scaled_gradients_learn_as_plain_ones(monkeypatch):
    """The scaler's way, on the processor, which it is not offered on."""
    monkeypatch.setattr(trainer, 'check_precision', lambda *_: None)
    _, exact = learned()
    _, scaled = learned(optimiser={'precision': 'float16', 'clip': 5.0})
    for one, other in zip(exact, scaled, strict=True):
        for name in set(one) & {'data', 'correspondence', 'momentum'}:
            assert other[name] == pytest.approx(one[name], rel=0.03, abs=1e-3)


def test_an_overflow_of_scaled_gradients_passes_over_the_step(monkeypatch):
    monkeypatch.setattr(trainer, 'check_precision', lambda *_: None)
    from napari_adacs.training.optimisation import Optimisation

    share, calls = Optimisation.share_gradients, []

    def overflowing(self):
        if not calls:
            for group in self.displacement.param_groups:
                group['params'][0].grad.fill_(float('inf'))
        calls.append(1)
        share(self)

    monkeypatch.setattr(Optimisation, 'share_gradients', overflowing)
    model, figures = learned(optimiser={'precision': 'float16'})
    assert len(figures) == 12
    assert all(torch.isfinite(v).all() for v in weights(model).values())


def test_running_out_of_memory_is_said(monkeypatch):
    def full(self, batches):
        raise torch.OutOfMemoryError('no room')

    monkeypatch.setattr(Trainer, '_train_step', full)
    with pytest.raises(DeviceError, match=r'cpu ran out.*accumulation'):
        learned()


@pytest.mark.cuda
@pytest.mark.parametrize('precision', ['float32', 'bfloat16', 'float16'])
def test_training_on_cuda(tmp_path, precision):
    changes = {'optimiser': {'precision': precision, 'ema': 0.9}}
    _, exact = learned()
    _, figures = learned('cuda', **changes)
    loose = 1e-3 if precision == 'float32' else 0.05
    for one, other in zip(exact, figures, strict=True):
        for name in set(one) & {'data', 'correspondence', 'momentum'}:
            assert other[name] == pytest.approx(one[name], rel=loose, abs=1e-3)
    steps = []
    train(
        make_pairs(),
        make_config(**changes),
        folder=tmp_path,
        device='cuda',
        progress=lambda *_: steps.append(1),
        cancel=lambda: len(steps) >= 5,
    )
    train(
        make_pairs(),
        make_config(**changes),
        folder=tmp_path,
        device='cuda',
        resume=True,
        progress=lambda *_: steps.append(1),
    )
    assert len(steps) == 12
