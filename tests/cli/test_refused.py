"""Everything that can be wrong with the input ends in one sentence.

Exit code 2, one line on stderr, no traceback, nothing written.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_adacs.io.nifti import read_volume, save_volume
from napari_adacs.spatial.grid import Grid
from tests.cli.conftest import FIXED, MOVING, Ran, Run, Study, heart

Words = list[object]
Case = Callable[[Study, Path], Words]

# Offsets in the header of NIfTI-1.
_DIM, _PIXDIM, _SROW = 40, 76, 280


def everything_below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


def refused(ran: Ran, *words: str) -> None:
    """Check for one readable sentence that holds all the words."""
    assert ran.code == 2, ran.out + ran.err
    assert ran.out == ''
    lines = ran.err.strip().splitlines()
    assert len(lines) == 1, ran.err
    assert lines[0].startswith('napari-adacs: ')
    assert 'Traceback' not in ran.err
    for word in words:
        assert word in lines[0]


# ---- making bad files -------------------------------------------------------


def changed(
    study: Study, folder: Path, change: Callable[[np.ndarray], np.ndarray]
) -> Path:
    """Write the fixed image with other values."""
    volume = read_volume(study.fixed)
    path = folder / 'bad.nii.gz'
    save_volume(path, change(volume.data.copy()), volume.grid)
    return path


def patched(study: Study, folder: Path, offset: int, values: bytes) -> Path:
    """Write the fixed image with other bytes in its header."""
    content = bytearray(nib.load(study.fixed).to_bytes())
    content[offset : offset + len(values)] = values
    path = folder / 'bad.nii'
    path.write_bytes(content)
    return path


def with_nan(image: np.ndarray) -> np.ndarray:
    image[3, 4, 5] = np.nan
    return image


def two_dimensional(study: Study, folder: Path) -> Words:
    path = folder / 'plane.nii.gz'
    save_volume(path, heart(FIXED[2])[0], FIXED[2], axis_order='zyx')
    return [study.moving, path]


def sequence(study: Study, folder: Path) -> Words:
    frames = np.stack([heart(FIXED[3])[0]] * 3)
    path = folder / 'cine.nii.gz'
    save_volume(path, frames, FIXED[3], axis_order='zyx')
    return [study.moving, path]


def missing_frame(study: Study, folder: Path) -> Words:
    return [*sequence(study, folder), '--fixed-frame', 3]


def frame_of_a_volume(study: Study, folder: Path) -> Words:
    return [study.moving, study.fixed, '--fixed-frame', 1]


def colour(study: Study, folder: Path) -> Words:
    rgb = np.zeros((12, 12, 12), dtype=[('R', 'u1'), ('G', 'u1'), ('B', 'u1')])
    path = folder / 'colour.nii.gz'
    nib.save(nib.Nifti1Image(rgb, np.eye(4)), path)
    return [study.moving, path]


def colour_array(study: Study, folder: Path) -> Words:
    path = folder / 'colour.npy'
    np.save(path, np.zeros((20, 20, 3), np.uint8))
    return [study.moving, path]


def truncated(study: Study, folder: Path) -> Words:
    content = nib.load(study.fixed).to_bytes()
    path = folder / 'cut.nii'
    path.write_bytes(content[: len(content) // 2])
    return [study.moving, path]


def truncated_compressed(study: Study, folder: Path) -> Words:
    content = study.fixed.read_bytes()
    path = folder / 'cut.nii.gz'
    path.write_bytes(content[: len(content) // 2])
    return [study.moving, path]


def huge_header(study: Study, folder: Path) -> Words:
    dims = struct.pack('<8h', 3, 30000, 30000, 30000, 1, 1, 1, 1)
    return [study.moving, patched(study, folder, _DIM, dims)]


def nan_spacing(study: Study, folder: Path) -> Words:
    values = struct.pack('<4f', 1.0, 1.0, float('nan'), 1.0)
    return [study.moving, patched(study, folder, _PIXDIM, values)]


def negative_spacing(study: Study, folder: Path) -> Words:
    values = struct.pack('<4f', 1.0, -1.0, 1.0, 1.0)
    return [study.moving, patched(study, folder, _PIXDIM, values)]


def singular_affine(study: Study, folder: Path) -> Words:
    row = struct.pack('<4f', 1.0, 0.0, 0.0, 0.0)
    return [study.moving, patched(study, folder, _SROW, row * 3)]


def elsewhere(study: Study, folder: Path) -> Words:
    affine = FIXED[3].affine.copy()
    affine[:3, 3] += 500
    grid = Grid(FIXED[3].shape, affine)
    path = folder / 'far.nii.gz'
    save_volume(path, heart(FIXED[3])[0], grid, axis_order='zyx')
    return [study.moving, path]


def shapes_without_spacing(study: Study, folder: Path) -> Words:
    np.save(folder / 'a.npy', heart(MOVING[3])[0])
    np.save(folder / 'b.npy', heart(FIXED[3])[0])
    return [folder / 'a.npy', folder / 'b.npy']


def another_kind_of_file(study: Study, folder: Path) -> Words:
    path = folder / 'notes.txt'
    path.write_text('hello')
    return [study.moving, path]


def renamed_text(study: Study, folder: Path) -> Words:
    path = folder / 'notes.nii'
    path.write_text('hello')
    return [study.moving, path]


IMAGES: dict[str, tuple[Case, tuple[str, ...]]] = {
    'a missing file': (
        lambda study, folder: [study.moving, folder / 'none.nii.gz'],
        ('There is no file', 'none.nii.gz'),
    ),
    'a folder': (
        lambda study, folder: [study.moving, folder],
        ('is not a kind of file',),
    ),
    'another kind of file': (another_kind_of_file, ('notes.txt', '.nii.gz')),
    'text called .nii': (renamed_text, ('notes.nii',)),
    '2D with 3D': (two_dimensional, ('3D', '2D')),
    'no frame of a 4D file': (sequence, ('3 frames', '--fixed-frame 0 to 2')),
    'a frame that is missing': (missing_frame, ('no frame 3', '0 to 2')),
    'a frame of a 3D file': (frame_of_a_volume, ('single image',)),
    'colours': (colour, ('colour',)),
    'a colour array': (colour_array, ('colour',)),
    'NaN': (
        lambda study, folder: [study.moving, changed(study, folder, with_nan)],
        ('fixed image', 'NaN'),
    ),
    'a constant image': (
        lambda study, folder: [
            changed(study, folder, lambda image: image * 0 + 7.5),
            study.fixed,
        ],
        ('moving image', 'constant'),
    ),
    'a truncated file': (truncated, ('cut.nii', 'truncated')),
    'a truncated .gz': (truncated_compressed, ('cut.nii.gz', 'truncated')),
    'a header that promises too much': (huge_header, ('bad.nii',)),
    'NaN spacing': (nan_spacing, ('voxel size', 'not positive')),
    'negative spacing': (negative_spacing, ('bad.nii', 'header')),
    'a singular affine': (singular_affine, ('singular',)),
    'images that do not overlap': (elsewhere, ('hardly overlap',)),
    'shapes without voxel size': (shapes_without_spacing, ('shapes', 'size')),
}


@pytest.mark.parametrize('case', IMAGES)
def test_images_that_cannot_be_registered(
    run: Run, study3d: Study, tmp_path: Path, case: str
) -> None:
    make, words = IMAGES[case]
    arguments = make(study3d, tmp_path)
    before = everything_below(tmp_path)
    ran = run(
        *('register', *arguments),
        *('-o', tmp_path / 'out', '--model', study3d.model),
    )
    refused(ran, *words)
    assert everything_below(tmp_path) == before
    assert not (tmp_path / 'out').exists()


# ---- settings ---------------------------------------------------------------

SETTINGS: dict[str, tuple[Words, tuple[str, ...]]] = {
    'a model for 2D': (['--model', 'small-2d'], ('small-2d', '2D', '3D')),
    'an unknown model': (
        ['--model', 'small-3e'],
        ("no model called 'small-3e'", "Did you mean 'small-3d'?"),
    ),
    'an unknown device': (['--device', 'abacus'], ("'abacus'",)),
    'a missing device': (['--device', 'cuda:99'], ('cuda:99',)),
}


@pytest.mark.parametrize('case', SETTINGS)
def test_settings_that_do_not_exist(
    run: Run, study3d: Study, tmp_path: Path, case: str
) -> None:
    more, words = SETTINGS[case]
    out = tmp_path / 'out'
    common = ['-o', out, '--model', study3d.model]
    refused(
        run('register', study3d.moving, study3d.fixed, *common, *more), *words
    )
    assert not out.exists()


def test_a_file_that_is_no_model(
    run: Run, study3d: Study, tmp_path: Path
) -> None:
    path = tmp_path / 'weights.pth'
    path.write_bytes(b'\x80\x02 not a bundle')
    ran = run(
        *('register', study3d.moving, study3d.fixed),
        *('-o', tmp_path / 'out', '--model', path),
    )
    refused(ran, 'weights.pth', 'was not opened')


def test_negative_numbers_are_usage_errors(
    run: Run, study3d: Study, tmp_path: Path
) -> None:
    ran = run(
        *('register', study3d.moving, study3d.fixed),
        *('-o', tmp_path / 'out', '--refine', '-3'),
    )
    assert ran.code == 2
    assert '-3 is negative' in ran.err


# ---- where to write ---------------------------------------------------------


def test_out_is_a_file(run: Run, study3d: Study, tmp_path: Path) -> None:
    out = tmp_path / 'taken'
    out.write_text('mine')
    ran = run('register', study3d.moving, study3d.fixed, '-o', out)
    refused(ran, 'Cannot write to', 'taken is a file')
    assert out.read_text() == 'mine'


@pytest.mark.skipif(not Path('/proc/self').exists(), reason='no /proc')
def test_out_refuses_files(run: Run, study3d: Study) -> None:
    ran = run(
        *('register', study3d.moving, study3d.fixed, '-o', '/proc/adacs'),
        *('--model', study3d.model),
    )
    refused(ran, 'Cannot write to /proc/adacs')


@pytest.mark.skipif(
    not hasattr(os, 'geteuid') or os.geteuid() == 0,
    reason='root may write everywhere',
)
def test_out_has_no_permission(
    run: Run, study3d: Study, tmp_path: Path
) -> None:
    locked = tmp_path / 'locked'
    locked.mkdir(mode=0o500)
    ran = run('register', study3d.moving, study3d.fixed, '-o', locked / 'out')
    refused(ran, 'permission denied')


# ---- labels -----------------------------------------------------------------


def only(keep: tuple[int, ...], folder: Path) -> Path:
    """Write fixed labels with some of their values."""
    labels = heart(FIXED[3])[1]
    labels[~np.isin(labels, keep)] = 0
    path = folder / 'some_labels.nii.gz'
    save_volume(path, labels, FIXED[3], labels=True, axis_order='zyx')
    return path


def plane_labels(folder: Path) -> Path:
    path = folder / 'plane_labels.nii.gz'
    labels = heart(FIXED[2])[1]
    save_volume(path, labels, FIXED[2], labels=True, axis_order='zyx')
    return path


LABELS: dict[str, tuple[Case, tuple[str, ...]]] = {
    'empty labels': (
        lambda study, folder: [only((), folder)],
        ('fixed labels', 'empty'),
    ),
    'a label missing in one volume': (
        lambda study, folder: [only((2,), folder)],
        ('Label 1 is missing in the fixed labels', '--compare 2'),
    ),
    'an image in place of labels': (
        lambda study, folder: [study.fixed],
        ('fixed labels', 'whole numbers'),
    ),
    '2D labels': (
        lambda study, folder: [plane_labels(folder)],
        ('fixed labels', '2', '3'),
    ),
}


@pytest.mark.parametrize('case', LABELS)
@pytest.mark.parametrize('verb', ['register', 'evaluate'])
def test_labels_that_cannot_be_compared(
    run: Run, study3d: Study, tmp_path: Path, case: str, verb: str
) -> None:
    make, words = LABELS[case]
    (fixed,) = make(study3d, tmp_path)
    before = everything_below(tmp_path)
    if verb == 'register':
        ran = run(
            *('register', study3d.moving, study3d.fixed),
            *('--moving-labels', study3d.moving_labels),
            *('--fixed-labels', fixed, '-o', tmp_path / 'out'),
            *('--model', study3d.model),
        )
    else:
        out = tmp_path / 'out.csv'
        ran = run('evaluate', study3d.moving_labels, fixed, '-o', out)
    refused(ran, *words)
    assert everything_below(tmp_path) == before


def test_a_label_missing_in_moving_is_named(
    run: Run, study3d: Study, tmp_path: Path
) -> None:
    one = only((1,), tmp_path)
    ran = run(
        'evaluate', one, study3d.fixed_labels, '-o', tmp_path / 'out.csv'
    )
    refused(ran, 'Label 2 is missing in the moving labels', '--compare 1')


def test_labels_without_a_common_value(
    run: Run, study3d: Study, tmp_path: Path
) -> None:
    two = only((2,), tmp_path).rename(tmp_path / 'two_labels.nii.gz')
    one = only((1,), tmp_path)
    ran = run('evaluate', two, one, '-o', tmp_path / 'out.csv')
    refused(ran, 'no label in common')


def test_fixed_labels_alone_are_not_enough(
    run: Run, study3d: Study, tmp_path: Path
) -> None:
    ran = run(
        *('register', study3d.moving, study3d.fixed, '-o', tmp_path / 'out'),
        *('--fixed-labels', study3d.fixed_labels),
    )
    refused(ran, '--moving-labels')
    assert not (tmp_path / 'out').exists()
