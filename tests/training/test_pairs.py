"""Where pairs come from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat

from napari_adacs.errors import InputError
from napari_adacs.training.batch import collate
from napari_adacs.training.pairs import MatFolder, PairList, normalise
from napari_adacs.training.phantom_pairs import PhantomPairs
from tests.training.conftest import make_pairs


def write_mat(folder, name, **changes):
    rng = np.random.default_rng(0)
    values = {
        'im_ED': rng.integers(0, 255, (8, 9)).astype(np.uint8),
        'im_ES': rng.integers(0, 255, (8, 9)).astype(np.uint8),
        'label_ED': rng.integers(0, 4, (8, 9)).astype(np.uint8),
        'label_ES': rng.integers(0, 4, (8, 9)).astype(np.uint8),
    }
    savemat(folder / name, values | changes)
    return values


def test_mat_files_of_the_papers(tmp_path):
    values = write_mat(tmp_path, 'a.mat')
    pair = MatFolder(tmp_path)[0]
    assert pair.name == 'a'
    assert pair.moving.dtype == np.float32
    assert pair.moving.min() == 0
    assert pair.moving.max() == 1
    np.testing.assert_array_equal(pair.fixed_labels, values['label_ES'])


def test_myocardium_masks_become_label_2(tmp_path):
    mask = np.zeros((8, 9), np.uint8)
    mask[2:4] = 1
    rng = np.random.default_rng(0)
    images = {f'im_{f}': rng.random((8, 9)) for f in ('ED', 'ES')}
    savemat(tmp_path / 'b.mat', images | {'myo_ED': mask, 'myo_ES': mask})
    np.testing.assert_array_equal(
        MatFolder(tmp_path)[0].moving_labels, mask * 2
    )


def test_reversed_pairs_move_the_other_way(tmp_path):
    write_mat(tmp_path, 'a.mat')
    there, back = MatFolder(tmp_path)[0], MatFolder(tmp_path, True)[0]
    np.testing.assert_array_equal(there.moving, back.fixed)
    np.testing.assert_array_equal(there.fixed_labels, back.moving_labels)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r'no \.mat files'):
        MatFolder(tmp_path)
    with pytest.raises(InputError, match='no pairs'):
        PairList([])


def test_a_constant_image_becomes_zero():
    assert (normalise(np.full((3, 3), 7)) == 0).all()


def test_phantom_pairs_are_cached_and_the_same(tmp_path):
    first = PhantomPairs((32, 32), 2, 5, tmp_path)
    again = PhantomPairs((32, 32), 2, 5, tmp_path)
    assert len(first) == 2
    np.testing.assert_array_equal(first[1].moving, again[1].moving)
    assert len(list(tmp_path.glob('*.npz'))) == 1
    assert set(np.unique(first[1].fixed_labels)) >= {0, 1, 2}
    with pytest.raises(IndexError):
        first[2]


def test_collating_resamples_images_and_masks():
    batch = collate(make_pairs(3), (8, 8), labels=(1, 2))
    assert batch.moving.shape == (3, 1, 8, 8)
    assert batch.fixed_masks.shape == (3, 2, 8, 8)
    assert batch.moving_masks[:, 0].max() == 1
    assert batch.moving_masks[:, 1].max() == 0
    assert collate(make_pairs(3), (8, 8)).moving_masks.shape[1] == 0


def test_the_papers_data(shared_data):
    pairs = MatFolder(shared_data / 'camus-128' / 'val')
    assert len(pairs) == 100
    assert pairs[0].moving.shape == (128, 128)
    assert set(np.unique(pairs[0].fixed_labels)) == {0, 1, 2, 3}
