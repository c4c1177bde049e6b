"""Writing checkpoints as other projects do, for tests that read them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import torch
from torch import nn


def filled(module: nn.Module) -> nn.Module:
    """Give a network weights that are all different."""
    generator = torch.Generator().manual_seed(len(list(module.parameters())))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.1, generator=generator)
    return module.eval()


def assert_same_weights(ours: nn.Module, theirs: nn.Module) -> None:
    """Compare every parameter of two networks of one kind."""
    expected = dict(theirs.named_parameters())
    found = dict(ours.named_parameters())
    assert set(found) == set(expected)
    for name, value in found.items():
        assert torch.equal(value, expected[name]), name


@contextmanager
def fake_config_dict() -> Iterator[type]:
    """Give a class that pickles as `ml_collections.ConfigDict` does."""
    name = 'ml_collections.config_dict.config_dict'
    module = ModuleType(name)

    class ConfigDict:
        def __init__(self, fields: Mapping[str, Any]) -> None:
            self._fields = dict(fields)
            self._locked = False
            self._type_safe = True
            self._convert_dict = True

    ConfigDict.__module__, ConfigDict.__qualname__ = name, 'ConfigDict'
    module.ConfigDict = ConfigDict  # type: ignore[attr-defined]
    names = ['ml_collections', 'ml_collections.config_dict', name]
    before = {n: sys.modules.get(n) for n in names}
    sys.modules.update(dict.fromkeys(names, module))
    try:
        yield ConfigDict
    finally:
        for n, old in before.items():
            if old is None:
                del sys.modules[n]
            else:
                sys.modules[n] = old


def write_keras(
    path: Path,
    layers: Mapping[str, nn.Module],
    config: Mapping[str, Any] | None = None,
    weights_only: bool = False,
) -> None:
    """Write convolutions as Keras does: (*size, in, out), by layer."""
    with h5py.File(path, 'w') as file:
        group = file if weights_only else file.create_group('model_weights')
        group.attrs['layer_names'] = np.array(
            ['input_1', *layers], dtype='S60'
        )
        group.create_group('input_1').attrs['weight_names'] = np.array([])
        for name, conv in layers.items():
            inner = group.create_group(name)
            names = [f'{name}/kernel:0', f'{name}/bias:0']
            inner.attrs['weight_names'] = np.array(names, dtype='S80')
            kernel = conv.weight.detach().numpy()
            inner[names[0]] = np.moveaxis(kernel, (0, 1), (-1, -2))
            inner[names[1]] = conv.bias.detach().numpy()
        if config is not None:
            file.attrs['model_config'] = json.dumps(config)
