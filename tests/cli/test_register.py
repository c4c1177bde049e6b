"""``napari-adacs register``: the files, their contents, their record."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from napari_adacs.io.itk_field import read_displacement
from napari_adacs.io.nifti import read_volume, save_volume
from napari_adacs.models.library import FOLDER_VARIABLE
from napari_adacs.spatial.grid import Grid
from tests.cli.conftest import FIXED, MOVING, Run, Study, heart
from tests.small_models import save_small_model

FILES = {
    'warped.nii.gz',
    'displacement.nii.gz',
    'score.nii.gz',
    'variance.nii.gz',
    'weight.nii.gz',
    'run.json',
}
WITH_LABELS = FILES | {'warped_labels.nii.gz', 'metrics.csv'}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def register(run: Run, study: Study, out: Path, *more: object) -> Any:
    return run(
        'register',
        study.moving,
        study.fixed,
        '-o',
        out,
        '--model',
        study.model,
        *more,
    )


def with_labels(study: Study) -> tuple[object, ...]:
    return (
        '--moving-labels',
        study.moving_labels,
        '--fixed-labels',
        study.fixed_labels,
    )


def test_every_file_of_the_contract_appears(
    run: Run, study: Study, tmp_path: Path
) -> None:
    out = tmp_path / 'made' / 'here'
    ran = register(run, study, out, *with_labels(study))
    assert ran.code == 0, ran.err
    assert ran.err == ''
    assert names(out) == WITH_LABELS
    fixed = read_volume(study.fixed)
    for name in WITH_LABELS - {'run.json', 'metrics.csv'}:
        if name == 'displacement.nii.gz':
            _, grid = read_displacement(out / name)
        else:
            grid = read_volume(out / name).grid
        assert grid.same_space(fixed.grid), name
    assert read_volume(out / 'warped_labels.nii.gz').is_labels
    assert not read_volume(out / 'warped.nii.gz').is_labels


def test_the_images_choose_the_model_and_it_says_why(
    run: Run,
    study: Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(
        'napari_adacs.models.library._BUNDLED', tmp_path / 'none'
    )
    ndim = read_volume(study.fixed).grid.ndim
    for name, domain in (('e', 'echo'), ('g', 'general'), ('c', 'cine MRI')):
        save_small_model(tmp_path, ndim, name=name, domain=domain)
    ran = run('register', study.moving, study.fixed, '-o', tmp_path / 'g')
    assert ran.code == 0, ran.err
    assert 'Model g, made for general: neither echo nor cine MRI' in ran.out
    renamed = []
    for path in (study.moving, study.fixed):
        copy = tmp_path / f'cine_{Path(path).name}'
        copy.write_bytes(Path(path).read_bytes())
        renamed.append(copy)
    ran = run('register', *renamed, '-o', tmp_path / 'c')
    assert 'Model c, made for cine MRI: its name says cine MRI.' in ran.out
    record = json.loads((tmp_path / 'c' / 'run.json').read_text())
    assert record['model']['name'] == 'c'
    assert any('cine MRI' in note for note in record['notes'])


def test_without_labels_there_is_no_table(
    run: Run, study: Study, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    assert register(run, study, out).code == 0
    assert names(out) == FILES


def test_moving_labels_alone_are_warped(
    run: Run, study: Study, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    ran = register(run, study, out, '--moving-labels', study.moving_labels)
    assert ran.code == 0
    assert names(out) == FILES | {'warped_labels.nii.gz'}


def test_itk_reproduces_the_warped_image(
    run: Run, study: Study, tmp_path: Path
) -> None:
    """An oblique, anisotropic pair whose images have grids of their own."""
    sitk = pytest.importorskip('SimpleITK')
    out = tmp_path / 'out'
    register(run, study, out)
    field = sitk.ReadImage(
        str(out / 'displacement.nii.gz'), sitk.sitkVectorFloat64
    )
    moving = sitk.ReadImage(str(study.moving), sitk.sitkFloat64)
    found = sitk.GetArrayFromImage(
        sitk.Resample(
            moving,
            sitk.ReadImage(str(study.fixed)),
            sitk.DisplacementFieldTransform(field),
            sitk.sitkLinear,
            -1000.0,
        )
    )
    warped = read_volume(out / 'warped.nii.gz').data
    interior = pulled_inside(out, study)
    assert interior.mean() > 0.4
    tolerance = 0.01 * np.ptp(read_volume(study.moving).data)
    assert np.abs(found - warped)[interior].max() < tolerance
    # and the field does something: the warped image is not just resampled
    still = sitk.GetArrayFromImage(
        sitk.Resample(moving, sitk.ReadImage(str(study.fixed)))
    )
    assert np.abs(still - warped)[interior].max() > 5 * tolerance


def pulled_inside(out: Path, study: Study) -> np.ndarray:
    """Return the voxels that come from well inside the moving image."""
    voxels, grid = read_displacement(out / 'displacement.nii.gz')
    source = read_volume(study.moving).grid
    index = (np.indices(grid.shape) + voxels).reshape(grid.ndim, -1).T
    pulled = source.world_to_index(grid.index_to_world(index))
    inside = (pulled >= 0.5) & (pulled <= np.array(source.shape) - 1.5)
    mask: np.ndarray = inside.all(axis=1).reshape(grid.shape)
    return mask


def test_the_table_is_the_one_of_the_written_labels(
    run: Run, study: Study, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    ran = register(run, study, out, *with_labels(study))
    with (out / 'metrics.csv').open(encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert [row['label'] for row in rows] == ['1', '2', 'mean']
    warped = read_volume(out / 'warped_labels.nii.gz').data == 1
    fixed = read_volume(study.fixed_labels).data == 1
    dice = 2 * (warped & fixed).sum() / (warped.sum() + fixed.sum())
    assert float(rows[0]['DSC after']) == pytest.approx(dice)
    assert rows[0]['units'] == 'mm'
    assert 'HD95 (mm)' in ran.out
    assert f'→ {dice:.3f}' in ran.out


def test_the_record_tells_what_was_done(
    run: Run, study: Study, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    register(run, study, out, *with_labels(study))
    record = json.loads((out / 'run.json').read_text(encoding='utf-8'))
    assert record['task'] == 'register'
    assert record['config']['model'] == study.model
    assert record['model']['name'] == study.model
    assert len(record['model']['sha256']) == 64
    assert record['device']
    assert set(record['inputs']) == {
        'moving',
        'fixed',
        'moving_labels',
        'fixed_labels',
    }
    fixed = record['inputs']['fixed']
    assert fixed['path'] == str(study.fixed)
    assert fixed['shape'] == list(read_volume(study.fixed).data.shape)
    assert {'read', 'load', 'network', 'native'} <= set(record['timings_s'])
    assert [row['label'] for row in record['metrics']] == [1, 2, 'mean']
    assert any('folded' in note for note in record['notes'])


def test_the_command_of_the_record_repeats_the_run(
    run: Run, study: Study, tmp_path: Path
) -> None:
    import shlex

    out = tmp_path / 'with a space'
    register(run, study, out)
    record = json.loads((out / 'run.json').read_text(encoding='utf-8'))
    before = read_volume(out / 'warped.nii.gz').data
    (out / 'warped.nii.gz').unlink()
    program, *words = shlex.split(record['command'])
    assert program == 'napari-adacs'
    assert run(*words).code == 0
    assert np.array_equal(read_volume(out / 'warped.nii.gz').data, before)


def test_the_python_lines_of_the_record_repeat_the_run(
    run: Run, study: Study, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    register(run, study, out, *with_labels(study))
    record = json.loads((out / 'run.json').read_text(encoding='utf-8'))
    found: dict[str, Any] = {}
    exec(record['python'], found)  # noqa: S102 - our own lines
    for values, name in (
        (found['result'].warped, 'warped'),
        (found['warped_labels'], 'warped_labels'),
    ):
        assert np.array_equal(values, read_volume(out / f'{name}.nii.gz').data)


def test_a_second_run_replaces_the_first(
    run: Run, study: Study, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    register(run, study, out, *with_labels(study))
    (out / 'mine.txt').write_text('kept')
    assert register(run, study, out).code == 0
    assert names(out) == FILES | {'mine.txt'}


def test_files_of_others_stay(run: Run, study: Study, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'metrics.csv').write_text('not from us')
    assert register(run, study, out).code == 0
    assert (out / 'metrics.csv').read_text() == 'not from us'


def test_labels_may_lie_on_a_grid_of_their_own(
    run: Run, study3d: Study, tmp_path: Path
) -> None:
    """The same anatomy segmented on another grid gives nearly the same."""
    grid = MOVING[3].padded([2, 3, 1], [4, 0, 2])
    other = tmp_path / 'own_labels.nii.gz'
    save_volume(other, heart(grid)[1], grid, labels=True, axis_order='zyx')
    out, again = tmp_path / 'out', tmp_path / 'again'
    register(run, study3d, out, *with_labels(study3d))
    ran = register(run, study3d, again, '--moving-labels', other)
    assert ran.code == 0, ran.err
    first, second = (
        read_volume(folder / 'warped_labels.nii.gz').data
        for folder in (out, again)
    )
    assert np.array_equal(first, second)


@pytest.mark.parametrize('suffix', ['.nii', '.nii.gz'])
def test_frames_of_a_cine_are_chosen(
    run: Run, study3d: Study, tmp_path: Path, suffix: str
) -> None:
    grid = FIXED[3]
    frames = np.stack([heart(grid, size)[0] for size in (1, 0.9, 0.8)])
    cine = tmp_path / f'cine{suffix}'
    save_volume(cine, frames, grid, frame_duration_s=0.04, axis_order='zyx')
    single = tmp_path / 'frame.nii.gz'
    save_volume(single, frames[2], grid, axis_order='zyx')
    first, second = tmp_path / 'first', tmp_path / 'second'
    ran = run(
        *('register', cine, cine, '-o', first, '--model', study3d.model),
        *('--moving-frame', 0, '--fixed-frame', 2),
    )
    assert ran.code == 0, ran.err
    ran = run(
        *('register', cine, single, '-o', second, '--model', study3d.model),
        *('--moving-frame', 0),
    )
    assert ran.code == 0, ran.err
    first_warped, second_warped = (
        read_volume(folder / 'warped.nii.gz').data
        for folder in (first, second)
    )
    assert np.array_equal(first_warped, second_warped)
    record = json.loads((first / 'run.json').read_text(encoding='utf-8'))
    assert record['inputs']['fixed']['frame'] == 2
    found: dict[str, Any] = {}
    exec(record['python'], found)  # noqa: S102 - our own lines
    assert np.array_equal(found['result'].warped, first_warped)


def test_arrays_are_registered_in_voxels(run: Run, tmp_path: Path) -> None:
    grid = Grid.from_spacing((20, 22, 24))
    for name, size in (('moving', 1.0), ('fixed', 0.8)):
        np.save(tmp_path / name, heart(grid, size)[0])
    out = tmp_path / 'out'
    ran = run(
        'register',
        tmp_path / 'moving.npy',
        tmp_path / 'fixed.npy',
        *('-o', out, '--model', 'small-3d'),
    )
    assert ran.code == 0, ran.err
    assert read_volume(out / 'warped.nii.gz').data.shape == (20, 22, 24)


def test_the_labels_to_compare_can_be_chosen(
    run: Run, study: Study, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    register(run, study, out, *with_labels(study), '--compare', 2)
    record = json.loads((out / 'run.json').read_text(encoding='utf-8'))
    assert [row['label'] for row in record['metrics']] == [2, 'mean']


def test_input_files_are_not_touched(
    run: Run, study: Study, tmp_path: Path
) -> None:
    files = [study.moving, study.fixed, study.moving_labels]
    before = [(f.read_bytes(), f.stat().st_mtime_ns) for f in files]
    register(run, study, tmp_path / 'out', *with_labels(study))
    assert [(f.read_bytes(), f.stat().st_mtime_ns) for f in files] == before


def test_nibabel_reads_what_was_written(
    run: Run, study3d: Study, tmp_path: Path
) -> None:
    """Another reader sees the fixed image's affine in the warped one."""
    out = tmp_path / 'out'
    register(run, study3d, out)
    warped, fixed = nib.load(out / 'warped.nii.gz'), nib.load(study3d.fixed)
    assert np.allclose(warped.affine, fixed.affine, atol=1e-4)
    assert warped.shape == fixed.shape


def test_refinement_changes_the_field(
    run: Run, study: Study, tmp_path: Path
) -> None:
    register(run, study, tmp_path / 'plain')
    register(run, study, tmp_path / 'refined', '--refine', 3, '--threads', 1)
    plain, refined = (
        read_displacement(tmp_path / name / 'displacement.nii.gz')[0]
        for name in ('plain', 'refined')
    )
    assert not np.allclose(plain, refined)


def test_refinement_holds_on_to_the_model_as_told(
    run: Run, study: Study, tmp_path: Path
) -> None:
    moved = []
    register(run, study, tmp_path / 'plain')
    plain = read_displacement(tmp_path / 'plain/displacement.nii.gz')[0]
    for prior in (0, 100):
        out = tmp_path / f'prior {prior}'
        options = ('--refine', 5, '--refine-prior', prior, '--threads', 1)
        register(run, study, out, *options)
        record = json.loads((out / 'run.json').read_text(encoding='utf-8'))
        assert record['config']['refine_prior'] == prior
        assert f'--refine-prior {prior}' in record['command']
        found = read_displacement(out / 'displacement.nii.gz')[0]
        moved.append(np.abs(found - plain).mean())
    assert 0 < moved[1] < 0.2 * moved[0]


def test_the_optimisation_tries_harder_where_a_mask_says(
    run: Run, study: Study, tmp_path: Path
) -> None:
    """The mask is the moving segmentation: any image with zeros will do."""
    out = tmp_path / 'out'
    plain = ('--refine', 5, '--threads', 1)
    mask = ('--emphasis', study.fixed_labels, '--emphasis-weight', 30)
    register(run, study, tmp_path / 'plain', *plain)
    register(run, study, out, *plain, *mask)
    fields = [
        read_displacement(folder / 'displacement.nii.gz')[0]
        for folder in (tmp_path / 'plain', out)
    ]
    assert not np.allclose(*fields)
    record = json.loads((out / 'run.json').read_text(encoding='utf-8'))
    assert record['inputs']['emphasis']['path'] == str(study.fixed_labels)
    scope: dict[str, Any] = {}
    exec(record['python'], scope)
    np.testing.assert_allclose(
        scope['result'].field.voxels, fields[1], atol=1e-4
    )


def test_a_mask_without_steps_is_refused(
    run: Run, study: Study, tmp_path: Path
) -> None:
    ran = register(
        run, study, tmp_path / 'out', '--emphasis', study.fixed_labels
    )
    assert ran.code != 0
    assert 'needs steps of refinement' in ran.err
    assert not (tmp_path / 'out').exists()
