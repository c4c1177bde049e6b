"""What computes the networks: torch as it is, faster, or OpenVINO."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from importlib.util import find_spec

import torch
from torch import nn

from napari_adacs.networks.fast import accelerated
from napari_adacs.registration.config import Backend


def available(backend: Backend) -> tuple[Backend, tuple[str, ...]]:
    """Return the backend that can be had here, and a remark if it differs.

    Parameters
    ----------
    backend : {'auto', 'plain', 'openvino'}
        What was asked for. Without OpenVINO torch takes its place, since
        the results are the same.
    """
    if backend != 'openvino' or find_spec('openvino') is not None:
        return backend, ()
    remark = (
        'OpenVINO is not installed, torch computed instead; install it with '
        "pip install 'napari-adacs[openvino]'."
    )
    return 'auto', (remark,)


@contextlib.contextmanager
def computing(
    networks: Sequence[nn.Module], backend: str, device: torch.device
) -> Iterator[None]:
    """Let networks compute for a while in the way that was chosen.

    Gradients do not pass; use it inside `torch.inference_mode`.

    Parameters
    ----------
    networks : sequence of torch.nn.Module
        On `device`, in evaluation mode.
    backend : {'auto', 'plain', 'openvino'}
        'auto' is the fastest that torch has: oneDNN with fused layers on a
        CPU, half precision with tuned kernels on CUDA. 'plain' runs the
        modules as they are, in float32.
    device : torch.device
        Where they are; OpenVINO only knows the CPU.

    Raises
    ------
    DeviceError
        If OpenVINO cannot run a network.
    """
    if backend == 'plain':
        yield
    elif backend == 'openvino':
        # An optional package that takes a while to load.
        from napari_adacs.registration.openvino import compiled

        with compiled(networks, device):
            yield
    elif device.type == 'cuda':
        with _tuned(device):
            yield
    else:
        with accelerated(networks):
            yield


@contextlib.contextmanager
def _tuned(device: torch.device) -> Iterator[None]:
    """Half precision for layers, and the fastest kernel for each shape.

    Coordinates, displacements and maps stay in float32, see
    `networks.precision`.
    """
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        with torch.autocast(device.type, dtype=torch.float16):
            yield
    finally:
        torch.backends.cudnn.benchmark = before
