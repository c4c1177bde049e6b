"""The exported field does in ITK what it does here."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from napari_adacs.errors import InputError
from napari_adacs.io.itk_field import read_displacement, save_displacement
from napari_adacs.io.nifti import read_volume, save_volume
from napari_adacs.io.nifti_data import from_file_order
from napari_adacs.io.nifti_grid import stored_axes
from napari_adacs.spatial.grid import Grid

RNG = np.random.default_rng(11)


def smooth(shape: tuple[int, ...], sigma: float = 2.0) -> np.ndarray:
    noise = ndimage.gaussian_filter(RNG.normal(size=shape), sigma)
    smoothed: np.ndarray = (noise / noise.std()).astype(np.float32)
    return smoothed


def smooth_field(grid: Grid, voxels: float = 1.5) -> np.ndarray:
    return np.stack([voxels * smooth(grid.shape) for _ in grid.shape])


def warp(
    moving: np.ndarray, moving_grid: Grid, field: np.ndarray, fixed: Grid
) -> np.ndarray:
    """Pull back with SciPy; NaN outside the moving image."""
    index = np.indices(fixed.shape) + field
    world = fixed.index_to_world(index.reshape(fixed.ndim, -1).T)
    target = moving_grid.world_to_index(world).T.reshape(index.shape)
    warped = ndimage.map_coordinates(
        moving.astype(float), target, order=1, cval=np.nan
    )
    inside = np.ones(fixed.shape, bool)
    for axis, size in zip(target, moving.shape, strict=True):
        inside &= (axis > 0.01) & (axis < size - 1.01)
    return np.where(inside, warped, np.nan)


def warp_with_itk(moving: Path, fixed: Path, field: Path) -> np.ndarray:
    sitk = pytest.importorskip('SimpleITK')
    displacement = sitk.ReadImage(str(field), sitk.sitkVectorFloat64)
    transform = sitk.DisplacementFieldTransform(displacement)
    warped: np.ndarray = sitk.GetArrayFromImage(
        sitk.Resample(
            sitk.ReadImage(str(moving), sitk.sitkFloat64),
            sitk.ReadImage(str(fixed)),
            transform,
            sitk.sitkLinear,
        )
    )
    return warped


def turned(degrees: float) -> np.ndarray:
    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])


def centred(shape: tuple[int, ...], steps: np.ndarray, *at: float) -> Grid:
    """Make a grid (z, y, x) from steps (i, j, k) in RAS and its centre."""
    affine = np.eye(len(shape) + 1)
    affine[:-1, :-1] = steps
    middle = (np.asarray(shape) - 1) / 2
    affine[:-1, -1] = np.asarray(at) - steps @ middle
    return Grid.from_ras(shape, affine).transposed()


def pairs(oblique: np.ndarray) -> dict[str, tuple[Grid, Grid]]:
    """Fixed and moving grids; their centres are close."""
    steps = oblique[:3, :3]
    fixed = centred((20, 18, 16), steps, -12, 30, 7)
    straight = np.diag([-1.1, 0.9, 1.6])
    mirrored = steps @ np.diag([1, -1, 1])
    plane = centred((30, 26), turned(30) @ np.diag([0.5, 0.8]), 3, -4)
    return {
        'oblique': (fixed, fixed),
        'two grids': (fixed, centred((24, 22, 26), straight, -11, 29, 8)),
        'mirrored': (
            centred((20, 18, 16), mirrored, -12, 30, 7),
            centred((18, 16, 20), steps[:, [1, 2, 0]], -11, 30, 8),
        ),
        'array xyz': (fixed.transposed(), fixed),
        'plane': (plane, plane),
        'two planes': (
            plane,
            centred((40, 44), np.diag([-0.6, -0.5]), 3.5, -3),
        ),
    }


@pytest.mark.parametrize('order', ['auto', 'zyx', 'xyz'])
@pytest.mark.parametrize(
    'name',
    ['oblique', 'two grids', 'mirrored', 'array xyz', 'plane', 'two planes'],
)
def test_itk_warps_as_we_do(
    tmp_path: Path, oblique: np.ndarray, name: str, order: Any
) -> None:
    fixed, moving = pairs(oblique)[name]
    image, field = smooth(moving.shape), smooth_field(fixed)
    expected = warp(image, moving, field, fixed)
    inside = np.isfinite(expected)
    assert inside.mean() > 0.2
    names = [tmp_path / f'{n}.nii.gz' for n in ('moving', 'fixed', 'field')]
    save_volume(names[0], image, moving, axis_order='zyx')
    template = np.zeros(fixed.shape, np.uint8)
    save_volume(names[1], template, fixed, axis_order=order)
    save_displacement(names[2], field, fixed, axis_order=order)
    found = warp_with_itk(*names)
    if stored_axes(fixed, order)[0] == 0:
        found = found.transpose()
    difference = np.abs(found - expected)[inside]
    assert difference.max() < 1e-3 * np.ptp(image)
    # the test would notice a field that is left out
    still = warp(image, moving, np.zeros_like(field), fixed)
    assert np.nanmean(np.abs(still - expected)) > 0.2


@pytest.mark.parametrize('ndim', [2, 3])
def test_header_is_the_one_itk_writes(
    tmp_path: Path, oblique: np.ndarray, ndim: int
) -> None:
    sitk = pytest.importorskip('SimpleITK')
    fixed = pairs(oblique)['oblique' if ndim == 3 else 'plane'][0]
    save_displacement(tmp_path / 'ours.nii', smooth_field(fixed), fixed)
    image = sitk.ReadImage(str(tmp_path / 'ours.nii'))
    assert image.GetNumberOfComponentsPerPixel() == ndim
    assert image.GetPixelID() == sitk.sitkVectorFloat32
    assert image.GetSize() == fixed.shape[::-1]
    np.testing.assert_allclose(image.GetSpacing(), fixed.spacing[::-1])
    np.testing.assert_allclose(image.GetOrigin(), fixed.origin, rtol=1e-6)
    np.testing.assert_allclose(
        np.reshape(image.GetDirection(), (ndim, ndim)),
        fixed.direction[:, ::-1],
        atol=1e-6,
    )
    sitk.WriteImage(image, str(tmp_path / 'itk.nii'))
    ours, itks = (
        nib.load(tmp_path / f'{n}.nii').header for n in ('ours', 'itk')
    )
    for field in ('dim', 'intent_code', 'datatype', 'xyzt_units',
                  'qform_code', 'sform_code', 'vox_offset'):  # fmt: skip
        np.testing.assert_array_equal(ours[field], itks[field], field)
    for field in ('srow_x', 'srow_y', 'srow_z', 'quatern_b', 'qoffset_x'):
        np.testing.assert_allclose(ours[field], itks[field], atol=1e-5)
    np.testing.assert_allclose(ours['pixdim'][:4], itks['pixdim'][:4])
    assert (tmp_path / 'ours.nii').stat().st_size == (
        tmp_path / 'itk.nii'
    ).stat().st_size


@pytest.mark.parametrize('name', ['oblique', 'mirrored', 'plane'])
def test_round_trip(tmp_path: Path, oblique: np.ndarray, name: str) -> None:
    grid = pairs(oblique)[name][0]
    field = smooth_field(grid)
    save_displacement(tmp_path / 'x.nii.gz', field, grid, axis_order='zyx')
    again, again_grid = read_displacement(tmp_path / 'x.nii.gz')
    assert again_grid.same_space(grid, 1e-5)
    assert again.dtype == np.float32
    np.testing.assert_allclose(again, field, atol=1e-4)


def test_components_are_lps_mm(tmp_path: Path) -> None:
    """One voxel along the slow axis is 3 mm along z, and so on."""
    grid = Grid.from_spacing((2, 3, 4), (1, 2, 3)).transposed()
    field = np.zeros((3, 4, 3, 2))
    field[:, 0, 0, 0] = 1, 0, 0
    field[:, 3, 2, 1] = 0, -1, 0.5
    save_displacement(tmp_path / 'x.nii', field, grid)
    stored = np.asarray(nib.load(tmp_path / 'x.nii').dataobj)
    assert stored.shape == (2, 3, 4, 1, 3)
    np.testing.assert_allclose(stored[0, 0, 0, 0], (0, 0, 3))
    np.testing.assert_allclose(stored[1, 2, 3, 0], (0.5, -2, 0))


def test_field_written_by_itk(tmp_path: Path) -> None:
    sitk = pytest.importorskip('SimpleITK')
    vectors = RNG.normal(size=(5, 6, 7, 3))
    image = sitk.GetImageFromArray(vectors, isVector=True)
    image.SetSpacing((1.0, 2.0, 4.0))
    image.SetOrigin((5.0, 6.0, 7.0))
    path = tmp_path / 'x.nii.gz'
    sitk.WriteImage(image, str(path))
    expected = np.moveaxis(vectors, -1, 0)[::-1] / np.reshape(
        [4, 2, 1], (3, 1, 1, 1)
    )
    field, grid = read_displacement(path)
    np.testing.assert_allclose(grid.origin, (5, 6, 7))
    np.testing.assert_allclose(field, expected, rtol=1e-5, atol=1e-6)


def test_displacement_intent_is_ras(tmp_path: Path) -> None:
    """ITK 5.4 and later flip x and y of 3D vectors with intent 1006."""
    vectors = RNG.normal(size=(7, 6, 5, 1, 3)).astype(np.float32)
    image = nib.Nifti1Image(vectors, np.diag([-1, -2, 4, 1.0]))
    found = {}
    for intent in (1007, 1006):
        image.header.set_intent(intent, allow_unknown=True)
        nib.save(image, tmp_path / 'x.nii')
        found[intent], _ = read_displacement(tmp_path / 'x.nii')
    flip = np.reshape([1, -1, -1], (3, 1, 1, 1))
    np.testing.assert_allclose(found[1006], found[1007] * flip)


def test_refused_fields(tmp_path: Path) -> None:
    grid = Grid.from_spacing((4, 5, 6))
    path = tmp_path / 'x.nii.gz'
    field = np.zeros((3, 4, 5, 6))
    with pytest.raises(InputError, match='has the shape'):
        save_displacement(path, field[:2], grid)
    with pytest.raises(InputError, match='has the shape'):
        save_displacement(path, np.moveaxis(field, 0, -1), grid)
    with pytest.raises(InputError, match='End it in'):
        save_displacement(tmp_path / 'x.mha', field, grid)
    for value in (np.nan, np.inf, 1e300):
        field[0, 1, 2, 3] = value
        with pytest.raises(InputError, match='NaN or infinite'):
            save_displacement(path, field, grid)
    assert not path.exists()


def test_refused_files(tmp_path: Path) -> None:
    grid = Grid.from_spacing((4, 5, 6), (3, 2, 1)).transposed()
    path = tmp_path / 'x.nii'
    save_volume(path, np.zeros(grid.shape, np.uint8), grid)
    with pytest.raises(InputError, match='not a displacement field'):
        read_displacement(path)
    field = np.zeros((3, *grid.shape))
    save_displacement(path, field, grid)
    with pytest.raises(InputError, match='vector image, not a picture'):
        read_volume(path)
    with pytest.raises(InputError, match='more than the'):
        read_displacement(path, max_bytes=100)
    image = nib.load(path)
    broken = np.asarray(image.dataobj).copy()
    broken[0] = np.nan
    nib.save(nib.Nifti1Image(broken, None, image.header), path)
    with pytest.raises(InputError, match='NaN or infinite'):
        read_displacement(path)
    image.header.set_intent(0)
    nib.save(image, path)
    with pytest.raises(InputError, match='intent code 0'):
        read_displacement(path)


def test_shear_is_said(
    tmp_path: Path, oblique: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    oblique[0, 1] += 0.4
    grid = Grid.from_ras((4, 5, 6), oblique).transposed()
    with caplog.at_level(logging.WARNING):
        save_displacement(tmp_path / 'x.nii', smooth_field(grid), grid)
    assert 'sheared' in caplog.text
    assert read_displacement(tmp_path / 'x.nii')[1].same_space(grid, 1e-5)


@pytest.mark.parametrize(
    ('fixed', 'moving'),
    [
        ('mitea-034/ES', 'mitea-034/ED'),
        ('cmr-oblique/mnms_sax_es', 'cmr-oblique/mnms_sax_ed'),
        (
            'camus-nifti/patient0053/patient0053_4CH_ES',
            'camus-nifti/patient0053/patient0053_4CH_ED',
        ),
    ],
)
def test_real_pairs(
    tmp_path: Path, shared_data: Path, fixed: str, moving: str
) -> None:
    """The field on the file of the user, warped by ITK from that file."""
    paths = [shared_data / f'{n}.nii.gz' for n in (moving, fixed)]
    still, image = read_volume(paths[1]), read_volume(paths[0])
    field = smooth_field(still.grid)
    expected = warp(image.data, image.grid, field, still.grid)
    path = tmp_path / 'field.nii.gz'
    save_displacement(path, field, still.grid, axis_order='zyx')
    found = from_file_order(warp_with_itk(*paths, path), still.grid)
    inside = np.isfinite(expected)
    difference = np.abs(found - expected)[inside]
    assert inside.mean() > 0.7
    assert difference.max() < 1e-3 * np.ptp(image.data)
