"""Random shapes: what is drawn, and that it is drawn again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.phantom.random_fields import (
    coordinates,
    diffeomorphism,
    sample,
    smooth_noise,
    velocity_nodes,
)
from napari_adacs.phantom.shapes import shapes_pair
from napari_adacs.phantom.shapes_options import ShapesOptions

SHAPES = [(48, 40), (24, 20, 28)]


@pytest.mark.parametrize('shape', SHAPES)
def test_a_seed_gives_the_same_pair_again(shape: tuple[int, ...]) -> None:
    one, two, other = (shapes_pair(seed, shape) for seed in (3, 3, 4))
    for key in ('moving', 'fixed', 'moving_labels', 'fixed_labels'):
        np.testing.assert_array_equal(getattr(one, key), getattr(two, key))
    assert not np.array_equal(one.fixed_labels, other.fixed_labels)


@pytest.mark.parametrize('shape', SHAPES)
def test_images_and_labels_are_as_training_wants_them(
    shape: tuple[int, ...],
) -> None:
    for seed in range(12):
        pair = shapes_pair(seed, shape)
        for image in (pair.moving, pair.fixed):
            assert image.shape == shape
            assert image.dtype == np.float32
            assert np.isfinite(image).all()
            assert (image.min(), image.max()) == (0, 1)
        assert pair.moving_labels.dtype == np.uint8
        both = np.intersect1d(pair.moving_labels, pair.fixed_labels)
        assert len(both[both > 0]) >= 2


def test_without_motion_labels_agree_and_with_it_they_do_not() -> None:
    still = ShapesOptions(motion=0, squeeze=0)
    for seed in range(4):
        pair = shapes_pair(seed, (48, 48), still)
        np.testing.assert_array_equal(pair.moving_labels, pair.fixed_labels)
        moved = shapes_pair(seed, (48, 48))
        share = (moved.moving_labels != moved.fixed_labels).mean()
        assert 0.01 < share < 0.9


def test_frames_of_one_kind_look_alike() -> None:
    still = ShapesOptions(
        motion=0, squeeze=0, speckle=0, sector=0, background=0
    )

    def correlation(same_contrast: float) -> float:
        options = replace(still, same_contrast=same_contrast)
        pairs = [shapes_pair(seed, (64, 64), options) for seed in range(20)]
        return float(
            np.mean(
                [
                    np.corrcoef(p.moving.ravel(), p.fixed.ravel())[0, 1]
                    for p in pairs
                ]
            )
        )

    assert correlation(1.0) > 0.6
    assert abs(correlation(0.0)) < 0.4


def test_a_sector_leaves_the_same_part_of_both_frames_empty() -> None:
    options = ShapesOptions(sector=1.0, background=0.0)
    shares = []
    for seed in range(10):
        pair = shapes_pair(seed, (64, 64), options)
        empty = (pair.moving == 0) & (pair.fixed == 0)
        shares.append(empty.mean())
    assert 0.15 < np.mean(shares) < 0.8


@pytest.mark.parametrize('shape', SHAPES)
def test_deformations_do_not_fold(shape: tuple[int, ...]) -> None:
    # the displacement that the strongest draw of one scale gives
    rng = np.random.default_rng(1)
    nodes = velocity_nodes(shape)
    velocity = 0.05 * smooth_noise(rng, len(shape), nodes, [2] * len(shape))
    scale = np.array(nodes, np.float32).reshape(-1, *([1] * len(shape)))
    field = diffeomorphism(velocity * scale, shape)
    place = coordinates(shape) + field
    columns = [np.gradient(p) for p in place]
    matrix = np.moveaxis(np.array(columns), (0, 1), (-2, -1))
    assert np.linalg.det(matrix).min() > 0
    assert np.abs(field).max() > 1


def test_a_diffeomorphism_is_undone_by_its_opposite() -> None:
    shape = (40, 40)
    rng = np.random.default_rng(2)
    nodes = velocity_nodes(shape)
    velocity = smooth_noise(rng, 2, nodes, [2, 2])
    there = diffeomorphism(velocity, shape)
    back = diffeomorphism(-velocity, shape)
    left = there + sample(back, coordinates(shape) + there)
    inner = (slice(None), slice(8, -8), slice(8, -8))
    assert np.abs(there[inner]).max() > 1.5
    assert np.abs(left[inner]).max() < 0.25


def test_noise_has_unit_variance() -> None:
    values = smooth_noise(np.random.default_rng(0), 400, (12, 9), (3, 2))
    assert values.std() == pytest.approx(1, abs=0.05)
    assert values.mean() == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize('shape', [(4, 64), (64,), (8, 8, 8, 8)])
def test_what_cannot_be_drawn_is_said(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match='cannot be drawn'):
        shapes_pair(0, shape)
