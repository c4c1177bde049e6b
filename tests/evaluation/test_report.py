"""The table of a registration: numbers, units, grids, flags, files."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.evaluation.comparison import compare_masks
from napari_adacs.evaluation.report import evaluate
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid

SPACING = (2.0, 1.0, 0.5)
SHIFT = 3


def two_labels(shift=0):
    """A box in a box, moved along the second axis."""
    labels = np.zeros((20, 30, 40), np.uint8)
    labels[4:16, 5 + shift : 20 + shift, 8:32] = 1
    labels[7:13, 9 + shift : 16 + shift, 14:26] = 2
    return labels


@pytest.fixture
def fixed():
    return two_labels()


@pytest.fixture
def moving():
    return two_labels(SHIFT)


def shift_field(grid, moving_grid=None):
    """Field that brings the moving box back onto the fixed one."""
    voxels = np.zeros((3, *grid.shape), np.float32)
    voxels[1] = SHIFT
    return DisplacementField(voxels, grid, moving_grid)


@pytest.fixture
def field(fixed):
    return shift_field(Grid.from_spacing(fixed.shape, SPACING))


class TestNumbers:
    def test_perfect_registration(self, moving, fixed, field):
        table = evaluate(moving, fixed, field)
        assert [row.label for row in table] == [1, 2]
        assert len(table) == 2
        for row in table:
            assert row.dsc_before < 0.9
            assert (row.dsc_after, row.jaccard_after) == (1, 1)
            assert row.hd_before == SHIFT * SPACING[1]
            assert row.hd_after == row.hd95_after == row.assd_after == 0
            assert row.flags == ()
        assert table.folded_percent == 0
        assert table.notes == ()

    def test_same_numbers_as_mask_by_mask(self, moving, fixed):
        warped = two_labels(1)
        table = evaluate(moving, fixed, spacing=SPACING, warped_labels=warped)
        for row in table:
            one = fixed == row.label
            for when, other in (('before', moving), ('after', warped)):
                expected = compare_masks(one, other == row.label, SPACING)
                assert getattr(row, f'dsc_{when}') == expected.dsc
                for name in ('hd', 'hd95', 'asd', 'assd'):
                    assert getattr(row, f'{name}_{when}') == getattr(
                        expected.surface, name
                    )
            assert row.volume_fixed == one.sum()
            assert row.volume_warped == (warped == row.label).sum()

    def test_asd_goes_from_the_fixed_surface(self):
        fixed, moving = np.zeros((2, 30, 30), np.uint8)
        fixed[10, 10] = moving[10, 10] = moving[10, 20] = 1
        assert evaluate(moving, fixed).rows[0].asd_before == 0
        assert evaluate(fixed, moving).rows[0].asd_before == 5

    def test_mean_over_labels(self, moving, fixed, field):
        table = evaluate(moving, fixed, field)
        for name in ('dsc_before', 'hd_before', 'asd_before', 'volume_fixed'):
            column = [getattr(row, name) for row in table]
            assert getattr(table.mean, name) == pytest.approx(np.mean(column))
        assert table.mean.label == 'mean'

    def test_without_a_field_only_before(self, moving, fixed):
        table = evaluate(moving, fixed)
        for row in (*table, table.mean):
            assert row.dsc_before is not None
            assert row.dsc_after is row.hd_after is row.volume_warped is None
        assert table.folding is table.folded_percent is None

    def test_2d(self):
        fixed, moving = two_labels()[10], two_labels(SHIFT)[10]
        voxels = np.zeros((2, *fixed.shape), np.float32)
        voxels[0] = SHIFT
        field = DisplacementField(voxels, Grid.from_spacing(fixed.shape, 0.5))
        table = evaluate(moving, fixed, field)
        assert [row.dsc_after for row in table] == [1, 1]
        assert table.rows[0].hd_before == 1.5
        assert table.rows[0].volume_fixed == (fixed == 1).sum() / 4

    def test_policy_reaches_the_field(self, fixed):
        """Half a voxel of shift: linear ties go to background."""
        grid = Grid.from_spacing(fixed.shape)
        voxels = np.zeros((3, *grid.shape), np.float32)
        voxels[1] = 0.25
        field = DisplacementField(voxels, grid)
        for policy in ('linear', 'nearest'):
            expected = field.warp_labels(fixed, method=policy)
            table = evaluate(fixed, fixed, field, policy=policy)
            for row in table:
                assert row.volume_warped == (expected == row.label).sum()
        with pytest.raises(InputError, match='linear'):
            evaluate(fixed, fixed, field, policy='cubic')

    def test_folding_of_the_field(self, fixed):
        grid = Grid.from_spacing(fixed.shape)
        voxels = np.zeros((3, *grid.shape), np.float32)
        voxels[0] = -2 * np.indices(grid.shape)[0]
        table = evaluate(fixed, fixed, DisplacementField(voxels, grid))
        assert table.folded_percent == 100


class TestUnits:
    def test_mm_of_the_field(self, moving, fixed, field):
        table = evaluate(moving, fixed, field)
        assert (table.units, table.spacing) == ('mm', SPACING)

    def test_voxels_if_nothing_is_known(self, moving, fixed):
        table = evaluate(moving, fixed)
        assert (table.units, table.spacing) == ('voxel', (1, 1, 1))
        assert table.rows[0].hd_before == SHIFT

    def test_voxels_of_the_field(self, moving, fixed):
        grid = Grid.from_spacing(fixed.shape, units='voxel')
        assert evaluate(moving, fixed, shift_field(grid)).units == 'voxel'

    def test_spacing_wins_over_the_field(self, moving, fixed, field):
        table = evaluate(moving, fixed, field, spacing=(1, 7, 1))
        assert table.units == 'mm'
        assert table.rows[0].hd_before == 7 * SHIFT
        assert table.rows[0].volume_moving == (moving == 1).sum() * 7

    def test_grid_gives_spacing_and_units(self, moving, fixed):
        grid = Grid.from_spacing(fixed.shape, (1, 2, 3))
        table = evaluate(moving, fixed, grid=grid)
        assert (table.units, table.spacing) == ('mm', (1, 2, 3))
        assert table.rows[0].hd_before == 2 * SHIFT


class TestGrids:
    """Moving labels with other voxels than the fixed ones."""

    @pytest.fixture
    def wide(self, moving):
        """The moving labels with five more voxels in front of each axis."""
        grid = Grid.from_spacing(moving.shape, SPACING)
        padded = grid.padded((5, 5, 5), (1, 2, 3))
        return np.pad(moving, ((5, 1), (5, 2), (5, 3))), padded

    def test_compared_at_the_same_place(self, moving, fixed, field, wide):
        labels, moving_grid = wide
        expected = evaluate(moving, fixed, field)
        field = shift_field(field.grid, moving_grid)
        assert evaluate(labels, fixed, field) == expected

    def test_grids_may_be_given(self, moving, fixed, field, wide):
        labels, moving_grid = wide
        table = evaluate(
            labels, fixed, grid=field.grid, moving_grid=moving_grid
        )
        expected = evaluate(moving, fixed, spacing=SPACING)
        assert table.rows == expected.rows

    def test_same_shape_elsewhere(self, fixed):
        """Equal shapes are not compared index by index if the grids say no."""
        grid = Grid.from_spacing(fixed.shape)
        shifted = Grid.from_spacing(fixed.shape, origin=(0, SHIFT, 0))
        table = evaluate(fixed, fixed, grid=grid, moving_grid=shifted)
        assert table.rows[0].hd_before == SHIFT

    def test_volume_of_the_moving_labels_is_in_its_own_voxels(self, fixed):
        grid = Grid.from_spacing(fixed.shape, 1.0)
        fine = grid.resized([2 * n for n in fixed.shape])
        labels = np.kron(fixed, np.ones((2, 2, 2), np.uint8))
        table = evaluate(labels, fixed, grid=grid, moving_grid=fine)
        for row in table:
            assert row.volume_moving == pytest.approx(row.volume_fixed)
            assert row.dsc_before == 1

    def test_unknown_relation_is_said(self, fixed, wide):
        table = evaluate(wide[0], fixed, warped_labels=fixed)
        assert table.rows[0].dsc_before is None
        assert table.rows[0].dsc_after == 1
        assert 'different shapes' in table.notes[0]
        assert table.notes[0] in table.to_markdown()


class TestFlags:
    def test_missing_in_moving(self, moving, fixed, field):
        moving[moving == 2] = 1
        row = evaluate(moving, fixed, field).rows[1]
        diagonal = np.linalg.norm(np.multiply(fixed.shape, SPACING))
        assert row.dsc_before == row.dsc_after == 0
        for name in ('hd', 'hd95', 'asd', 'assd'):
            assert getattr(row, f'{name}_after') == pytest.approx(diagonal)
        assert row.flags[0] == 'missing in moving'
        assert 'distances after = diagonal of the volume' in row.notes

    def test_missing_in_fixed(self, moving, fixed, field):
        fixed[fixed == 2] = 0
        table = evaluate(moving, fixed, field)
        assert table.rows[1].flags[0] == 'missing in fixed'
        assert table.mean.flags == ('1 of 2 labels flagged',)
        assert table.mean.dsc_after == pytest.approx(
            table.rows[0].dsc_after / 2
        )

    def test_lost_on_the_way(self, moving, fixed):
        table = evaluate(moving, fixed, warped_labels=np.zeros_like(fixed))
        assert 'empty after warping' in table.rows[0].flags
        assert table.rows[0].volume_warped == 0

    def test_in_neither(self, moving, fixed):
        table = evaluate(moving, fixed, labels=[2, 9])
        row = table.rows[1]
        assert row.dsc_before == 1
        assert math.isnan(row.hd_before)
        assert row.flags == (
            'missing in moving',
            'missing in fixed',
            'distances before undefined',
        )
        # The distance left out of the mean is announced.
        assert table.mean.hd_before == table.rows[0].hd_before
        assert '1 without distances' in table.mean.notes

    def test_only_undefined_distances(self, moving, fixed):
        mean = evaluate(moving, fixed, labels=[9]).mean
        assert mean.dsc_before == 1
        assert math.isnan(mean.hd_before)


class TestInput:
    def test_subset_and_names(self, moving, fixed):
        table = evaluate(
            moving, fixed, labels=[2, 1], label_names={2: 'cavity'}
        )
        assert [(r.label, r.name) for r in table] == [(2, 'cavity'), (1, '')]

    def test_any_kind_of_whole_numbers(self, moving, fixed, field):
        expected = evaluate(moving, fixed, field)
        for kind in (np.int64, np.uint16, np.float32, np.float64):
            found = evaluate(moving.astype(kind), fixed.astype(kind), field)
            assert found == expected

    def test_booleans_are_one_label(self, moving, fixed):
        table = evaluate(moving > 0, fixed > 0)
        assert [row.label for row in table] == [1]

    def test_arguments_stay_as_they_are(self, moving, fixed, field):
        before = moving.copy(), fixed.copy(), field.voxels.copy()
        for array in (moving, fixed):
            array.setflags(write=False)
        evaluate(moving, fixed, field)
        after = moving, fixed, field.voxels
        assert all(map(np.array_equal, before, after))

    @pytest.mark.parametrize(
        ('change', 'why'),
        [
            ({'moving_labels': np.zeros((20, 30, 40)) + 0.5}, 'whole numbers'),
            ({'fixed_labels': np.full((20, 30, 40), np.nan)}, 'NaN'),
            ({'moving_labels': np.zeros((30, 40), int)}, '2D'),
            ({'moving_labels': np.zeros((2, 20, 30, 40), int)}, 'axes'),
            ({'fixed_labels': np.ones((9, 9, 9), int)}, 'does not fit'),
            ({'moving_labels': np.ones((9, 9, 9), int)}, 'cannot be warped'),
            ({'spacing': (1, 1)}, 'spacings'),
            ({'spacing': (1, 1, 0)}, 'positive'),
            ({'labels': []}, 'whole numbers'),
            ({'labels': [0]}, 'background'),
            ({'labels': [1.5]}, 'whole numbers'),
            ({'warped_labels': np.ones((9, 9, 9), int)}, 'warped labels'),
            ({'grid': Grid.from_spacing((9, 9, 9))}, 'does not fit'),
            ({'moving_grid': Grid.from_spacing((9, 9, 9))}, 'does not fit'),
        ],
    )
    def test_refused_before_computing(self, change, why, moving, fixed, field):
        arguments = {
            'moving_labels': moving,
            'fixed_labels': fixed,
            'field': field,
        }
        with pytest.raises(InputError, match=why):
            evaluate(**(arguments | change))

    def test_no_label_anywhere(self, fixed):
        with pytest.raises(InputError, match='no labels') as caught:
            evaluate(np.zeros_like(fixed), np.zeros_like(fixed))
        assert caught.value.hint


class TestFiles:
    @pytest.fixture
    def table(self, moving, fixed, field):
        fixed[fixed == 2] = 0
        return evaluate(
            moving,
            fixed,
            field,
            labels=[1, 2, 9],
            label_names={1: 'wall, "outer"', 2: 'cavité'},
        )

    def test_csv_round_trip(self, table, tmp_path):
        path = tmp_path / 'metrics.csv'
        table.to_csv(path)
        with path.open(encoding='utf-8', newline='') as stream:
            rows = list(csv.DictReader(stream))
        assert len(rows) == len(table) + 1
        for written, record in zip(rows, table.records(), strict=True):
            assert list(written) == list(record)
            for key, value in record.items():
                if isinstance(value, float):
                    back = float(written[key])
                    assert back == value or math.isnan(back + value)
                else:
                    assert written[key] == str(value)
        assert rows[-1]['label'] == 'mean'
        assert {row['units'] for row in rows} == {'mm'}
        assert {row['folded percent'] for row in rows} == {'0.0'}

    def test_csv_without_after(self, moving, fixed, tmp_path):
        evaluate(moving, fixed).to_csv(tmp_path / 'm.csv')
        with (tmp_path / 'm.csv').open(newline='') as stream:
            row = next(csv.DictReader(stream))
        assert row['DSC after'] == row['folded percent'] == ''

    def test_csv_replaces_and_leaves_nothing_behind(self, table, tmp_path):
        path = tmp_path / 'metrics.csv'
        path.write_text('old')
        table.to_csv(path)
        assert path.read_text(encoding='utf-8').startswith('label,name,DSC')
        assert [p.name for p in tmp_path.iterdir()] == ['metrics.csv']

    def test_a_failure_keeps_the_old_file(self, table, tmp_path, monkeypatch):
        path = tmp_path / 'metrics.csv'
        path.write_text('old')

        def full(_):
            raise OSError(28, 'No space left on device')

        monkeypatch.setattr('os.fsync', full)
        with pytest.raises(InputError, match='disk is full'):
            table.to_csv(path)
        assert path.read_text() == 'old'
        assert len(list(tmp_path.iterdir())) == 1

    def test_no_folder(self, table, tmp_path):
        with pytest.raises(InputError, match='Cannot write'):
            table.to_csv(tmp_path / 'missing' / 'metrics.csv')

    def test_keys(self, table):
        keys = list(table.rows[0].as_dict())
        paired = [
            f'{metric} {when}'
            for metric in ('DSC', 'Jaccard', 'HD', 'HD95', 'ASD', 'ASSD')
            for when in ('before', 'after')
        ]
        volumes = ['volume moving', 'volume fixed', 'volume warped']
        volumes += ['volume difference before', 'volume difference after']
        assert keys == ['label', 'name', *paired, *volumes, 'notes']

    def test_volume_difference_is_against_the_fixed_label(self, table):
        for row in table:
            record = row.as_dict()
            for when, which in (('before', 'moving'), ('after', 'warped')):
                assert record[f'volume difference {when}'] == pytest.approx(
                    record[f'volume {which}'] - record['volume fixed']
                )

    def test_markdown(self, table):
        lines = table.to_markdown().splitlines()
        width = lines[0].count('|')
        assert width == 1 + len(table.rows[0].as_dict())
        assert all(line.count('|') == width for line in lines[:6])
        assert lines[2].startswith('| 1 | wall, "outer" | 0.')
        assert lines[4].split(' | ')[4:6] == ['1.000', '1.000']
        assert lines[4].split(' | ')[6] == '–'
        assert lines[5].startswith('| mean |')
        assert 'Distances in mm, volumes in mm³.' in table.to_markdown()

    def test_markdown_escapes_names(self, moving, fixed):
        table = evaluate(moving, fixed, label_names={1: 'a|b\nc'})
        assert r'| a\|b c |' in table.to_markdown()


def test_public_name(moving, fixed, field):
    import napari_adacs

    assert napari_adacs.evaluate(moving, fixed, field) == evaluate(
        moving, fixed, field
    )


def test_real_3d_echo(shared_data):
    """DSC of the unregistered adult 3D echo, as published beside it."""
    nib = pytest.importorskip('nibabel')
    folder = shared_data / 'mitea-034'
    moving, fixed = (
        nib.load(folder / f'{frame}_label.nii.gz') for frame in ('ED', 'ES')
    )
    table = evaluate(
        np.asarray(moving.dataobj),
        np.asarray(fixed.dataobj),
        spacing=fixed.header.get_zooms(),
    )
    dsc = [row.dsc_before for row in table]
    assert dsc == pytest.approx([0.536, 0.569], abs=1e-3)
    cavity = table.rows[1]
    # Published: end-diastolic 133.4 ml, end-systolic 53.3 ml.
    assert cavity.volume_moving / 1000 == pytest.approx(133.4, rel=0.01)
    assert cavity.volume_fixed / 1000 == pytest.approx(53.3, rel=0.01)
