from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine

from napari_adacs.errors import InputError
from napari_adacs.io import nifti_data
from napari_adacs.io.nifti import read_volume, save_volume
from napari_adacs.spatial.grid import Grid

RNG = np.random.default_rng(3)


def every_grid(oblique: np.ndarray) -> dict[str, Grid]:
    swapped = oblique[:, [1, 2, 0, 3]]
    mirrored = oblique @ np.diag([-1, 1, 1, 1.0])
    plane = np.array([[0.6, -0.8, 5], [0.8, 0.6, 6], [0, 0, 1]])
    return {
        'ijk': Grid.from_ras((4, 5, 6), oblique),
        'zyx': Grid.from_ras((4, 5, 6), oblique).transposed(),
        'sagittal': Grid.from_ras((4, 5, 6), swapped).transposed(),
        'mirrored': Grid.from_ras((4, 5, 6), mirrored).transposed(),
        'spacing': Grid.from_spacing((4, 5, 6), (1, 2, 3), (7, 8, 9)),
        'plane': Grid.from_ras((4, 5), plane).transposed(),
        'plane ij': Grid.from_ras((4, 5), plane),
        'plane xy': Grid.from_spacing((4, 5), (0.3, 0.2)),
        'plane yx': Grid.from_spacing((4, 5), (0.3, 0.2)).transposed(),
    }


GRIDS = ['ijk', 'zyx', 'sagittal', 'mirrored', 'spacing']
PLANES = ['plane', 'plane ij', 'plane xy', 'plane yx']


@pytest.mark.parametrize('name', GRIDS + PLANES)
@pytest.mark.parametrize('order', ['auto', 'zyx', 'xyz'])
@pytest.mark.parametrize('frames', [0, 3])
def test_every_value_stays_where_it_is(
    tmp_path: Path, oblique: np.ndarray, name: str, order: Any, frames: int
) -> None:
    """Look up each world position with nibabel and with our reader."""
    grid = every_grid(oblique)[name]
    shape = (frames, *grid.shape) if frames else grid.shape
    data = RNG.random(shape).astype(np.float32)
    path = tmp_path / 'x.nii.gz'
    save_volume(path, data, grid, axis_order=order)

    indices = np.argwhere(np.ones(grid.shape, bool))
    world = grid.index_to_world(indices)
    image = nib.load(path)
    ras = np.zeros((len(world), 3))
    ras[:, : grid.ndim] = world * [-1, -1, 1][: grid.ndim]
    found = apply_affine(np.linalg.inv(image.affine), ras)
    np.testing.assert_allclose(found, found.round(), atol=1e-4)
    index = tuple(found.round().astype(int).T)
    values = np.asarray(image.dataobj)
    if values.ndim == 2:
        index = index[:2]
    expected = data[(..., *indices.T)]
    np.testing.assert_array_equal(values[index].T, expected)

    again = read_volume(path)
    found = again.grid.world_to_index(world)
    index = tuple(found.round().astype(int).T)
    np.testing.assert_array_equal(again.data[(..., *index)], expected)
    np.testing.assert_allclose(image.get_qform(), image.affine, atol=1e-5)


def test_order_of_the_axes(tmp_path: Path, oblique: np.ndarray) -> None:
    def shape_in_file(name: str, order: Any = 'auto') -> tuple[int, ...]:
        grid = every_grid(oblique)[name]
        data = np.zeros(grid.shape, np.float32)
        save_volume(tmp_path / 'x.nii', data, grid, axis_order=order)
        shape: tuple[int, ...] = nib.load(tmp_path / 'x.nii').shape
        return shape

    for name in ('ijk', 'zyx', 'sagittal', 'mirrored', 'spacing'):
        assert shape_in_file(name) == (4, 5, 6), name
    for name in ('plane', 'plane xy', 'plane yx'):
        assert shape_in_file(name) == (4, 5), name
    assert shape_in_file('zyx', 'xyz') == (6, 5, 4)


@pytest.mark.parametrize('name', ['zyx', 'sagittal', 'mirrored'])
def test_file_read_and_saved_has_the_same_voxels(
    tmp_path: Path, oblique: np.ndarray, name: str
) -> None:
    grid = every_grid(oblique)[name]
    data = RNG.random(grid.shape).astype(np.float32)
    save_volume(tmp_path / 'a.nii', data, grid, axis_order='zyx')
    volume = read_volume(tmp_path / 'a.nii')
    exchanged = name == 'sagittal'
    assert volume.grid.same_space(grid, 1e-5) is not exchanged
    save_volume(tmp_path / 'b.nii', volume.data, volume.grid, axis_order='zyx')
    first, second = (nib.load(tmp_path / f'{n}.nii') for n in 'ab')
    np.testing.assert_allclose(first.affine, second.affine, atol=1e-5)
    np.testing.assert_array_equal(first.dataobj, second.dataobj)


@pytest.mark.parametrize(
    ('given', 'stored'),
    [
        ('float32', 'float32'),
        ('float64', 'float32'),
        ('float16', 'float32'),
        ('uint8', 'uint8'),
        ('bool', 'uint8'),
        ('int8', 'uint8'),
        ('int16', 'int16'),
        ('uint16', 'uint16'),
        ('int32', 'int32'),
        ('int64', 'uint8'),
        ('uint64', 'uint8'),
    ],
)
def test_types(tmp_path: Path, given: str, stored: str) -> None:
    data = RNG.integers(0, 2, (4, 5, 6)).astype(given)
    grid = Grid.from_spacing(data.shape[::-1]).transposed()
    save_volume(tmp_path / 'x.nii', data, grid, axis_order='zyx')
    volume = read_volume(tmp_path / 'x.nii')
    assert volume.data.dtype == stored
    np.testing.assert_array_equal(volume.data, data)


@pytest.mark.parametrize(
    ('value', 'stored'),
    [(255, 'uint8'), (-1, 'int16'), (60_000, 'uint16'), (70_000, 'int32')],
)
def test_labels_take_the_smallest_type(
    tmp_path: Path, value: int, stored: str
) -> None:
    data = np.zeros((4, 5, 6))
    data[1, 2, 3] = value
    grid = Grid.from_spacing(data.shape)
    save_volume(tmp_path / 'x.nii.gz', data, grid, labels=True)
    image = nib.load(tmp_path / 'x.nii.gz')
    assert image.get_data_dtype() == stored
    assert image.header.get_intent('code')[0] == 1002
    assert np.asarray(image.dataobj).sum() == value
    assert read_volume(tmp_path / 'x.nii.gz').is_labels == (
        0 <= value < 65_536
    )


def test_refused_values(tmp_path: Path) -> None:
    grid = Grid.from_spacing((4, 5))
    path = tmp_path / 'x.nii'
    half, huge = np.full((4, 5), 0.5), np.full((4, 5), 2**40)
    with pytest.raises(InputError, match='not whole numbers'):
        save_volume(path, half, grid, labels=True)
    with pytest.raises(InputError, match='not whole numbers'):
        save_volume(path, half * np.nan, grid, labels=True)
    with pytest.raises(InputError, match='too large for a 32 bit'):
        save_volume(path, huge, grid)
    with pytest.raises(InputError, match='complex'):
        save_volume(path, half * 1j, grid)
    with pytest.raises(InputError, match='do not lie on a grid'):
        save_volume(path, np.zeros((5, 4)), grid)
    long = Grid.from_spacing((40_000, 2))
    with pytest.raises(InputError, match='40000 voxels is too long'):
        save_volume(path, np.zeros(long.shape, np.uint8), long)
    assert not os.listdir(tmp_path)


def test_refused_places(tmp_path: Path) -> None:
    grid = Grid.from_spacing((4, 5))
    data = np.zeros((4, 5), np.float32)
    (tmp_path / 'file').touch()
    with pytest.raises(InputError, match='End it in .nii or .nii.gz'):
        save_volume(tmp_path / 'x.png', data, grid)
    with pytest.raises(InputError, match='no folder'):
        save_volume(tmp_path / 'file' / 'x.nii', data, grid)


def test_failure_halfway_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Breaking(gzip.GzipFile):
        def write(self, data: Any) -> int:
            if self.offset > 9000:
                raise KeyboardInterrupt
            return super().write(data)

    grid = Grid.from_spacing((30, 20, 10)).transposed()
    old, new = RNG.random((2, *grid.shape)).astype(np.float32)
    path = tmp_path / 'x.nii.gz'
    save_volume(path, old, grid, axis_order='zyx')
    monkeypatch.setattr(nifti_data.gzip, 'GzipFile', Breaking)
    with pytest.raises(KeyboardInterrupt):
        save_volume(path, new, grid)
    monkeypatch.undo()
    np.testing.assert_array_equal(read_volume(path).data, old)
    assert os.listdir(tmp_path) == ['x.nii.gz']


def test_header(tmp_path: Path, oblique: np.ndarray) -> None:
    grid = every_grid(oblique)['zyx']
    data = RNG.random((3, *grid.shape)).astype(np.float32)
    data[0, 0, 0, 0] = np.nan
    path = tmp_path / 'x.nii'
    save_volume(
        path, data, grid, description='warped ' + 'x' * 99,
        frame_duration_s=0.04,
    )  # fmt: skip
    header = nib.load(path).header
    assert header.get_xyzt_units() == ('mm', 'sec')
    assert header['sform_code'] == header['qform_code'] == 1
    np.testing.assert_allclose(header.get_zooms(), (0.8, 1.3, 2.1, 0.04))
    np.testing.assert_allclose(header['cal_min'], np.nanmin(data))
    np.testing.assert_allclose(header['cal_max'], np.nanmax(data))
    volume = read_volume(path)
    assert volume.description == 'warped ' + 'x' * 72
    assert volume.frame_duration_s == pytest.approx(0.04)


def test_image_of_nan_has_no_display_range(tmp_path: Path) -> None:
    data = np.full((4, 5), np.nan, np.float32)
    save_volume(tmp_path / 'x.nii', data, Grid.from_spacing(data.shape))
    header = nib.load(tmp_path / 'x.nii').header
    assert header['cal_min'] == header['cal_max'] == 0
    assert np.isnan(read_volume(tmp_path / 'x.nii').data).all()


def test_sheared_grid_has_no_qform(
    tmp_path: Path, oblique: np.ndarray
) -> None:
    oblique[0, 1] += 0.4
    grid = Grid.from_ras((4, 5, 6), oblique).transposed()
    assert grid.is_sheared
    save_volume(tmp_path / 'x.nii', np.zeros(grid.shape, np.uint8), grid)
    assert nib.load(tmp_path / 'x.nii').header['qform_code'] == 0
    volume = read_volume(tmp_path / 'x.nii')
    assert volume.grid.same_space(grid, 1e-5)


def test_voxel_units_survive(tmp_path: Path) -> None:
    grid = Grid.from_spacing((4, 5), units='voxel')
    data = np.zeros((4, 5), np.float32)
    save_volume(tmp_path / 'x.nii', data, grid, description='score')
    volume = read_volume(tmp_path / 'x.nii')
    assert volume.grid.units == 'voxel'
    assert volume.description.startswith('voxel units score')


def test_equal_data_give_equal_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = Grid.from_spacing((10, 20, 30))
    data = RNG.random(grid.shape).astype(np.float32)
    before = data.copy()
    save_volume(tmp_path / 'a.nii.gz', data, grid)
    monkeypatch.setattr('time.time', lambda: 1e9)
    save_volume(tmp_path / 'b.nii.gz', data, grid)
    first, second = (tmp_path / f'{n}.nii.gz' for n in 'ab')
    assert first.read_bytes() == second.read_bytes()
    np.testing.assert_array_equal(data, before)


@pytest.mark.parametrize('dtype', ['uint8', 'int16', 'int32', 'float32'])
def test_simpleitk_reads_the_same(
    tmp_path: Path, oblique: np.ndarray, dtype: str
) -> None:
    sitk = pytest.importorskip('SimpleITK')
    for grid in every_grid(oblique).values():
        data = RNG.integers(0, 99, grid.shape).astype(dtype)
        path = str(tmp_path / 'x.nii.gz')
        save_volume(path, data, grid, labels=dtype == 'uint8')
        image = sitk.ReadImage(path)
        assert image.GetDimension() == grid.ndim
        for index in ((0,) * grid.ndim, (3,) * grid.ndim, (1, 2, 3)):
            point = grid.index_to_world(index[: grid.ndim])[0]
            found = image.TransformPhysicalPointToIndex(point.tolist())
            back = image.TransformIndexToPhysicalPoint(found)
            np.testing.assert_allclose(back, point, atol=1e-4)
            assert image[found] == data[index[: grid.ndim]]


def test_an_unknown_frame_duration_stays_unknown(tmp_path: Path) -> None:
    grid = Grid.from_spacing((4, 5, 6))
    save_volume(tmp_path / 'a.nii', np.ones((2, 4, 5, 6), np.float32), grid)
    volume = read_volume(tmp_path / 'a.nii')
    assert volume.n_frames == 2
    assert volume.frame_duration_s is None
