from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine

from napari_adacs.io.nifti import read_volume
from napari_adacs.io.volume import Volume
from napari_adacs.spatial.grid import Grid


def ramp(shape: tuple[int, ...], dtype: str = 'float32') -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def assert_same_world(volume: Volume, path: Path) -> None:
    """Every voxel is where, and what, nibabel says it is."""
    image = nib.load(path)
    indices = np.argwhere(np.ones(image.shape[:3], bool))[::7]
    ndim = volume.grid.ndim
    world = apply_affine(image.affine, np.atleast_2d(indices)[:, :3])
    world[:, :2] *= -1
    ours = volume.grid.world_to_index(world[:, :ndim])
    np.testing.assert_allclose(ours, ours.round(), atol=1e-4)
    values = np.asarray(image.dataobj)
    np.testing.assert_array_equal(
        volume.data[(..., *ours.round().astype(int).T)],
        values[tuple(indices.T)].T,
    )


@pytest.mark.parametrize('name', ['image.nii', 'image.nii.gz'])
@pytest.mark.parametrize(
    'dtype', ['uint8', 'int16', 'uint16', 'int32', 'float32', 'float64']
)
def test_order_world_and_type(
    write_nifti: Any, oblique: np.ndarray, name: str, dtype: str
) -> None:
    path = write_nifti(ramp((4, 5, 6), dtype), oblique, name)
    volume = read_volume(path)
    assert volume.data.shape == volume.grid.shape == (6, 5, 4)
    assert volume.data.dtype == dtype
    assert volume.data.flags.c_contiguous and volume.data.dtype.isnative
    assert volume.grid.units == 'mm'
    np.testing.assert_allclose(volume.grid.spacing, (2.1, 1.3, 0.8))
    assert volume.description == ''
    assert volume.name == 'image' and not volume.has_time
    assert_same_world(volume, path)


def test_big_endian_and_version_2(tmp_path: Path, oblique: np.ndarray) -> None:
    data = ramp((4, 5, 6), 'int16')
    for kind in (nib.Nifti1Image, nib.Nifti2Image):
        header = kind.header_class(endianness='>')
        header.set_data_dtype('int16')
        image = kind(data, oblique, header)
        path = tmp_path / f'{kind.__name__}.nii'
        nib.save(image, path)
        assert nib.load(path).header.endianness == '>'
        volume = read_volume(path)
        assert volume.data.dtype == np.int16 and volume.data.dtype.isnative
        assert_same_world(volume, path)


def test_name_does_not_decide_on_compression(write_nifti: Any) -> None:
    data = ramp((4, 5, 6))
    plain = write_nifti(data, name='a.nii')
    packed = write_nifti(data, name='b.nii.gz')
    for source in (plain, packed):
        target = source.with_name('other.nii.gz')
        if source == packed:
            target = source.with_name('other.nii')
        target.write_bytes(source.read_bytes())
        np.testing.assert_array_equal(read_volume(target).data, data.T)


def test_scaled_values_are_float32(write_nifti: Any) -> None:
    def scale(header: Any) -> None:
        header['scl_slope'], header['scl_inter'] = 0.5, -3

    path = write_nifti(ramp((4, 5, 6), 'int16'), edit=scale)
    volume = read_volume(path)
    assert volume.data.dtype == np.float32
    np.testing.assert_array_equal(volume.data, ramp((4, 5, 6)).T * 0.5 - 3)


@pytest.mark.parametrize('slope', [0, np.nan, np.inf, 1])
def test_no_scaling_keeps_the_type(write_nifti: Any, slope: float) -> None:
    def scale(header: Any) -> None:
        header['scl_slope'], header['scl_inter'] = slope, 0

    path = write_nifti(ramp((4, 5, 6), 'int16'), edit=scale)
    assert read_volume(path).data.dtype == np.int16


@pytest.mark.parametrize('shape', [(7, 5), (7, 5, 1), (7, 5, 1, 1)])
def test_plane_is_2d(write_nifti: Any, shape: tuple[int, ...]) -> None:
    path = write_nifti(ramp(shape), np.diag([-0.3, -0.4, 1, 1]))
    volume = read_volume(path)
    assert volume.data.shape == volume.grid.shape == (5, 7)
    np.testing.assert_allclose(volume.grid.spacing, (0.4, 0.3))
    np.testing.assert_allclose(
        volume.grid.index_to_world([[2, 3]]), [[0.9, 0.8]], rtol=1e-6
    )
    np.testing.assert_array_equal(volume.data, ramp((7, 5)).T)


def test_rotated_plane_keeps_its_angle(write_nifti: Any) -> None:
    affine = np.eye(4)
    affine[:2, :2] = [[0.6, -0.8], [0.8, 0.6]]
    affine[:2, 3] = 5, 6
    path = write_nifti(ramp((7, 5)), affine)
    expected = Grid.from_ras((7, 5), affine[np.ix_([0, 1, 3], [0, 1, 3])])
    # turned by 53 degrees, i lies nearer to y than j does
    assert read_volume(path).grid.same_space(expected)


def test_oblique_plane_keeps_only_its_spacing(
    write_nifti: Any, oblique: np.ndarray
) -> None:
    volume = read_volume(write_nifti(ramp((7, 5, 1)), oblique))
    np.testing.assert_allclose(
        volume.grid.affine, [[0, 0.8, 0], [1.3, 0, 0], [0, 0, 1]], atol=1e-6
    )
    assert 'oblique' in volume.description


def test_time_comes_first(write_nifti: Any, oblique: np.ndarray) -> None:
    def slow(header: Any) -> None:
        header['pixdim'][4] = 40
        header['xyzt_units'] = 2 | 16  # mm, msec

    path = write_nifti(ramp((4, 5, 6, 3)), oblique, edit=slow)
    volume = read_volume(path)
    assert volume.data.shape == (3, 6, 5, 4)
    assert volume.grid.shape == (6, 5, 4)
    assert volume.has_time and volume.n_frames == 3
    assert volume.frame_duration_s == pytest.approx(0.04)
    assert_same_world(volume, path)


def test_cine_of_planes(write_nifti: Any) -> None:
    volume = read_volume(write_nifti(ramp((7, 5, 1, 3))))
    assert volume.data.shape == (3, 5, 7) and volume.grid.ndim == 2
    np.testing.assert_array_equal(
        volume.data, ramp((7, 5, 1, 3))[:, :, 0].transpose(2, 1, 0)
    )


def test_frame_duration_without_unit_is_unknown(write_nifti: Any) -> None:
    def forget(header: Any) -> None:
        header['xyzt_units'] = 2

    volume = read_volume(write_nifti(ramp((4, 5, 6, 3)), edit=forget))
    assert volume.frame_duration_s is None


@pytest.mark.parametrize(
    ('code', 'factor'), [(0, 1), (1, 1000), (2, 1), (3, 1e-3)]
)
@pytest.mark.parametrize('form', ['sform', 'qform', 'none'])
def test_units_become_mm(
    write_nifti: Any, code: int, factor: float, form: str
) -> None:
    def set_units(header: Any) -> None:
        header.set_qform(np.diag([-1, -2, 3, 1.0]), 1 * (form == 'qform'))
        header['sform_code'] = 1 * (form == 'sform')
        header['xyzt_units'] = code

    affine = np.diag([-1, -2, 3, 1.0])
    volume = read_volume(write_nifti(ramp((4, 5, 6)), affine, edit=set_units))
    np.testing.assert_allclose(
        volume.grid.spacing, np.array([3, 2, 1]) * factor
    )


def test_no_orientation_means_the_axes_of_the_world(write_nifti: Any) -> None:
    def forget(header: Any) -> None:
        header['sform_code'] = header['qform_code'] = 0

    volume = read_volume(write_nifti(ramp((4, 5, 6)), edit=forget))
    expected = Grid.from_spacing((4, 5, 6), (1, 2, 3)).transposed()
    np.testing.assert_array_equal(volume.grid.affine, expected.affine)
    assert 'no orientation' in volume.description


def test_sform_before_qform(write_nifti: Any, oblique: np.ndarray) -> None:
    def both(header: Any) -> None:
        header.set_sform(oblique, 1)
        header.set_qform(np.diag([0.8, 1.3, 2.1, 1]), 1)

    path = write_nifti(ramp((4, 5, 6)), oblique, edit=both)
    volume = read_volume(path)
    assert_same_world(volume, path)
    assert 'the sform is used' in volume.description


def test_qform_alone(write_nifti: Any, oblique: np.ndarray) -> None:
    def only(header: Any) -> None:
        header.set_qform(oblique, 1)
        header['sform_code'] = 0

    for flip in (1, -1):
        oblique[:3, 2] *= flip
        path = write_nifti(ramp((4, 5, 6)), oblique, edit=only)
        assert_same_world(read_volume(path), path)


def test_disagreeing_voxel_size_is_said(write_nifti: Any) -> None:
    def lie(header: Any) -> None:
        header['pixdim'][1:4] = 5

    volume = read_volume(write_nifti(ramp((4, 5, 6)), edit=lie))
    assert volume.grid.spacing == (3, 2, 1)
    assert 'the affine is used' in volume.description


def test_description_of_the_file(write_nifti: Any) -> None:
    def describe(header: Any) -> None:
        header['descrip'] = b'apical 4CH\x01\x1b[31m'

    path = write_nifti(ramp((4, 5, 6)), edit=describe)
    assert read_volume(path).description == 'apical 4CH[31m'


def test_float_labels_become_integers(write_nifti: Any) -> None:
    labels = (ramp((4, 5, 6)) % 4).astype('float32')
    volume = read_volume(write_nifti(labels, name='x_4CH_ED_gt.nii.gz'))
    assert volume.is_labels and volume.data.dtype == np.uint8
    np.testing.assert_array_equal(volume.data, labels.T)
    assert not read_volume(write_nifti(labels, name='x.nii')).is_labels


def test_declared_labels(write_nifti: Any) -> None:
    def declare(header: Any) -> None:
        header['intent_code'] = 1002

    path = write_nifti(ramp((9, 9, 9), 'int32'), edit=declare)
    assert read_volume(path).is_labels


def test_real_mitea(shared_data: Path) -> None:
    folder = shared_data / 'mitea-034'
    image = read_volume(folder / 'ED.nii.gz')
    assert image.data.shape == (64, 64, 64) and image.data.dtype == np.uint8
    np.testing.assert_allclose(
        image.grid.spacing, (2.484375, 2.390625, 2.078125)
    )
    # RAS diagonal is positive, so x and y run against LPS
    np.testing.assert_allclose(
        np.diag(image.grid.direction[:, ::-1]), (-1, -1, 1)
    )
    assert not image.is_labels
    assert_same_world(image, folder / 'ED.nii.gz')
    labels = read_volume(folder / 'ES_label.nii.gz')
    assert labels.is_labels and labels.grid.same_space(image.grid)
    assert set(np.unique(labels.data)) == {0, 1, 2}


def test_real_camus(shared_data: Path) -> None:
    folder = shared_data / 'camus-nifti/patient0053'
    image = read_volume(folder / 'patient0053_4CH_ED.nii.gz')
    assert image.data.shape == (389, 499) and image.grid.ndim == 2
    np.testing.assert_allclose(image.grid.spacing, (0.308, 0.308))
    np.testing.assert_allclose(
        image.grid.direction, [[0, 1], [1, 0]], atol=1e-6
    )
    assert not image.is_labels
    labels = read_volume(folder / 'patient0053_4CH_ED_gt.nii.gz')
    assert labels.is_labels and labels.data.dtype == np.uint8
    assert labels.grid.same_space(image.grid)


def test_real_mri(shared_data: Path) -> None:
    for name in ('acdc-nifti/fixed', 'cmr-oblique/mnms_sax_ed'):
        path = shared_data / f'{name}.nii.gz'
        volume = read_volume(path)
        assert not volume.is_labels
        assert_same_world(volume, path)
    assert read_volume(shared_data / 'acdc-nifti/fixed_gt.nii.gz').is_labels


def test_real_cine(shared_data: Path) -> None:
    path = shared_data / 'tee-4d/aortic_root_img4d.nii.gz'
    image = read_volume(path)
    assert image.data.shape == (7, 67, 53, 62) and image.has_time
    assert image.grid.shape == (67, 53, 62) and not image.is_labels
    assert image.frame_duration_s is None
    assert_same_world(image, path)
    labels = read_volume(shared_data / 'tee-4d/aortic_root_seg4d.nii.gz')
    assert labels.is_labels and labels.data.shape == image.data.shape
