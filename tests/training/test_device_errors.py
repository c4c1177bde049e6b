"""Failures of the device as sentences."""

from __future__ import annotations

import errno
import os

import pytest
import torch

from napari_adacs.errors import DeviceError
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.device_errors import readable_device_errors

CPU = torch.device('cpu')


@pytest.mark.parametrize(
    'error',
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        ImportError('lib.so: failed to map segment from shared object'),
    ],
)
def test_every_way_to_run_out_of_memory_gets_advice(error: Exception) -> None:
    with (
        pytest.raises(DeviceError, match='ran out of memory at step 7') as got,
        readable_device_errors(TrainConfig(), CPU, lambda: 7),
    ):
        raise error
    assert 'accumulation' in str(got.value)


@pytest.mark.parametrize(
    'error',
    [
        RuntimeError('shapes differ'),
        FileNotFoundError('log.csv'),
        ImportError('No module named x'),
    ],
)
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with (
        pytest.raises(type(error)) as got,
        readable_device_errors(TrainConfig(), CPU, lambda: 7),
    ):
        raise error
    assert got.value is error
