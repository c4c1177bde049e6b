"""Damaged files: whatever the bytes, an image or a sentence."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_adacs.errors import AdacsError
from napari_adacs.io.images import read_image
from napari_adacs.io.itk_field import read_displacement, save_displacement
from napari_adacs.io.nifti import read_volume
from napari_adacs.spatial.grid import Grid

BUDGET = 1 << 20
quiet = pytest.mark.filterwarnings('error')


def mutate(content: bytes, rng: np.random.Generator, upto: int) -> bytes:
    """Overwrite one to four runs of bytes, with favourite values or noise."""
    changed = bytearray(content)
    favourites = (0x00, 0xFF, 0x7F, 0x80, 0x01)
    for _ in range(rng.integers(1, 5)):
        start = int(rng.integers(0, upto))
        for place in range(start, min(start + int(rng.integers(1, 9)), upto)):
            favourite = favourites[rng.integers(len(favourites))]
            noise = int(rng.integers(256))
            changed[place] = favourite if rng.random() < 0.5 else noise
    return bytes(changed)


def nifti(version: int, order: str) -> bytes:
    kind = nib.Nifti1Image if version == 1 else nib.Nifti2Image
    header = kind.header_class(endianness=order)
    header.set_data_dtype(np.int16)
    data = np.arange(2 * 3 * 4 * 2, dtype=np.int16).reshape(2, 3, 4, 2)
    image = kind(data, np.diag([-1, -2, 3, 1.0]), header)
    image.set_qform(image.affine, 1)
    content: bytes = image.to_bytes()
    return content


@quiet
@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('version', [1, 2])
@pytest.mark.parametrize('packed', [False, True])
def test_mutated_header(
    tmp_path: Path, version: int, order: str, packed: bool
) -> None:
    rng = np.random.default_rng([version, order == '<', packed])
    content = nifti(version, order)
    path = tmp_path / 'x.nii'
    read = refused = 0
    for _ in range(300):
        changed = mutate(content, rng, 352 if version == 1 else 544)
        path.write_bytes(gzip.compress(changed, 1) if packed else changed)
        try:
            volume = read_volume(path, max_bytes=BUDGET)
        except AdacsError as error:
            assert '\n' not in str(error)
            refused += 1
        else:
            assert volume.data.nbytes <= BUDGET
            assert np.isfinite(volume.grid.affine).all()
            assert min(volume.grid.spacing) > 0
            read += 1
    assert read > 30 and refused > 30


def test_mutated_compressed_stream(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    content = gzip.compress(nifti(1, '<'))
    path = tmp_path / 'x.nii.gz'
    expected = read_volume(_written(path, content)).data
    refused = 0
    for _ in range(250):
        changed = mutate(content, rng, len(content))
        try:
            volume = read_volume(_written(path, changed), max_bytes=BUDGET)
        except AdacsError:
            refused += 1
        else:  # only what the checksum does not cover can have changed
            np.testing.assert_array_equal(volume.data, expected)
    assert refused > 100


def test_truncated_anywhere(tmp_path: Path) -> None:
    content = nifti(1, '<')
    for whole in (content, gzip.compress(content)):
        for keep in range(0, len(whole), 3):
            path = _written(tmp_path / 'x.nii', whole[:keep])
            with pytest.raises(AdacsError, match='truncated|not a NIfTI'):
                read_volume(path)


@quiet
def test_mutated_displacement(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    grid = Grid.from_spacing((4, 3, 2), (3, 2, 1))
    path = tmp_path / 'x.nii'
    save_displacement(path, rng.normal(size=(3, 4, 3, 2)), grid)
    content = path.read_bytes()
    for _ in range(250):
        _written(path, mutate(content, rng, len(content)))
        try:
            field, _ = read_displacement(path, max_bytes=BUDGET)
        except AdacsError:
            continue
        assert np.isfinite(field).all()


@pytest.mark.parametrize('name', ['x.npy', 'x.npz'])
def test_mutated_arrays(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(7)
    path = tmp_path / name
    data = rng.normal(size=(2, 3, 4)).astype(np.float32)
    if name == 'x.npy':
        np.save(path, data)
    else:
        np.savez_compressed(path, image=data)
    content = path.read_bytes()
    read = refused = 0
    for _ in range(400):
        _written(path, mutate(content, rng, len(content)))
        try:
            read_image(path)
        except AdacsError as error:
            assert '\n' not in str(error)
            refused += 1
        else:
            read += 1
    assert read > 2 and refused > 30


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
