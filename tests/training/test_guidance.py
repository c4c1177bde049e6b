"""Learning from labels: which take part, and what they change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_adacs.errors import InputError
from napari_adacs.training.augment import augment
from napari_adacs.training.batch import collate
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.loader import Loader
from napari_adacs.training.pairs import PairList, TrainingPair
from napari_adacs.training.phantom_pairs import PhantomPairs
from napari_adacs.training.sections import AugmentConfig
from napari_adacs.training.shape_pairs import ShapePairs
from napari_adacs.training.sources.opening import open_data
from napari_adacs.training.train import train
from napari_adacs.training.validation import validate
from napari_adacs.weighting.registry import SCHEMES
from tests.training.conftest import phantom_config


def config(**changes: object) -> TrainConfig:
    """Return a short run that smooths more than the true motion needs."""
    short = {
        'stages': {'displacement': 40, 'auxiliary': 0, 'joint': 0},
        'smoothness': {'weight': 0.02, 'on': 'velocity', 'reduction': 'mean'},
    }
    return phantom_config(**short | changes)


def test_labels_that_are_named_take_part() -> None:
    loader = Loader(
        PhantomPairs((32, 32), 2), config(dice_weight=1.0, dice_labels=[2])
    )
    batch = loader.parts(0, nuisance=False)[0]
    assert batch.fixed_masks.shape == (4, 1, 32, 32)


def test_each_step_draws_some_of_the_labels_a_pair_has() -> None:
    pairs = ShapePairs((32, 32), range(6))
    loader = Loader(pairs, config(dice_weight=1.0, dice_count=3))
    batch = loader.parts(0, nuisance=False)[0]
    assert batch.moving_masks.shape == (4, 3, 32, 32)
    assert (batch.moving_masks.sum((2, 3)) > 0).all()
    again = loader.parts(0, nuisance=False)[0]
    torch.testing.assert_close(batch.moving_masks, again.moving_masks)
    later = loader.parts(1, nuisance=False)[0]
    assert not torch.equal(batch.moving_masks, later.moving_masks)


def test_pairs_with_and_without_labels_share_a_batch() -> None:
    with_labels = PhantomPairs((32, 32), 1)[0]
    without = TrainingPair(with_labels.moving, with_labels.fixed)
    pairs = PairList([with_labels, without])
    loader = Loader(pairs, config(dice_weight=1.0, batch_size=16))
    batch = loader.parts(0, nuisance=False)[0]
    seen = batch.fixed_masks.sum((2, 3)) > 0
    assert seen.shape[1] >= 2
    assert set(seen.all(1).tolist()) == {True, False}


def test_labels_move_with_their_images() -> None:
    image = np.zeros((24, 24), np.float32)
    image[4:12, 6:20] = 1
    pair = TrainingPair(image, image, image.astype(np.uint8), None)
    pair = replace(pair, fixed_labels=pair.moving_labels)
    batch = collate([pair], (24, 24), [1])
    changes = AugmentConfig(flip=(0, 1), transpose=(0, 1), swap=True, warp=2)
    for seed in range(8):
        rng = torch.Generator().manual_seed(seed)
        changed = augment(batch, changes, rng)
        torch.testing.assert_close(changed.moving, changed.moving_masks)
        torch.testing.assert_close(changed.fixed, changed.fixed_masks)
        assert not torch.equal(changed.moving, batch.moving)


def test_guidance_raises_the_overlap() -> None:
    pairs, held_out = PhantomPairs((32, 32), 12), PhantomPairs((32, 32), 4, 90)
    # phantoms with all there is to mislead a similarity
    plain = train(pairs, config())
    guided = train(pairs, config(dice_weight=0.3))
    alone = train(pairs, config(dice_weight=1.0, similarity_weight=0.0))
    dsc = {
        name: validate(model.displacement, held_out).mean_dsc
        for name, model in (
            ('plain', plain),
            ('guided', guided),
            ('alone', alone),
        )
    }
    assert dsc['guided'] > dsc['plain'] + 0.01
    assert dsc['alone'] > dsc['plain'] + 0.01


def test_each_term_has_a_curve() -> None:
    found: dict[str, float] = {}
    train(
        ShapePairs((32, 32), range(4)),
        config(
            similarity_weight=0.0,
            dice_weight=1.0,
            stages={'displacement': 2, 'auxiliary': 0, 'joint': 0},
        ),
        progress=lambda step, total, losses: found.update(losses),
    )
    assert 0 < found['dice'] < 1
    assert 'smoothness' in found
    assert 'data' not in found


@pytest.mark.parametrize('scheme', SCHEMES)
def test_labels_guide_under_every_scheme(scheme: str) -> None:
    found: list[str] = []
    train(
        PhantomPairs((32, 32), 2),
        config(
            dice_weight=0.1,
            scheme={'name': scheme},
            stages={'displacement': 1, 'auxiliary': 1, 'joint': 1},
        ),
        progress=lambda step, total, losses: found.extend(losses),
    )
    assert 'dice' in found
    assert 'data' in found


def test_what_cannot_teach_is_refused() -> None:
    with pytest.raises(InputError, match='Neither similarity nor labels'):
        config(similarity_weight=0.0)
    image = PhantomPairs((32, 32), 1)[0]
    bare = [TrainingPair(image.moving, image.fixed)]
    with pytest.raises(InputError, match='no pair has any'):
        train(bare, config(dice_weight=1.0))
    with pytest.raises(InputError, match='learns from the similarity'):
        train(
            [image],
            config(
                dice_weight=1.0,
                similarity_weight=0.0,
                scheme={'name': 'nll'},
            ),
        )


def test_shapes_are_kept_and_come_back(tmp_path: Path) -> None:
    new = ShapePairs((24, 24), range(3))
    kept = ShapePairs((24, 24), range(3), folder=tmp_path)
    first, second = kept[1], kept[1]
    (path,) = tmp_path.iterdir()
    for pair in (first, second):
        np.testing.assert_array_equal(pair.moving, new[1].moving)
        np.testing.assert_array_equal(pair.fixed_labels, new[1].fixed_labels)
    # what an interrupted run has left is made again
    path.write_bytes(path.read_bytes()[:100])
    np.testing.assert_array_equal(kept[1].moving, new[1].moving)


def test_labels_to_validate_on_are_classes_of_size(tmp_path: Path) -> None:
    whole = ShapePairs((48, 48), range(4))
    for folder in (None, tmp_path):
        classes = ShapePairs((48, 48), range(4), size_classes=4, folder=folder)
        for index in range(4):
            pair, found = whole[index], classes[index]
            assert pair.fixed_labels is not None
            assert found.fixed_labels is not None
            assert set(np.unique(found.fixed_labels)) <= {0, 1, 2, 3, 4}
            biggest = np.bincount(pair.fixed_labels.ravel())[1:].argmax() + 1
            inside = pair.fixed_labels == biggest
            assert (found.fixed_labels[inside] == 1).all()
            empty = pair.fixed_labels == 0
            np.testing.assert_array_equal(found.fixed_labels == 0, empty)
            np.testing.assert_array_equal(found.moving, pair.moving)


def test_more_than_the_disk_should_hold_is_not_kept(tmp_path: Path) -> None:
    many = ShapePairs((64, 64, 64), range(50_000), folder=tmp_path)
    assert many.folder is None
    assert len(many) == 50_000


def test_shapes_are_data_by_name(tmp_path: Path) -> None:
    data = open_data(['shapes:30'], config(), tmp_path)
    assert len(data.training) == 30
    assert data.training[0].fixed.shape == (32, 32)
    assert data.validation is not None
    held_out = data.validation[0].fixed_labels
    assert held_out is not None
    assert held_out.max() <= 4
    names = {data.validation[i].name for i in range(len(data.validation))}
    assert names.isdisjoint(data.training.name(i) for i in range(30))
    alike = open_data(['shapes-alike:5'], config())
    assert alike.training.name(0) == 'alike 0'
