"""Soft Dice of warped labels."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.objectives.overlap import dice_loss
from napari_adacs.spatial.operators import warp


def masks(*rows: list[float]) -> torch.Tensor:
    """Return masks (1, L, 1, n) from one row per label."""
    return torch.tensor(rows)[None, :, None]


def test_small_cases_by_hand() -> None:
    fixed = masks([1, 1, 0, 0], [0, 0, 1, 1])
    assert dice_loss(fixed, fixed).item() == pytest.approx(0, abs=1e-6)
    none = masks([0, 0, 1, 1], [1, 1, 0, 0])
    assert dice_loss(fixed, none).item() == pytest.approx(1, abs=1e-3)
    # 2 * 1 / (2 + 2) and 2 * 1.5 / (2 + 2)
    some = masks([0, 1, 1, 0], [0, 0.5, 1, 0.5])
    assert dice_loss(fixed, some).item() == pytest.approx(0.375, abs=1e-3)


def test_labels_that_neither_has_do_not_count() -> None:
    fixed, some = masks([1, 1, 0, 0]), masks([0, 1, 1, 0])
    nothing = masks([0, 0, 0, 0])
    alone = dice_loss(fixed, some)
    filled = dice_loss(
        torch.cat([fixed, nothing], 1), torch.cat([some, nothing], 1)
    )
    assert filled.item() == alone.item() == pytest.approx(0.5, abs=1e-3)
    # a label that is lost altogether does
    lost = dice_loss(
        torch.cat([fixed, fixed], 1), torch.cat([some, nothing], 1)
    )
    assert lost.item() == pytest.approx(0.75, abs=1e-3)


def test_parts_of_a_batch_add_up() -> None:
    torch.manual_seed(0)
    fixed, warped = torch.rand(4, 3, 5, 6), torch.rand(4, 3, 5, 6)
    fixed[1, 2] = warped[1, 2] = 0
    fixed[3] = warped[3] = 0
    whole = dice_loss(fixed, warped)
    parts = [dice_loss(fixed[i : i + 2], warped[i : i + 2]) for i in (0, 2)]
    assert whole.item() == pytest.approx(sum(p.item() for p in parts) / 2)


@pytest.mark.parametrize('shape', [(6, 5), (4, 5, 3)])
def test_gradient_reaches_the_displacement(shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    ndim = len(shape)
    fixed = torch.rand(2, 3, *shape, dtype=torch.float64)
    moving = torch.rand(2, 3, *shape, dtype=torch.float64)
    fixed[0, 1] = moving[0, 1] = 0
    field = 0.3 * torch.rand(2, ndim, *shape, dtype=torch.float64) + 0.1
    field.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda u: dice_loss(fixed, warp(moving, u)), (field,)
    )
