"""Where a process of a training run computes."""

from __future__ import annotations

import torch

from napari_adacs.errors import DeviceError
from napari_adacs.registration.device import resolve_device
from napari_adacs.training.processes import Processes


def training_device(name: str, processes: Processes) -> torch.device:
    """Return the device of a process.

    Parameters
    ----------
    name : str
        'auto' (CUDA, then CPU: MPS lacks the gradient of 3D warping),
        'cpu', 'cuda', 'cuda:N' or 'mps'. On CUDA each process of a machine
        gets a device of its own.
    processes : Processes
        Which process this is.

    Raises
    ------
    DeviceError
        If the device does not exist, or there are more processes than
        devices.
    """
    if name == 'auto':
        name = 'cuda' if torch.cuda.is_available() else 'cpu'
    device = resolve_device(name)
    if device.type != 'cuda' or processes.size == 1:
        return device
    if device.index is not None:
        raise DeviceError(
            f'{processes.size} processes cannot share {name}.',
            'Choose cuda or auto: each takes a device of its own.',
        )
    count = torch.cuda.device_count()
    if processes.local_rank >= count:
        raise DeviceError(
            f'Process {processes.local_rank} of this machine has no device: '
            f'there are {count}.',
            f'Start at most {count} processes per machine.',
        )
    return torch.device('cuda', processes.local_rank)
