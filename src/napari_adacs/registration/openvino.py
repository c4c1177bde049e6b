"""Networks compiled by OpenVINO, an optional package for x86 and ARM CPUs.

``pip install napari-adacs[openvino]``
"""

from __future__ import annotations

import contextlib
import hashlib
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from napari_adacs.errors import DeviceError

_Function = Callable[..., Tensor]
_KEPT = 32
# Compiling takes longer than a registration: what was compiled is kept, by
# weights, function, shapes and threads, also when the model is loaded anew.
_COMPILED: OrderedDict[tuple[object, ...], Any] = OrderedDict()


@contextlib.contextmanager
def compiled(
    networks: Sequence[nn.Module], device: torch.device
) -> Iterator[None]:
    """Let OpenVINO compute networks for a while.

    Parameters
    ----------
    networks : sequence of torch.nn.Module
        On the CPU; where they, or modules inside of them, have
        `tensor_functions`, these are compiled at their first call, once for
        each shape of images.
    device : torch.device
        Must be the CPU.

    Raises
    ------
    DeviceError
        If OpenVINO is not installed, the device is another, or OpenVINO
        cannot compile a network.
    """
    _check(device)
    changed: list[tuple[nn.Module, str]] = []
    try:
        for module in chain.from_iterable(n.modules() for n in networks):
            functions: dict[str, _Function] = getattr(
                module, 'tensor_functions', dict
            )()
            for name, function in functions.items():
                setattr(module, name, _Replacement(module, name, function))
                changed.append((module, name))
        yield
    finally:
        for module, name in changed:
            delattr(module, name)


def _check(device: torch.device) -> None:
    if device.type != 'cpu':
        raise DeviceError(
            f"OpenVINO computes on the CPU, not on '{device}'.",
            "Choose device cpu, or backend 'auto'.",
        )
    try:
        import openvino  # noqa: F401
    except ImportError as error:
        raise DeviceError(
            'OpenVINO is not installed.',
            "Install it with: pip install 'napari-adacs[openvino]', or "
            "choose backend 'auto'.",
        ) from error


class _Replacement:
    """One function of a network, compiled when its shapes are known."""

    def __init__(
        self, network: nn.Module, name: str, function: _Function
    ) -> None:
        self.network = network
        self.name = name
        self.function = function
        self._fingerprint = ''

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Compute, as the function does."""
        shapes = tuple(tuple(x.shape) for x in inputs)
        threads = torch.get_num_threads()
        key = (self._weights(), self.name, shapes, threads)
        if key not in _COMPILED:
            wanted = _Module(self.network, self.function).eval()
            _COMPILED[key] = _compile(wanted, inputs, threads)
            while len(_COMPILED) > _KEPT:
                _COMPILED.popitem(last=False)
        _COMPILED.move_to_end(key)
        request = _COMPILED[key]
        found = request([x.contiguous().numpy() for x in inputs])
        return torch.from_numpy(found[0].copy())

    def _weights(self) -> str:
        if not self._fingerprint:
            digest = hashlib.blake2b(digest_size=16)
            digest.update(type(self.network).__name__.encode())
            for name, value in self.network.state_dict().items():
                digest.update(name.encode())
                digest.update(value.detach().contiguous().numpy())
            self._fingerprint = digest.hexdigest()
        return self._fingerprint


class _Module(nn.Module):
    """A function of a network, as the module that OpenVINO wants."""

    def __init__(self, network: nn.Module, function: _Function) -> None:
        super().__init__()
        # Tracing wants to find the weights.
        self.network = network
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        """Compute."""
        return self.function(*inputs)


def _compile(wanted: _Module, inputs: Sequence[Tensor], threads: int) -> Any:
    import openvino

    try:
        with warnings.catch_warnings(), torch.inference_mode(False):
            # Shapes are fixed here; what a trace would not generalise to
            # does not matter.
            warnings.simplefilter('ignore')
            model = openvino.convert_model(
                wanted,
                example_input=tuple(x.clone() for x in inputs),
                input=[list(x.shape) for x in inputs],
            )
            return (
                openvino.compile_model(
                    model,
                    'CPU',
                    {
                        'INFERENCE_NUM_THREADS': threads,
                        'INFERENCE_PRECISION_HINT': 'f32',
                        'PERFORMANCE_HINT': 'LATENCY',
                    },
                )
                .create_infer_request()
                .infer
            )
    except Exception as error:
        raise DeviceError(
            f'OpenVINO cannot run this network: {_first_line(error)}',
            "Choose backend 'auto'.",
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [repr(error)])[0][:200]
