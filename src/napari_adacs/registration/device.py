"""Choosing a compute device, and turning its failures into sentences."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from napari_adacs.errors import DeviceError


def resolve_device(name: str) -> torch.device:
    """Return the torch device of a name.

    Parameters
    ----------
    name : str
        'auto' (CUDA, then MPS, then CPU), 'cpu', 'cuda', 'cuda:N' or 'mps'.

    Raises
    ------
    DeviceError
        If the device does not exist here.
    """
    if name == 'auto':
        if torch.cuda.is_available():
            return torch.device('cuda')
        if torch.backends.mps.is_available():
            return torch.device('mps')
        return torch.device('cpu')
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(
            f"There is no device called '{name}'.",
            'Use auto, cpu, cuda, cuda:N or mps.',
        ) from error
    if device.type == 'cuda':
        count = torch.cuda.device_count()
        if (device.index or 0) >= count:
            raise DeviceError(
                f"Device '{name}' was asked for, but this computer has "
                f'{count} CUDA devices that torch can use.',
                'Choose auto or cpu, or install a CUDA build of torch.',
            )
    elif device.type == 'mps' and not torch.backends.mps.is_available():
        raise DeviceError(
            'MPS is not available on this computer.', 'Choose auto or cpu.'
        )
    elif device.type not in ('cpu', 'cuda', 'mps'):
        raise DeviceError(
            f"Device '{name}' is not supported.",
            'Use auto, cpu, cuda, cuda:N or mps.',
        )
    return device


@contextlib.contextmanager
def readable_memory_errors(needed_gb: float) -> Iterator[None]:
    """Turn running out of memory into advice.

    Parameters
    ----------
    needed_gb : float
        Estimate shown in the message.

    Raises
    ------
    DeviceError
        Instead of torch's out-of-memory errors.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        _release()
        raise _out_of_memory(needed_gb) from error
    except RuntimeError as error:
        if 'memory' not in str(error).lower():
            raise
        _release()
        raise _out_of_memory(needed_gb) from error


def _release() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _out_of_memory(needed_gb: float) -> DeviceError:
    return DeviceError(
        f'The device ran out of memory; this pair needs about '
        f'{needed_gb:.1f} GB.',
        'Choose device cpu, or crop or resample the images.',
    )
