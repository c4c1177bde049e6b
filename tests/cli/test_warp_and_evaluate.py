"""``napari-adacs warp`` and ``evaluate`` on the files of a registration."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from napari_adacs.io.itk_field import save_displacement
from napari_adacs.io.nifti import read_volume, save_volume
from tests.cli.conftest import FIXED, MOVING, Run, Study, heart


@pytest.fixture
def registered(run: Run, study: Study, tmp_path: Path) -> Path:
    """The folder of a registration with labels."""
    out = tmp_path / 'out'
    ran = run(
        *('register', study.moving, study.fixed, '-o', out),
        *('--model', study.model),
        *('--moving-labels', study.moving_labels),
        *('--fixed-labels', study.fixed_labels),
    )
    assert ran.code == 0, ran.err
    return out


def test_warping_the_image_again_gives_the_same(
    run: Run, study: Study, registered: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'again.nii.gz'
    field = registered / 'displacement.nii.gz'
    ran = run('warp', study.moving, field, '-o', file)
    assert ran.code == 0, ran.err
    assert 'image' in ran.out
    again, first = read_volume(file), read_volume(registered / 'warped.nii.gz')
    assert again.grid.same_space(first.grid)
    tolerance = 1e-3 * np.ptp(first.data)
    assert np.abs(again.data - first.data).max() < tolerance


def test_labels_are_recognised_and_stay_labels(
    run: Run, study: Study, registered: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'again.nii'
    field = registered / 'displacement.nii.gz'
    ran = run('warp', study.moving_labels, field, '-o', file)
    assert ran.code == 0, ran.err
    again = read_volume(file)
    first = read_volume(registered / 'warped_labels.nii.gz')
    assert again.is_labels
    assert again.data.dtype == first.data.dtype
    assert (again.data != first.data).mean() < 1e-3


def test_the_kind_can_be_said(
    run: Run, study: Study, registered: Path, tmp_path: Path
) -> None:
    field = registered / 'displacement.nii.gz'
    labels, image = tmp_path / 'a.nii', tmp_path / 'b.nii'
    run('warp', study.moving_labels, field, '-o', labels, '--labels')
    run('warp', study.moving_labels, field, '-o', image, '--image')
    found = np.unique(read_volume(labels).data)
    assert set(found) <= {0, 1, 2}
    assert len(np.unique(read_volume(image).data)) > 10
    ran = run('warp', study.moving, field, '-o', labels, '--labels')
    assert ran.code == 2
    assert 'whole numbers' in ran.err


def test_a_frame_of_a_cine_is_warped(
    run: Run, study3d: Study, tmp_path: Path
) -> None:
    frames = np.stack([heart(MOVING[3], size)[0] for size in (1, 0.8)])
    cine, single = tmp_path / 'cine.nii.gz', tmp_path / 'single.nii.gz'
    save_volume(cine, frames, MOVING[3], axis_order='zyx')
    save_volume(single, frames[1], MOVING[3], axis_order='zyx')
    field = tmp_path / 'field.nii.gz'
    voxels = np.full((3, *FIXED[3].shape), 0.7, np.float32)
    save_displacement(field, voxels, FIXED[3])
    outs = tmp_path / 'a.nii', tmp_path / 'b.nii'
    assert run('warp', cine, field, '-o', outs[0]).code == 2
    assert run('warp', cine, field, '-o', outs[0], '--frame', 1).code == 0
    assert run('warp', single, field, '-o', outs[1]).code == 0
    found = [read_volume(out).data for out in outs]
    assert np.array_equal(*found)


def test_the_table_is_the_one_of_the_registration(
    run: Run, study: Study, registered: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'metrics.csv'
    ran = run(
        *('evaluate', study.moving_labels, study.fixed_labels),
        *('--displacement', registered / 'displacement.nii.gz', '-o', file),
    )
    assert ran.code == 0, ran.err
    tables = []
    for path in (file, registered / 'metrics.csv'):
        with path.open(encoding='utf-8') as stream:
            tables.append(list(csv.DictReader(stream)))
    assert [row['label'] for row in tables[0]] == ['1', '2', 'mean']
    for ours, theirs in zip(*tables, strict=True):
        for key, value in ours.items():
            if key.split()[0] in ('DSC', 'ASD', 'HD95'):
                assert float(value) == pytest.approx(
                    float(theirs[key]), abs=0.02
                ), key


def test_without_displacement_only_before_is_filled(
    run: Run, study: Study, tmp_path: Path
) -> None:
    file = tmp_path / 'metrics.csv'
    ran = run(
        *('evaluate', study.moving_labels, study.fixed_labels, '-o', file),
    )
    assert ran.code == 0, ran.err
    with file.open(encoding='utf-8') as stream:
        row = next(csv.DictReader(stream))
    assert 0 < float(row['DSC before']) < 1
    assert row['DSC after'] == ''
    assert '→ –' in ran.out


def test_the_table_as_markdown(
    run: Run, study: Study, registered: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'metrics.md'
    ran = run(
        *('evaluate', study.moving_labels, study.fixed_labels),
        *('--displacement', registered / 'displacement.nii.gz', '-o', file),
    )
    assert ran.code == 0, ran.err
    text = file.read_text(encoding='utf-8')
    assert text.startswith('| label |')
    assert 'Distances in mm' in text
    assert 'Folded voxels' in ran.out


@pytest.mark.parametrize('name', ['table.xlsx', 'table'])
def test_other_tables_are_refused(
    run: Run, study: Study, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    ran = run(
        *('evaluate', study.moving_labels, study.fixed_labels, '-o', file),
    )
    assert ran.code == 2
    assert '.csv or .md' in ran.err
    assert not file.exists()


def test_labels_on_another_grid_are_compared_in_space(
    run: Run, study3d: Study, tmp_path: Path
) -> None:
    """A displacement of zero, and labels that lie on three grids."""
    field = tmp_path / 'zero.nii.gz'
    grid = FIXED[3].padded([3] * 3, [3] * 3)
    save_displacement(field, np.zeros((3, *grid.shape), np.float32), grid)
    same = tmp_path / 'same_labels.nii.gz'
    save_volume(
        same,
        heart(MOVING[3], 0.85)[1],
        MOVING[3],
        labels=True,
        axis_order='zyx',
    )
    file = tmp_path / 'metrics.csv'
    ran = run(
        *('evaluate', same, study3d.fixed_labels, '-o', file),
        *('--displacement', field),
    )
    assert ran.code == 0, ran.err
    with file.open(encoding='utf-8') as stream:
        rows = list(csv.DictReader(stream))
    # the same anatomy on two grids agrees up to the size of a voxel
    assert float(rows[-1]['DSC after']) > 0.85
    assert float(rows[-1]['HD after']) < 2.5


def not_a_field(study: Study, folder: Path) -> Path:
    return study.fixed


def plane_field(study: Study, folder: Path) -> Path:
    path = folder / 'plane.nii.gz'
    voxels = np.zeros((2, *FIXED[2].shape), np.float32)
    save_displacement(path, voxels, FIXED[2])
    return path


def far_field(study: Study, folder: Path) -> Path:
    grid = FIXED[3].padded([500, 0, 0], [0, 0, 0])
    grid = type(grid)(FIXED[3].shape, grid.affine)
    path = folder / 'far.nii.gz'
    save_displacement(path, np.zeros((3, *grid.shape), np.float32), grid)
    return path


@pytest.mark.parametrize(
    ('make', 'words'),
    [
        (not_a_field, 'not a displacement field'),
        (plane_field, '2D displacement'),
        (far_field, 'different places'),
        (lambda study, folder: folder / 'none.nii.gz', 'There is no file'),
    ],
)
def test_displacements_that_do_not_fit(
    run: Run, study3d: Study, tmp_path: Path, make: object, words: str
) -> None:
    field = make(study3d, tmp_path)  # type: ignore[operator]
    table, file = tmp_path / 'out.csv', tmp_path / 'out.nii'
    for ran in (
        run(
            *('evaluate', study3d.moving_labels, study3d.fixed_labels),
            *('--displacement', field, '-o', table),
        ),
        run('warp', study3d.moving, field, '-o', file),
    ):
        assert ran.code == 2
        assert words in ran.err
        assert len(ran.err.splitlines()) == 1
    assert not table.exists()
    assert not file.exists()


def test_warp_says_where_it_cannot_write(
    run: Run, study: Study, registered: Path, tmp_path: Path
) -> None:
    field = registered / 'displacement.nii.gz'
    ran = run('warp', study.moving, field, '-o', tmp_path / 'no' / 'a.nii')
    assert ran.code == 2
    assert 'there is no folder' in ran.err
    ran = run('warp', study.moving, field, '-o', tmp_path / 'a.png')
    assert ran.code == 2
    assert '.nii' in ran.err


def test_preset_code_is_in_voxels_and_needs_a_field(run, study3d, tmp_path):
    labels = study3d.moving_labels, study3d.fixed_labels
    out = tmp_path / 'metrics.csv'
    refused = run('evaluate', *labels, '--preset', 'code', '-o', out)
    assert refused.code == 2
    assert '--displacement' in refused.err
    assert not out.exists()
    done = run(
        'register',
        study3d.moving,
        study3d.fixed,
        '-o',
        tmp_path / 'run',
        '--model',
        study3d.model,
    )
    assert done.code == 0, done.err
    field = tmp_path / 'run' / 'displacement.nii.gz'
    tables = {}
    for preset in ('default', 'code'):
        done = run(
            'evaluate',
            *labels,
            '--displacement',
            field,
            '--preset',
            preset,
            '-o',
            out,
        )
        assert done.code == 0, done.err
        with out.open(newline='') as stream:
            tables[preset] = list(csv.DictReader(stream))
    assert {row['units'] for row in tables['code']} == {'voxel'}
    assert {row['units'] for row in tables['default']} == {'mm'}
    grown, cut = (
        [float(row['volume warped']) for row in tables[preset][:-1]]
        for preset in ('code', 'default')
    )
    voxel = 0.9 * 1.2 * 1.7
    assert all(
        many > few / voxel for many, few in zip(grown, cut, strict=True)
    )
    assert "authors' script" in done.out
