"""Learning from motion that is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_adacs.errors import InputError
from napari_adacs.objectives.known_motion import tissue_distance
from napari_adacs.spatial.operators import warp
from napari_adacs.training.augment import augment
from napari_adacs.training.batch import collate
from napari_adacs.training.loader import Loader
from napari_adacs.training.pairs import PairList
from napari_adacs.training.phantom_pairs import PhantomPairs
from napari_adacs.training.sections import AugmentConfig
from napari_adacs.training.train import train
from tests.training.conftest import phantom_config

SHAPES = pytest.mark.parametrize('shape', [(32, 32), (24, 24, 24)])


def phantoms(shape, count, first=0, folder=None):
    return PhantomPairs(shape, count, first, folder, motion=True)


@SHAPES
def test_the_true_motion_takes_tissue_where_it_belongs(shape):
    pair = phantoms(shape, 1)[0]
    batch = collate([pair], shape, motion=True)
    true = torch.from_numpy(np.nan_to_num(pair.displacement))[None]
    right = tissue_distance(batch.tissue[1], warp(batch.tissue[0], true))
    still = tissue_distance(batch.tissue[1], batch.tissue[0])
    known = np.isfinite(pair.displacement).all(0)
    length = np.linalg.norm(pair.displacement[:, known], axis=0).mean()
    assert right < 5e-3
    assert still == pytest.approx(length, rel=0.01)


@SHAPES
def test_tissue_moves_with_its_image(shape):
    """The distance does not depend on how a pair is turned or bent."""
    pair = phantoms(shape, 1)[0]
    batch = collate([pair], shape, motion=True)
    still = float(tissue_distance(batch.tissue[1], batch.tissue[0]))
    axes = tuple(range(len(shape)))
    for seed in range(6):
        rng = torch.Generator().manual_seed(seed)
        turned = augment(
            batch, AugmentConfig(flip=axes, transpose=axes, swap=True), rng
        )
        apart = tissue_distance(turned.tissue[1], turned.tissue[0])
        assert float(apart) == pytest.approx(still, rel=1e-4)
        bent = augment(batch, AugmentConfig(warp=1.0), rng)
        apart = tissue_distance(bent.tissue[1], bent.tissue[0])
        assert float(apart) == pytest.approx(still, rel=0.2)


def test_pairs_of_unknown_motion_share_a_batch():
    known = phantoms((32, 32), 1)[0]
    pairs = PairList([known, replace(known, displacement=None)])
    loader = Loader(pairs, phantom_config(motion_weight=1.0, batch_size=16))
    batch = loader.parts(0, nuisance=False)[0]
    assert batch.tissue[0].shape == (16, 3, 32, 32)
    assert set((batch.tissue[1][:, -1].sum((1, 2)) > 0).tolist()) == {
        True,
        False,
    }


def test_nothing_known_is_no_distance():
    unknown = torch.zeros(2, 3, 8, 8, requires_grad=True)
    distance = tissue_distance(unknown.detach(), unknown)
    distance.backward()
    assert float(distance.detach()) == 0
    assert torch.isfinite(unknown.grad).all()


def test_without_weight_nothing_is_carried_along():
    loader = Loader(phantoms((32, 32), 2), phantom_config())
    batch = loader.parts(0, nuisance=False)[0]
    assert batch.tissue is None


def test_known_motion_is_kept_on_disk(tmp_path):
    made = phantoms((32, 32), 1, 5, tmp_path)[0]
    read = phantoms((32, 32), 1, 5, tmp_path)[0]
    np.testing.assert_array_equal(made.displacement, read.displacement)
    file = next(tmp_path.glob('*.npz'))
    plain = PhantomPairs((32, 32), 1, 5, tmp_path)[0]
    assert plain.displacement is None
    with np.load(file) as data:
        kept = {k: data[k] for k in data if k != 'displacement'}
    np.savez(file, **kept)  # as a run without known motion keeps it
    again = phantoms((32, 32), 1, 5, tmp_path)[0]
    np.testing.assert_array_equal(made.displacement, again.displacement)


def test_known_motion_teaches():
    pairs = phantoms((32, 32), 12)
    held_out = [phantoms((32, 32), 1, 90 + i)[0] for i in range(4)]

    def error(model):
        batch = collate(held_out, (32, 32), motion=True)
        with torch.no_grad():
            motion = model.displacement(batch.moving, batch.fixed)
        moved = warp(batch.tissue[0], motion.displacement)
        return float(tissue_distance(batch.tissue[1], moved))

    plain = train(pairs, phantom_config())
    taught = train(pairs, phantom_config(motion_weight=0.1))
    alone = train(
        pairs, phantom_config(motion_weight=0.1, similarity_weight=0.0)
    )
    assert error(taught) < 0.95 * error(plain)
    assert error(alone) < 0.95 * error(plain)


def test_unknown_motion_is_refused_before_training():
    pair = PhantomPairs((32, 32), 1)[0]
    assert pair.displacement is None
    with pytest.raises(InputError, match='motion_weight'):
        train([pair], phantom_config(motion_weight=0.1))
