"""Convolutions in half precision, down to a single voxel."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.networks.convolution import convolution


def gradients(
    layer: torch.nn.Module, image: torch.Tensor, half: bool
) -> list[torch.Tensor]:
    image = image.clone().requires_grad_()
    layer.zero_grad()
    with torch.autocast('cpu', torch.bfloat16, enabled=half):
        out = layer(image)
    out.float().square().sum().backward()
    assert image.grad is not None
    return [out.float(), image.grad, *(p.grad for p in layer.parameters())]


@pytest.mark.parametrize('ndim', [2, 3])
@pytest.mark.parametrize('size', [1, 2, 3, 4])
def test_half_precision_has_the_gradients_of_full_precision(ndim, size):
    torch.manual_seed(0)
    layer = convolution(ndim)(32, 16, 3, padding=1)
    image = torch.randn(4, 32, *[size] * ndim)
    for found, expected in zip(
        gradients(layer, image, True),
        gradients(layer, image, False),
        strict=True,
    ):
        largest = float(expected.detach().abs().max())
        torch.testing.assert_close(
            found, expected, atol=0.05 * largest, rtol=0
        )


def test_images_of_a_usual_size_stay_in_half_precision():
    layer = convolution(3)(2, 4, 3, padding=1)
    with torch.autocast('cpu', torch.bfloat16):
        assert layer(torch.rand(1, 2, 8, 8, 8)).dtype == torch.bfloat16
        half = torch.rand(1, 2, 2, 8, 8, dtype=torch.bfloat16)
        assert layer(half).dtype == torch.float32


def test_double_precision_is_left_alone():
    layer = convolution(2)(1, 1, 3, padding=1).double()
    assert layer(torch.rand(1, 1, 2, 2).double()).dtype == torch.float64
