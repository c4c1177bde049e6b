"""Files with their axes in any order, as napari can show them."""

from __future__ import annotations

import itertools
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_adacs.io.itk_field import (
    read_displacement,
    save_displacement,
)
from napari_adacs.io.nifti import read_volume, save_volume
from napari_adacs.io.volume import Volume

SHAPE = (4, 5, 6)
CODES = [
    ''.join(code)
    for order in itertools.permutations(('RL', 'AP', 'SI'))
    for code in itertools.product(*order)
]
RNG = np.random.default_rng(8)


def written(
    path: Path,
    code: str,
    frames: int = 0,
    spacing: tuple[float, ...] = (1, 1.2, 1.4),
) -> nib.Nifti1Image:
    """Write a file with its axes i, j, k along those of a code."""
    steps = np.zeros((3, 3))
    for axis, letter in enumerate(code):
        row = next(r for r, c in enumerate(('RL', 'AP', 'SI')) if letter in c)
        steps[row, axis] = spacing[axis] * (1 if letter in 'RAS' else -1)
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = steps, (7, -8, 9)
    shape = (*SHAPE, frames) if frames else SHAPE
    image = nib.Nifti1Image(RNG.random(shape, np.float32), affine)
    nib.save(image, path)
    return image


@pytest.mark.parametrize('code', CODES)
@pytest.mark.parametrize('frames', [0, 2])
def test_each_axis_is_the_one_nearest_to_the_worlds(
    tmp_path: Path, code: str, frames: int
) -> None:
    image = written(tmp_path / 'a.nii', code, frames)
    volume = read_volume(tmp_path / 'a.nii')
    assert volume.data.flags.c_contiguous
    cosines = np.abs(volume.grid.direction[::-1])
    np.testing.assert_allclose(cosines, np.eye(3), atol=1e-6)
    values = np.asarray(image.dataobj)
    for index in np.ndindex(SHAPE):
        world = (image.affine @ [*index, 1])[:3] * (-1, -1, 1)
        found = volume.grid.world_to_index(world)[0].round().astype(int)
        np.testing.assert_array_equal(
            volume.data[(..., *found)], values[index]
        )


@pytest.mark.parametrize('code', CODES)
@pytest.mark.parametrize('frames', [0, 2])
def test_saved_again_the_file_has_the_same_voxels(
    tmp_path: Path, code: str, frames: int
) -> None:
    image = written(tmp_path / 'a.nii', code, frames)
    volume = read_volume(tmp_path / 'a.nii')
    for order in ('zyx', 'auto'):
        save_volume(
            tmp_path / 'b.nii',
            volume.data,
            volume.grid,
            axis_order=order,  # type: ignore[arg-type]
        )
        again = nib.load(tmp_path / 'b.nii')
        np.testing.assert_allclose(again.affine, image.affine, atol=1e-6)
        np.testing.assert_array_equal(again.dataobj, image.dataobj)


@pytest.mark.parametrize('code', CODES)
def test_a_displacement_lies_on_the_image(tmp_path: Path, code: str) -> None:
    image = written(tmp_path / 'a.nii', code)
    grid = read_volume(tmp_path / 'a.nii').grid
    field = RNG.random((3, *grid.shape), np.float32)
    path = tmp_path / 'field.nii'
    save_displacement(path, field, grid, axis_order='zyx')
    stored = nib.load(path)
    assert stored.shape[:3] == SHAPE
    np.testing.assert_allclose(stored.affine, image.affine, atol=1e-6)
    found, again = read_displacement(path)
    assert again.same_space(grid)
    np.testing.assert_allclose(found, field, atol=1e-5)


def test_a_network_of_file_order_still_knows_it(tmp_path: Path) -> None:
    for code in CODES:
        image = written(tmp_path / 'a.nii', code)
        grid = read_volume(tmp_path / 'a.nii').grid.in_file_order()
        if code[0] in 'RL' or code[2] not in 'RL':
            assert grid.shape == SHAPE, code
            np.testing.assert_allclose(
                grid.ras_affine, image.affine, atol=1e-6
            )


def tilted(path: Path, degrees: float, thick: float) -> Volume:
    """Write slices that are stacked along x, tilted towards z."""
    a = np.deg2rad(degrees)
    along = np.array([np.cos(a), 0, np.sin(a)])
    across = np.array([-np.sin(a), 0, np.cos(a)])
    affine = np.eye(4)
    affine[:3, :3] = np.stack([[0, 1, 0], across, thick * along], axis=1)
    nib.save(nib.Nifti1Image(RNG.random(SHAPE, np.float32), affine), path)
    return read_volume(path)


def test_thick_slices_come_first_where_they_can_be_drawn(
    tmp_path: Path,
) -> None:
    shape = tilted(tmp_path / 'a.nii', 30, thick=8).grid.shape
    assert shape[0] == SHAPE[2]
    # seen along z nothing would be left of them
    shape = tilted(tmp_path / 'b.nii', 5, thick=8).grid.shape
    assert shape[2] == SHAPE[2]
    # what is not thick has no plane that it was made in
    shape = tilted(tmp_path / 'c.nii', 30, thick=1).grid.shape
    assert shape[2] == SHAPE[2]
