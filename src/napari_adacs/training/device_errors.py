"""Failures of the device while training, as sentences."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import torch

from napari_adacs.errors import DeviceError
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.what_fits import what_fits

# What torch says on CPU, on Windows, on CUDA and in its libraries, and the
# system when a library that is loaded late finds no room.
_NO_MEMORY = (
    "can't allocate memory",
    'cannot allocate memory',
    'failed to map segment',
    'not enough memory',
    'out of memory',
    'alloc_failed',
)


def check_precision(config: TrainConfig, device: torch.device) -> None:
    """Check that a device computes in the precision that is asked for.

    Raises
    ------
    DeviceError
        If it does not.
    """
    if config.optimiser.precision == 'float16' and device.type != 'cuda':
        raise DeviceError(
            f"'optimiser.precision' float16 needs CUDA, not {device.type}.",
            'Choose bfloat16 or float32.',
        )


@contextlib.contextmanager
def readable_device_errors(
    config: TrainConfig, device: torch.device, step: Callable[[], int]
) -> Iterator[None]:
    """Turn failures of a device into advice.

    Parameters
    ----------
    config : TrainConfig
        What is trained.
    device : torch.device
        Where.
    step : callable
        Returns how far training is.

    Raises
    ------
    DeviceError
        Instead of errors about memory and errors that a GPU reports.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(config, device, step()) from error
    except (RuntimeError, ImportError, OSError) as error:
        words = str(error)
        if any(sign in words.lower() for sign in _NO_MEMORY):
            raise _out_of_memory(config, device, step()) from error
        if 'CUDA error' not in words:
            raise
        first = words.splitlines()[0].rstrip('.')
        raise DeviceError(
            f'The GPU failed at step {step()}: {first}.',
            'Resume; if it fails again, choose the device cpu.',
        ) from error


def _out_of_memory(
    config: TrainConfig, device: torch.device, step: int
) -> DeviceError:
    pairs = config.batch_size // config.optimiser.accumulation
    grid = ' x '.join(str(n) for n in config.shape)
    many = f'{pairs} pairs' if pairs > 1 else 'one pair'
    return DeviceError(
        f'{device} ran out of memory at step {step}, with {many} of {grid} '
        'at a time.',
        what_fits(config, device.type == 'cuda'),
    )
