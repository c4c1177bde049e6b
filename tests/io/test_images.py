from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.io.images import READERS, find_reader, read_image
from napari_adacs.io.nifti import save_volume
from napari_adacs.io.volume import Volume
from napari_adacs.spatial.grid import Grid

DATA = np.random.default_rng(4).random((4, 5, 6)).astype(np.float32)


@pytest.mark.parametrize('name', ['a.nii', 'a.nii.gz', 'A.b.NII.GZ'])
def test_nifti(tmp_path: Path, name: str) -> None:
    grid = Grid.from_spacing(DATA.shape[::-1], (1, 2, 3)).transposed()
    save_volume(tmp_path / name, DATA, grid, axis_order='zyx')
    volume = read_image(str(tmp_path / name))
    np.testing.assert_array_equal(volume.data, DATA)
    assert volume.grid.same_space(grid)
    assert volume.name == ('a' if name[0] == 'a' else 'A.b')


def test_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / 'a.npy', DATA)
    np.savez(tmp_path / 'a.npz', DATA)
    for name in ('a.npy', 'a.npz'):
        np.testing.assert_array_equal(read_image(tmp_path / name).data, DATA)


@pytest.mark.parametrize('name', ['a.png', 'a', 'a.gz', 'nii', '.hidden'])
def test_other_kinds_are_told_what_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b'x')
    assert find_reader(name) is None
    with pytest.raises(InputError, match='.nii, .nii.gz, .npy, .npz') as error:
        read_image(tmp_path / name)
    assert name in error.value.message


def test_a_new_format_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_raw(path: Path) -> Volume:
        return Volume(DATA, Grid.from_spacing(DATA.shape), path)

    monkeypatch.setitem(READERS, '.raw', read_raw)
    assert read_image(tmp_path / 'x.raw').data is DATA


def test_volume_checks_its_shape() -> None:
    with pytest.raises(InputError, match='do not lie on a grid'):
        Volume(DATA, Grid.from_spacing((6, 5, 4)), Path('x.nii'))
    cine = Volume(DATA, Grid.from_spacing((5, 6)), Path('x.nii.gz'))
    assert cine.has_time and cine.n_frames == 4
