from __future__ import annotations

import errno
import gzip
import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.io.memory import format_bytes, memory_budget
from napari_adacs.io.nifti import read_volume

DATA = np.random.default_rng(0).integers(0, 255, (20, 30, 40), np.uint8)
Edit = Callable[[Any], None]


def refused(path: Path, match: str, **options: int) -> str:
    with pytest.raises(InputError, match=match) as caught:
        read_volume(path, **options)
    error = caught.value
    assert error.hint.endswith('.') and error.message.endswith('.')
    return str(error)


def setting(field: str, value: object) -> Edit:
    def edit(header: Any) -> None:
        header[field] = value

    return edit


def pixdim(axis: int, value: float) -> Edit:
    def edit(header: Any) -> None:
        header['pixdim'][axis] = value

    return edit


def test_missing_file_and_folder(tmp_path: Path) -> None:
    refused(tmp_path / 'none.nii', 'There is no file')
    refused(tmp_path, 'is not a file')


def test_permission(write_nifti: Any) -> None:
    path = write_nifti(DATA)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip('this user may read anything')
    refused(path, 'Cannot read image.nii: permission denied')


def test_permission_refused(
    write_nifti: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, 'Permission denied')

    path = write_nifti(DATA)
    monkeypatch.setattr(Path, 'open', refuse)
    refused(path, 'Cannot read image.nii: permission denied')


def test_disk_that_fails_while_reading(
    write_nifti: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.EIO, 'Input/output error')

    path = write_nifti(DATA, name='image.nii.gz')
    monkeypatch.setattr(gzip.GzipFile, 'readinto', fail, raising=False)
    refused(path, 'Cannot read image.nii.gz: input/output error')


@pytest.mark.parametrize(
    'content', [b'', b'text', bytes(1000), b'PK\x03\x04' * 300]
)
@pytest.mark.parametrize('name', ['x.nii', 'x.nii.gz'])
def test_other_files(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    refused(path, 'x.nii.* is not a NIfTI file')
    path.write_bytes(gzip.compress(content))
    refused(path, 'x.nii.* is not a NIfTI file')


def test_header_of_a_pair(write_nifti: Any) -> None:
    refused(write_nifti(DATA, edit=setting('magic', b'ni1')), '.hdr/.img pair')
    refused(write_nifti(DATA, edit=setting('magic', b'')), 'not a NIfTI')


@pytest.mark.parametrize('keep', [340, 352, 400, 20_000, 24_351])
def test_truncated(write_nifti: Any, keep: int) -> None:
    path = write_nifti(DATA)
    assert path.stat().st_size == 24_352
    path.write_bytes(path.read_bytes()[:keep])
    match = 'not a NIfTI'
    if keep > 348:
        match = f'truncated: expected 24.35 kB, got {format_bytes(keep)}'
    refused(path, match)


@pytest.mark.parametrize('part', [0.1, 0.5, 0.9, 0.9999])
def test_truncated_gzip(write_nifti: Any, part: float) -> None:
    path = write_nifti(DATA, name='image.nii.gz')
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    message = refused(path, 'image.nii.gz: the file is truncated: expected')
    assert '24.35 kB' in message


def test_gzip_of_a_truncated_file(write_nifti: Any) -> None:
    path = write_nifti(DATA)
    packed = path.with_suffix('.nii.gz')
    packed.write_bytes(gzip.compress(path.read_bytes()[:20_352]))
    refused(packed, 'truncated: expected 24.35 kB, got 20.35 kB')


def test_damaged_gzip(write_nifti: Any) -> None:
    path = write_nifti(DATA, name='image.nii.gz')
    content = bytearray(path.read_bytes())
    content[-6] ^= 0xFF  # in the checksum
    path.write_bytes(content)
    refused(path, 'is damaged')


@pytest.mark.parametrize('name', ['image.nii', 'image.nii.gz'])
def test_longer_than_declared(write_nifti: Any, name: str) -> None:
    def halve(header: Any) -> None:
        header['dim'][3] = 20

    refused(write_nifti(DATA, name=name, edit=halve), 'longer than its header')


@pytest.mark.parametrize('name', ['image.nii', 'image.nii.gz'])
def test_padding_is_no_error(write_nifti: Any, name: str) -> None:
    path = write_nifti(DATA, name=name)
    padding = bytes(512)
    if name.endswith('.gz'):
        padding = gzip.compress(padding)
    path.write_bytes(path.read_bytes() + padding)
    np.testing.assert_array_equal(read_volume(path).data, DATA.T)


@pytest.mark.parametrize('name', ['image.nii', 'image.nii.gz'])
def test_promise_of_30000_cubed(write_nifti: Any, name: str) -> None:
    def promise(header: Any) -> None:
        header['dim'][1:4] = 30000
        header['datatype'], header['bitpix'] = 64, 64

    path = write_nifti(DATA, name=name, edit=promise)
    refused(path, 'truncated: expected 216 TB, got .* kB')


def test_sparse_file_beyond_memory(write_nifti: Any) -> None:
    def promise(header: Any) -> None:
        header['dim'][1:4] = 20000, 20000, 10000

    path = write_nifti(DATA, edit=promise)
    try:
        os.truncate(path, 352 + 20000 * 20000 * 10000)
    except OSError:
        pytest.skip('this file system has no sparse files')
    assert memory_budget() < 20000 * 20000 * 10000
    refused(path, 'needs 4 TB of memory, more than the')


def test_gzip_bomb_stops_at_the_declared_size(tmp_path: Path) -> None:
    image = nib.Nifti1Image(DATA, np.eye(4)).to_bytes()
    packer = zlib.compressobj(9, wbits=31)
    with (tmp_path / 'bomb.nii.gz').open('wb') as stream:
        stream.write(packer.compress(image))
        for _ in range(64):
            stream.write(packer.compress(bytes(1 << 20)))
        stream.write(packer.flush())
    refused(tmp_path / 'bomb.nii.gz', 'longer than its header')


def test_budget(write_nifti: Any) -> None:
    path = write_nifti(DATA)
    refused(path, 'needs 24 kB .* than the 5000 bytes', max_bytes=5000)
    assert read_volume(path, max_bytes=24_000).data.size == 24_000
    scaled = write_nifti(DATA, edit=setting('scl_slope', 2.0))
    refused(scaled, 'needs 120 kB', max_bytes=100_000)


@pytest.mark.parametrize('value', [np.nan, np.inf, 0, -1])
@pytest.mark.parametrize('axis', [1, 2, 3])
def test_voxel_size(write_nifti: Any, axis: int, value: float) -> None:
    path = write_nifti(DATA, edit=pixdim(axis, value))
    refused(path, 'has the voxel size .* not positive')


def test_thickness_of_a_plane_is_not_used(write_nifti: Any) -> None:
    path = write_nifti(DATA[:, :, 0], edit=pixdim(3, 0))
    assert read_volume(path).grid.spacing == (2, 1)


@pytest.mark.parametrize('value', [np.nan, np.inf])
@pytest.mark.parametrize('ndim', [2, 3])
def test_affine_not_finite(write_nifti: Any, value: float, ndim: int) -> None:
    def spoil(header: Any) -> None:
        header['srow_x'][0] = value

    data = DATA[:, :, 0] if ndim == 2 else DATA
    refused(write_nifti(data, edit=spoil), 'image.nii: .*(NaN|singular)')


def test_singular_affine(write_nifti: Any) -> None:
    def flatten(header: Any) -> None:
        header['srow_z'] = header['srow_y']

    def empty(header: Any) -> None:
        header['srow_x'] = header['srow_y'] = header['srow_z'] = 0

    refused(write_nifti(DATA, edit=flatten), 'singular')
    refused(write_nifti(DATA, edit=empty), 'singular')
    refused(write_nifti(DATA[:, :, 0], edit=empty), 'singular')


@pytest.mark.parametrize('value', [1e-30, 1e30])
def test_voxels_that_cannot_be(write_nifti: Any, value: float) -> None:
    path = write_nifti(DATA, edit=pixdim(2, value))
    refused(path, f'voxels of .*{re.escape(f"{value:g}")}.* which cannot be')


def test_place_that_cannot_be(write_nifti: Any) -> None:
    def spoil(header: Any) -> None:
        header['srow_x'][3] = 1e20

    refused(write_nifti(DATA, edit=spoil), 'at 1e.20 mm from the origin')


def test_quaternion_that_is_no_rotation(write_nifti: Any) -> None:
    def spoil(header: Any) -> None:
        header['sform_code'], header['qform_code'] = 0, 1
        header['quatern_b'] = header['quatern_c'] = 0.9

    refused(write_nifti(DATA, edit=spoil), 'no rotation')


@pytest.mark.parametrize('count', [-1, 0, 8, 255])
def test_number_of_axes(write_nifti: Any, count: int) -> None:
    def spoil(header: Any) -> None:
        header['dim'][0] = count

    refused(write_nifti(DATA, edit=spoil), 'damaged|not a NIfTI')


@pytest.mark.parametrize('length', [0, -5])
def test_length_of_an_axis(write_nifti: Any, length: int) -> None:
    def spoil(header: Any) -> None:
        header['dim'][2] = length

    refused(write_nifti(DATA, edit=spoil), f'an axis has {length} voxels')


@pytest.mark.parametrize('offset', [np.nan, -352, 100, 1e30])
def test_where_the_data_begin(write_nifti: Any, offset: float) -> None:
    path = write_nifti(DATA, edit=setting('vox_offset', offset))
    refused(path, 'the data begin at|truncated')


def test_far_offset_in_gzip(write_nifti: Any) -> None:
    path = write_nifti(
        DATA, name='image.nii.gz', edit=setting('vox_offset', 10_000_000.0)
    )
    refused(path, 'truncated')


def test_offset_behind_an_extension(tmp_path: Path) -> None:
    image = nib.Nifti1Image(DATA, np.eye(4))
    image.header.extensions.append(
        nib.nifti1.Nifti1Extension('comment', b'x' * 100_000)
    )
    for name in ('x.nii', 'x.nii.gz'):
        nib.save(image, tmp_path / name)
        volume = read_volume(tmp_path / name)
        np.testing.assert_array_equal(volume.data, DATA.T)


def test_intensity_offset(write_nifti: Any) -> None:
    def spoil(header: Any) -> None:
        header['scl_slope'], header['scl_inter'] = 2, np.nan

    refused(write_nifti(DATA, edit=spoil), 'intensity offset')


@pytest.mark.parametrize(
    ('code', 'match'),
    [
        (128, 'colour picture'),
        (2304, 'colour picture'),
        (32, 'complex numbers'),
        (1792, 'complex numbers'),
        (1, 'data type'),
        (1536, 'data type'),
        (0, 'data type'),
        (777, 'data type'),
    ],
)
def test_data_types(write_nifti: Any, code: int, match: str) -> None:
    refused(write_nifti(DATA, edit=setting('datatype', code)), match)


def test_real_colour_file(tmp_path: Path) -> None:
    colour = np.zeros((4, 5, 6), [('R', 'u1'), ('G', 'u1'), ('B', 'u1')])
    nib.save(nib.Nifti1Image(colour, np.eye(4)), tmp_path / 'x.nii')
    refused(tmp_path / 'x.nii', 'colour picture')


def test_signals_and_too_many_axes(write_nifti: Any) -> None:
    refused(write_nifti(DATA[:, 0, 0]), 'a signal, not an image')
    refused(write_nifti(DATA.reshape(20, 30, 2, 2, 5, 2)), 'has 6 axes')


def test_vectors_are_pointed_to_their_reader(write_nifti: Any) -> None:
    def declare(header: Any) -> None:
        header['intent_code'] = 1007

    data = np.zeros((4, 5, 6, 1, 3), np.float32)
    for edit in (declare, None):
        message = refused(write_nifti(data, edit=edit), '3 components')
        assert 'read_displacement' in message
