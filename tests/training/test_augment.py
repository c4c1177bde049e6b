"""Augmentation changes both frames alike, and only what it says."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from napari_adacs.training.augment import augment
from napari_adacs.training.batch import Batch, collate
from napari_adacs.training.config import AugmentConfig
from tests.training.conftest import make_pairs


def batch(shape=(16, 16)) -> Batch:
    return collate(make_pairs(3, shape), shape, labels=(1,))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_nothing_changes_by_default():
    before = batch()
    after = augment(before, AugmentConfig(), generator())
    torch.testing.assert_close(after.moving, before.moving)
    torch.testing.assert_close(after.fixed_masks, before.fixed_masks)


@pytest.mark.parametrize('shape', [(16, 16), (8, 8, 8)])
@pytest.mark.parametrize('name', [f.name for f in fields(AugmentConfig)])
def test_every_change_does_something_and_stays_in_range(name, shape):
    value = {'flip': (0,), 'transpose': (0, 1), 'swap': True}.get(name, 0.9)
    config = replace(AugmentConfig(), **{name: value})
    before = batch(shape)
    changed = False
    for seed in range(6):
        after = augment(before, config, generator(seed))
        assert after.moving.shape == before.moving.shape
        for image in (after.moving, after.fixed):
            assert image.min() >= 0
            assert image.max() <= 1
        changed |= not torch.equal(after.moving, before.moving)
        changed |= not torch.equal(after.fixed, before.fixed)
    assert changed


@pytest.mark.parametrize('name', ['flip', 'transpose', 'swap', 'warp'])
def test_masks_move_with_their_image(name):
    value = {'flip': (1,), 'transpose': (0, 1), 'warp': 2.0}.get(name, True)
    config = replace(AugmentConfig(), **{name: value})
    for seed in range(5):
        after = augment(batch(), config, generator(seed))
        for image, mask in (
            (after.moving, after.moving_masks),
            (after.fixed, after.fixed_masks),
        ):
            agree = ((image > 0.5) == (mask > 0.5)).float().mean()
            assert agree > 0.97


@pytest.mark.parametrize('name', ['flip', 'transpose', 'warp', 'blur'])
def test_both_frames_change_alike(name):
    value = {'flip': (0, 1), 'transpose': (0, 1)}.get(name, 2.0)
    config = replace(AugmentConfig(), **{name: value})
    same = batch()
    same = Batch(
        same.moving, same.moving, same.moving_masks, same.moving_masks
    )
    after = augment(same, config, generator())
    torch.testing.assert_close(after.moving, after.fixed)


def test_nuisance_changes_one_frame_only():
    bright = torch.full((8, 1, 16, 16), 0.5)
    empty = torch.zeros(8, 0, 16, 16)
    before = Batch(bright, bright, empty, empty)
    config = AugmentConfig(nuisance=1.0)
    after = augment(before, config, generator())
    moved = (after.moving != bright).flatten(1).any(1)
    fixed = (after.fixed != bright).flatten(1).any(1)
    assert (moved ^ fixed).all()


def test_empty_background_stays_empty():
    image = torch.zeros(2, 1, 16, 16)
    image[..., 4:12, 4:12] = 0.5
    empty = torch.zeros(2, 0, 16, 16)
    config = AugmentConfig(noise=0.3, nuisance=1.0, invert=1.0)
    after = augment(Batch(image, image, empty, empty), config, generator())
    assert after.moving[..., :4, :].abs().max() == 0


def test_the_same_seed_gives_the_same_change():
    config = AugmentConfig(flip=(0, 1), warp=2.0, noise=0.1, nuisance=0.5)
    first = augment(batch(), config, generator(3))
    second = augment(batch(), config, generator(3))
    torch.testing.assert_close(first.moving, second.moving, atol=0, rtol=0)
