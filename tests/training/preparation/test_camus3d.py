"""Apical slices, turned about the axis of the left ventricle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from napari_adacs.errors import InputError
from napari_adacs.training.pairs import MatFolder, TrainingPair
from napari_adacs.training.preparation.datasets import prepare_dataset
from napari_adacs.training.preparation.revolving import revolve


def slices(
    ventricle: float = 18, name: str = 'patient0001_4CH'
) -> TrainingPair:
    """Return a ventricle in a wall that shrinks, tilted, off the middle."""
    x, y = np.meshgrid(np.arange(128.0), np.arange(128.0), indexing='ij')
    far = np.hypot(x - 70 - 0.2 * (y - 50), (y - 50) / 1.6)
    labels = [
        np.where(far < r, 1, np.where(far < r + 8, 2, 0)).astype(np.uint8)
        for r in (ventricle, 0.7 * ventricle)
    ]
    images = [(np.array([0.3, 0.1, 0.9], np.float32)[part]) for part in labels]
    return TrainingPair(*images, *labels, name)


@pytest.mark.parametrize('seed', range(4))
def test_a_slice_becomes_a_body(seed: int) -> None:
    pair = slices()
    body = revolve(pair, np.random.default_rng(seed))
    assert body.moving.shape == body.fixed.shape == (64, 64, 64)
    large, small = (
        np.count_nonzero(part == 1)
        for part in (body.moving_labels, body.fixed_labels)
    )
    # Two axes of three shrink with the radius, and the depth too.
    assert small / large == pytest.approx(0.7**3, abs=0.08)
    # Images and labels come from the same pixels.
    sure = body.moving_labels == 2
    inside = body.moving[sure]
    assert np.median(inside) == pytest.approx(0.9, abs=0.02)
    # It is a body: seen along the beam, the cavity is wide both ways.
    cavity = np.argwhere(body.moving_labels == 1)
    wide = np.ptp(cavity, axis=0)
    assert 0.5 < wide[0] / wide[2] < 2
    # The wall closes around the cavity half way down.
    level = int(np.median(cavity[:, 1]))
    plane = body.moving_labels[:, level]
    edge = plane[[0, -1]].sum() + plane[:, [0, -1]].sum()
    assert edge == 0
    beside = [np.roll(plane == 1, s, a) for s in (-1, 1) for a in (0, 1)]
    ring = np.logical_or.reduce(beside) & (plane != 1)
    assert np.mean(plane[ring] == 2) > 0.95


def test_the_same_seed_gives_the_same_body() -> None:
    first, again = (
        revolve(slices(), np.random.default_rng(3), side=32) for _ in range(2)
    )
    np.testing.assert_array_equal(first.moving, again.moving)
    other = revolve(slices(), np.random.default_rng(4), side=32)
    assert np.abs(other.moving - first.moving).max() > 0.1


def write(folder: Path, pair: TrainingPair) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        'im_ED': pair.moving,
        'im_ES': pair.fixed,
        'label_ED': pair.moving_labels,
        'label_ES': pair.fixed_labels,
    }
    savemat(folder / f'{pair.name}.mat', values)


def test_prepared_camus_becomes_pairs_of_volumes(tmp_path: Path) -> None:
    source, target = tmp_path / 'CAMUS', tmp_path / 'out'
    write(source / 'train', slices(20))
    write(source / 'train', slices(20, 'patient0001_2CH'))
    write(source / 'train', slices(0, 'patient0002_4CH'))
    write(source / 'val', slices(16, 'patient0003_4CH'))
    prepared = prepare_dataset('camus-3d', source, target)
    assert prepared.counts == {'train': 2, 'val': 1, 'test': 0}
    [(name, reason)] = prepared.skipped
    assert name == 'patient0002_4CH'
    assert 'no left ventricle' in reason
    pairs = MatFolder(target / 'train')
    assert [pairs.name(i) for i in range(2)] == [
        'patient0001_4CH_0',
        'patient0001_4CH_1',
    ]
    assert pairs[0].group == pairs[1].group == 'patient0001'
    assert pairs[0].moving.shape == (64, 64, 64)
    assert not np.array_equal(pairs[0].moving, pairs[1].moving)
    assert {1, 2} <= set(np.unique(pairs[0].moving_labels))


def test_a_folder_that_was_not_prepared(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='prepare camus'):
        prepare_dataset('camus-3d', tmp_path, tmp_path / 'out')


def test_without_labels_there_is_no_axis() -> None:
    pair = slices()
    bare = TrainingPair(pair.moving, pair.fixed, name='x')
    with pytest.raises(InputError, match='x has no labels'):
        revolve(bare, np.random.default_rng(0))
