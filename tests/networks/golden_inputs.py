"""Inputs of the golden numbers: image pair and parameter fill."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


def image_pair(shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return the source ``a`` and target ``b``, float32 (1, 1, *shape)."""
    axes = np.meshgrid(*[np.arange(n) for n in shape], indexing='ij')
    phase_a = sum((0.3 + 0.4 * d) * x for d, x in enumerate(axes))
    phase_b = sum((0.2 - 0.3 * d) * x for d, x in enumerate(axes))
    a = 0.5 + 0.5 * np.sin(phase_a)
    b = 0.5 + 0.5 * np.cos(phase_b)
    return (
        torch.from_numpy(a.astype(np.float32))[None, None],
        torch.from_numpy(b.astype(np.float32))[None, None],
    )


def fill_parameters(module: nn.Module, prefix: str = '') -> None:
    """Fill every parameter from its name's length and flat index."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            length = len(prefix + name)
            k = np.arange(parameter.numel(), dtype=np.float64)
            c = np.cos(0.37 * k + 0.11 * length)
            if parameter.ndim >= 2:
                value = c / np.sqrt(parameter.numel() / parameter.shape[0])
            elif name.endswith('weight'):
                value = 1 + 0.1 * c
            else:
                value = 0.1 * c
            filled = torch.from_numpy(value).reshape(parameter.shape)
            parameter.copy_(filled.to(parameter.dtype))


def summary(values: Tensor) -> list[float]:
    """Return mean, std, min, max and five values at fixed places."""
    flat = values.detach().double().flatten().numpy()
    n = flat.size
    places = [0, n // 7, n // 3, n // 2, n - 1]
    stats = [flat.mean(), flat.std(ddof=1), flat.min(), flat.max()]
    return [float(v) for v in [*stats, *flat[places]]]
