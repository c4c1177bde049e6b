from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.io.npy import read_npy, read_npz

RNG = np.random.default_rng(2)


@pytest.mark.parametrize('shape', [(5, 6), (4, 5, 6), (3, 4, 5, 6)])
@pytest.mark.parametrize('order', ['C', 'F'])
def test_array(tmp_path: Path, shape: tuple[int, ...], order: Any) -> None:
    data = np.asarray(RNG.random(shape).astype(np.float32), order=order)
    np.save(tmp_path / 'x.npy', data)
    volume = read_npy(tmp_path / 'x.npy')
    np.testing.assert_array_equal(volume.data, data)
    assert volume.data.flags.c_contiguous
    assert volume.grid.shape == shape[-3:]
    assert volume.grid.units == 'voxel'
    assert set(volume.grid.spacing) == {1.0}
    assert volume.n_frames == (3 if len(shape) == 4 else 1)
    assert not volume.is_labels


@pytest.mark.parametrize(
    ('given', 'read'),
    [
        ('bool', 'uint8'),
        ('float16', 'float32'),
        ('>f4', 'float32'),
        ('>i2', 'int16'),
        ('float64', 'float64'),
        ('int64', 'int64'),
    ],
)
def test_types(tmp_path: Path, given: str, read: str) -> None:
    data = RNG.integers(0, 2, (4, 5, 6)).astype(given)
    np.save(tmp_path / 'x.npy', data)
    volume = read_npy(tmp_path / 'x.npy')
    assert volume.data.dtype == read and volume.data.dtype.isnative
    np.testing.assert_array_equal(volume.data, data)


@pytest.mark.parametrize('save', [np.savez, np.savez_compressed])
def test_archive(tmp_path: Path, save: Any) -> None:
    image = RNG.random((4, 5, 6))
    path = tmp_path / 'x.npz'
    save(path, image=image, label=np.zeros((4, 5, 6), np.uint8))
    np.testing.assert_array_equal(read_npz(path).data, image)
    save(path, something=image)
    np.testing.assert_array_equal(read_npz(path).data, image)
    save(path, image)
    np.testing.assert_array_equal(read_npz(path).data, image)
    save(path, seg=RNG.integers(0, 99, (4, 5, 6)))
    assert read_npz(path).is_labels
    save(path, a=image, b=image)
    with pytest.raises(InputError, match='which of its arrays .*(a, b)'):
        read_npz(path)


@pytest.mark.parametrize(
    ('data', 'match'),
    [
        (np.array([{}, []], dtype=object), 'not real numbers'),
        (np.zeros((4, 5), complex), 'not real numbers'),
        (np.zeros((4, 5), [('x', 'f4')]), 'not real numbers'),
        (np.zeros(4), 'an image has two to four axes'),
        (np.zeros((1, 2, 3, 4, 5)), 'an image has two to four axes'),
        (np.zeros((0, 5)), 'an image has two to four axes'),
        (np.zeros((4, 5, 3), np.uint8), 'colour picture'),
    ],
)
def test_refused(tmp_path: Path, data: np.ndarray, match: str) -> None:
    np.save(tmp_path / 'x.npy', data)
    np.savez(tmp_path / 'x.npz', data)
    with pytest.raises(InputError, match=match):
        read_npy(tmp_path / 'x.npy')
    with pytest.raises(InputError, match=match):
        read_npz(tmp_path / 'x.npz')


def test_pickle_is_not_executed(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / 'executed',)

    np.save(tmp_path / 'x.npy', np.array([Evil()]), allow_pickle=True)
    with pytest.raises(InputError, match='not real numbers'):
        read_npy(tmp_path / 'x.npy')
    assert not (tmp_path / 'executed').exists()


def test_damaged_and_missing(tmp_path: Path) -> None:
    path = tmp_path / 'x.npy'
    with pytest.raises(InputError, match='There is no file'):
        read_npy(path)
    np.save(path, np.zeros((4, 5, 6)))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match='truncated or damaged'):
        read_npy(path)
    path.write_bytes(b'text')
    with pytest.raises(InputError, match='damaged or no NumPy file'):
        read_npy(path)
    with pytest.raises(InputError, match='damaged or no NumPy file'):
        read_npz(path)


def test_promises_are_compared(tmp_path: Path) -> None:
    path = tmp_path / 'x.npy'
    header = {'shape': (30000,) * 3, 'fortran_order': False, 'descr': '<f8'}
    with path.open('wb') as stream:
        np.lib.format.write_array_header_1_0(stream, header)
    with pytest.raises(InputError, match='expected 216 TB'):
        read_npy(path)
    with zipfile.ZipFile(tmp_path / 'x.npz', 'w') as archive:
        archive.write(path, 'image.npy')
    with pytest.raises(InputError, match='expected 216 TB'):
        read_npz(tmp_path / 'x.npz')
    np.savez_compressed(tmp_path / 'x.npz', np.zeros((100, 100, 100)))
    assert (tmp_path / 'x.npz').stat().st_size < 20_000
    with pytest.raises(InputError, match='needs 8 MB of memory'):
        read_npz(tmp_path / 'x.npz', max_bytes=1_000_000)


def test_real_archive(shared_data: Path) -> None:
    volume = read_npz(shared_data / 'fetal-2dt/plane0.npz')
    assert volume.data.shape == (40, 256, 256) and not volume.is_labels
