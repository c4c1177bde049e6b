"""Cases from .mat folders, NIfTI pairs and phantoms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat

from napari_adacs.benchmark.sources import chosen_names, open_cases
from napari_adacs.errors import InputError
from napari_adacs.io.nifti import save_volume
from napari_adacs.spatial.grid import Grid


def image(seed=0, shape=(20, 24)):
    return np.random.default_rng(seed).uniform(0, 200, shape)


def squares(shift=0):
    labels = np.zeros((20, 24), np.uint8)
    labels[5:12, 6 + shift : 14 + shift] = 2
    return labels


def save_mat(path, **more):
    savemat(path, {'im_ED': image(0), 'im_ES': image(1), **more})


def save_pair(folder, names, labels=False, grid=None):
    folder.mkdir(parents=True, exist_ok=True)
    grid = grid or Grid.from_spacing((20, 24), (0.5, 0.7))
    for index, name in enumerate(names):
        data = squares(index) if labels else image(index)
        save_volume(
            folder / f'{name}.nii.gz',
            data,
            grid,
            labels=labels,
            axis_order='zyx',
        )


class TestMat:
    def test_pairs_without_a_voxel_size(self, tmp_path):
        save_mat(tmp_path / 'b.mat', label_ED=squares(), label_ES=squares(1))
        save_mat(tmp_path / 'a.mat', myo_ED=squares() > 0, myo_ES=squares())
        source = open_cases(str(tmp_path))
        assert source.names == ['a', 'b']
        assert source.ndim == 2
        case = source.load('b')
        assert case.fixed.grid.units == 'voxel'
        assert np.array_equal(case.fixed_labels, squares(1))
        assert case.truth is None
        assert np.array_equal(source.load('a').moving_labels, squares())

    def test_identity_changes_with_the_file(self, tmp_path):
        save_mat(tmp_path / 'a.mat')
        source = open_cases(str(tmp_path))
        before = source.identity('a')
        save_mat(tmp_path / 'a.mat', label_ED=squares())
        assert source.identity('a') != before

    def test_a_damaged_file_is_found_only_when_read(self, tmp_path):
        save_mat(tmp_path / 'b.mat')
        (tmp_path / 'a.mat').write_bytes(b'nothing')
        source = open_cases(str(tmp_path))
        assert source.ndim == 2
        with pytest.raises(InputError, match='damaged'):
            source.load('a')


class TestNifti:
    def test_words_of_the_papers(self, tmp_path):
        folder = tmp_path / 'patient7'
        save_pair(folder, ['patient7_4CH_ED', 'patient7_4CH_ES'])
        save_pair(folder, ['patient7_4CH_ED_gt', 'patient7_4CH_ES_gt'], True)
        source = open_cases(str(tmp_path))
        assert source.names == ['patient7_4CH']
        case = source.load('patient7_4CH')
        # read as (y, x): the first axis of the file is the world's x
        assert case.moving.grid.spacing == pytest.approx((0.7, 0.5))
        assert np.array_equal(case.moving_labels, squares().T)
        assert np.array_equal(case.fixed_labels, squares(1).T)
        assert np.allclose(case.fixed.data, image(1).T, atol=0.01)

    def test_moving_and_fixed_in_folders_of_their_own(self, tmp_path):
        for name in ('a', 'b'):
            save_pair(tmp_path / name, ['moving', 'fixed'])
        source = open_cases(str(tmp_path))
        assert source.names == ['a', 'b']
        assert source.load('a').fixed_labels is None

    def test_one_pair_in_the_folder_itself(self, tmp_path):
        save_pair(tmp_path, ['moving', 'fixed'])
        save_pair(tmp_path, ['moving_labels'], True)
        source = open_cases(str(tmp_path))
        assert source.names == [tmp_path.name]
        # one segmentation alone compares with nothing
        assert source.load(tmp_path.name).moving_labels is None

    def test_labels_elsewhere_are_refused(self, tmp_path):
        save_pair(tmp_path, ['moving', 'fixed'])
        other = Grid.from_spacing((20, 24), (0.5, 0.9))
        save_pair(tmp_path, ['moving_seg', 'fixed_seg'], True, other)
        source = open_cases(str(tmp_path))
        with pytest.raises(InputError, match='grid of'):
            source.load(source.names[0])

    def test_names_that_say_nothing(self, tmp_path):
        save_pair(tmp_path, ['first', 'second'])
        with pytest.raises(InputError, match='no pairs'):
            open_cases(str(tmp_path))

    def test_a_table_is_tested_on_what_it_says(self, tmp_path):
        save_pair(tmp_path, ['moving', 'fixed'])
        table = tmp_path / 'pairs.csv'
        lines = ['name,moving,fixed,split']
        lines += [
            f'{name},moving.nii.gz,fixed.nii.gz,{split}'
            for name, split in (('a', 'train'), ('b', 'test'), ('c', 'val'))
        ]
        table.write_text('\n'.join(lines), encoding='utf-8')
        assert open_cases(str(table)).names == ['b']
        assert open_cases(str(table)).load('b').fixed.name == 'fixed'
        table.write_text('\n'.join(lines[:2]), encoding='utf-8')
        with pytest.raises(InputError, match='to train on'):
            open_cases(str(table))


class TestPhantom:
    def test_truth_is_known_and_seeds_are_their_own(self):
        source = open_cases('phantom:3', 2)
        assert source.names[0] == 'phantom2d-200000'
        case = source.load(source.names[1])
        assert case.name == 'phantom2d-200001'
        assert case.truth.shape == (2, *case.fixed.grid.shape)
        assert case.fixed.grid.units == 'mm'
        assert np.array_equal(case.region, case.inside)

    def test_kinds_share_the_motion_and_differ_by_nuisance(self):
        clear = open_cases('phantom-clear:2', 2)
        hard = open_cases('phantom-hard:2', 2)
        assert clear.names[0] == 'phantom2d-clear-200000'
        one, other = (c.load(c.names[1]) for c in (clear, hard))
        assert np.array_equal(one.truth, other.truth)
        assert not np.array_equal(one.fixed.data, other.fixed.data)
        assert not np.array_equal(one.moving.data, other.moving.data)
        first = clear.load(clear.names[0])
        assert not np.array_equal(first.truth, one.truth)

    @pytest.mark.parametrize('number', ['0', '-1', 'x', ''])
    def test_refused(self, number):
        with pytest.raises(InputError, match='not a number'):
            open_cases(f'phantom:{number}', 2)


def test_nothing_to_find(tmp_path):
    with pytest.raises(InputError, match='no folder'):
        open_cases(str(tmp_path / 'missing'))
    with pytest.raises(InputError, match='no pairs'):
        open_cases(str(tmp_path))
    (tmp_path / 'val').mkdir()
    save_mat(tmp_path / 'val' / 'a.mat')
    with pytest.raises(InputError, match='Do you mean .*val'):
        open_cases(str(tmp_path))


def test_a_limit_is_spread_evenly():
    source = open_cases('phantom:10', 2)
    assert chosen_names(source, 20) == source.names
    picked = [int(name[-1]) for name in chosen_names(source, 4)]
    assert picked == [0, 2, 5, 7]


@pytest.mark.parametrize(
    ('folder', 'count', 'label'),
    [('camus-nifti', 14, 2), ('acdc-nifti', 1, 2), ('camus-128/val', 100, 2)],
)
def test_real_folders(shared_data, folder, count, label):
    source = open_cases(str(shared_data / folder))
    assert len(source.names) == count
    case = source.load(source.names[0])
    assert label in case.fixed_labels
    assert case.moving_labels.shape == case.moving.data.shape
