"""Files become layers where they are in space, whatever their orientation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Vectors

from napari_adacs.app.layers import grid_of, is_sequence
from napari_adacs.app.readers import get_reader, read_layers
from napari_adacs.errors import InputError
from napari_adacs.io.images import read_image
from napari_adacs.io.itk_field import save_displacement
from napari_adacs.io.nifti import save_volume
from napari_adacs.spatial.grid import Grid

MANIFEST = Path(__file__).parents[2] / 'src' / 'napari_adacs' / 'napari.yaml'


def turned(degrees: float) -> np.ndarray:
    a = np.deg2rad(degrees)
    rotation = np.eye(3)
    rotation[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    return rotation


def placed(shape: tuple[int, ...], steps: np.ndarray) -> Grid:
    """Make a grid (z, y, x) from the steps of the file's axes i, j, k."""
    affine = np.eye(len(shape) + 1)
    affine[:-1, :-1] = steps
    affine[:-1, -1] = np.array([-12.0, 30.5, 7.25])[: len(shape)]
    return Grid(shape[::-1], affine).transposed()


GRIDS = {
    'along the world': placed((4, 5, 6), np.diag([0.5, 0.7, 2.0])),
    'as most files': placed((4, 5, 6), np.diag([-0.5, -0.7, 2.0])),
    'oblique': placed((4, 5, 6), turned(25) @ np.diag([0.5, 0.7, 2.0])),
    'sagittal': placed(
        (4, 5, 6),
        np.array([[0, 0, 2.0], [0.5, 0, 0], [0, -0.7, 0]]),
    ),
    'plane': placed((5, 6), np.diag([0.3, 0.4])),
    'turned plane': placed((5, 6), turned(30)[:2, :2] @ np.diag([0.3, 0.4])),
}


def image(grid: Grid, frames: int = 0) -> np.ndarray:
    shape = (frames, *grid.shape) if frames else grid.shape
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


def read(path: Path) -> list[Layer]:
    reader = get_reader(str(path))
    assert reader is not None
    return [Layer.create(*data) for data in reader(str(path))]


@pytest.mark.parametrize('name', GRIDS)
@pytest.mark.parametrize('frames', [0, 3])
def test_napari_shows_every_voxel_where_it_is(
    tmp_path: Path, name: str, frames: int
) -> None:
    grid, path = GRIDS[name], tmp_path / 'image.nii.gz'
    data = image(grid, frames)
    save_volume(path, data, grid, frame_duration_s=0.04, axis_order='zyx')
    (layer,) = read(path)
    assert isinstance(layer, Image)
    assert layer.name == 'image'
    found = grid_of(layer, 0 if frames else None)
    assert found.units == 'mm'
    if name != 'sagittal':
        assert np.array_equal(layer.data, data)
        assert found.same_space(grid)
    for index in np.ndindex(grid.shape):
        place = grid.index_to_world(index)[0]
        world = (*(0.08,) * bool(frames), *place[::-1])
        where = np.asarray(layer.world_to_data(world))
        assert np.allclose(where, where.round(), atol=1e-3)
        value = data[(*(2,) * bool(frames), *index)]
        assert layer.data[tuple(where.round().astype(int))] == value


@pytest.mark.parametrize('name', GRIDS)
def test_napari_can_draw_along_any_axis(tmp_path: Path, name: str) -> None:
    """The part of the affine on the screen is not singular."""
    path = tmp_path / 'image.nii.gz'
    save_volume(path, image(GRIDS[name]), GRIDS[name], axis_order='zyx')
    (layer,) = read(path)
    steps = grid_of(layer).direction[::-1]
    for axis in range(layer.ndim):
        shown = [i for i in range(layer.ndim) if i != axis]
        assert abs(np.linalg.det(steps[np.ix_(shown, shown)])) > 0.3


def test_units_and_axes_are_named(tmp_path: Path) -> None:
    grid = GRIDS['oblique']
    save_volume(tmp_path / 'a.nii', image(grid), grid)
    save_volume(
        tmp_path / 'b.nii', image(grid, 3), grid, frame_duration_s=0.04
    )
    (volume,), (cine,) = read(tmp_path / 'a.nii'), read(tmp_path / 'b.nii')
    assert [str(unit) for unit in volume.units] == ['millimeter'] * 3
    assert volume.axis_labels == ('z', 'y', 'x')
    assert [str(u) for u in cine.units] == ['second'] + ['millimeter'] * 3
    assert cine.axis_labels == ('t', 'z', 'y', 'x')
    assert is_sequence(cine)
    assert not is_sequence(volume)
    viewer = ViewerModel()
    viewer.add_layer(volume)
    viewer.add_layer(cine)
    assert viewer.layers.units is not None


def test_sequences_of_unknown_speed_keep_the_millimetres(
    tmp_path: Path,
) -> None:
    grid = GRIDS['oblique']
    save_volume(tmp_path / 'a.nii', image(grid, 2), grid)
    save_volume(tmp_path / 'b.nii', image(grid, 3), grid, frame_duration_s=0.1)
    viewer = ViewerModel()
    for name in ('a.nii', 'b.nii'):
        viewer.add_layer(read(tmp_path / name)[0])
    assert viewer.layers.units is not None
    assert str(viewer.layers.units[-1]) == 'millimeter'


def test_segmentations_become_labels(tmp_path: Path) -> None:
    grid = GRIDS['oblique']
    labels = (image(grid) > 0).astype(np.uint8)
    save_volume(tmp_path / 'heart_gt.nii.gz', labels, grid, labels=True)
    (layer,) = read(tmp_path / 'heart_gt.nii.gz')
    assert isinstance(layer, Labels)
    assert layer.name == 'heart_gt'
    assert grid_of(layer).same_space(grid)


def test_several_files_become_several_layers(tmp_path: Path) -> None:
    paths = [str(tmp_path / f'{name}.nii') for name in 'abc']
    for path, name in zip(paths, GRIDS, strict=False):
        save_volume(path, image(GRIDS[name]), GRIDS[name])
    reader = get_reader(paths)
    assert reader is not None
    layers = [Layer.create(*data) for data in reader(paths)]
    assert [layer.name for layer in layers] == ['a', 'b', 'c']


@pytest.mark.parametrize('name', ['oblique', 'turned plane'])
def test_displacement_fields_become_arrows(tmp_path: Path, name: str) -> None:
    grid, path = GRIDS[name], tmp_path / 'displacement.nii.gz'
    voxels = np.zeros((grid.ndim, *grid.shape), np.float32)
    voxels[0] = 1.5
    save_displacement(path, voxels, grid)
    magnitude, arrows = read(path)
    assert isinstance(magnitude, Image)
    assert isinstance(arrows, Vectors)
    assert arrows.name == 'displacement'
    assert magnitude.name == '|displacement|'
    expected = 1.5 * grid.spacing[0]
    assert np.allclose(magnitude.data, expected, atol=1e-4)
    assert np.allclose(arrows.features['magnitude_mm'], expected, atol=1e-4)
    # an arrow spans in the world what the field says there
    start, step = arrows.data[0]
    moved = np.subtract(
        arrows.data_to_world(start + step), arrows.data_to_world(start)
    )
    assert np.linalg.norm(moved) == pytest.approx(expected, abs=1e-4)
    assert grid_of(magnitude).same_space(grid)


@pytest.mark.parametrize(
    'path', ['a.tif', 'a.nii.png', ['a.nii', 'b.tif'], []]
)
def test_other_files_are_left_to_others(path: Any) -> None:
    assert get_reader(path) is None


@pytest.mark.parametrize('path', ['A.NII', 'b.Nii.Gz', ['a.nii', 'b.nii.gz']])
def test_case_does_not_matter(path: Any) -> None:
    assert get_reader(path) is read_layers


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / 'cut.nii'
    save_volume(path, image(GRIDS['oblique']), GRIDS['oblique'])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r'cut\.nii: the file is truncated'):
        read(path)
    with pytest.raises(InputError, match='There is no file'):
        read_layers(str(tmp_path / 'none.nii'))


def test_the_viewer_opens_files_through_the_manifest(
    tmp_path: Path, npe2pm: Any
) -> None:
    grid, path = GRIDS['oblique'], tmp_path / 'image.nii.gz'
    save_volume(path, image(grid), grid)
    viewer = ViewerModel()
    with npe2pm.tmp_plugin(manifest=str(MANIFEST)):
        (layer,) = viewer.open(str(path), plugin='napari-adacs')
    assert grid_of(layer).same_space(grid)
    assert layer.source.reader_plugin == 'napari-adacs'


@pytest.mark.parametrize(
    'file',
    [
        'mitea-034',
        'acdc-nifti/moving.nii.gz',
        'cmr-oblique',
        'tee-4d',
        'camus-nifti',
    ],
)
def test_real_files_open(shared_data: Path, file: str) -> None:
    found = shared_data / file
    paths = [found] if found.is_file() else sorted(found.rglob('*.nii.gz'))
    assert paths
    for path in paths[:6]:
        (layer,) = read(path)
        volume = read_image(path)
        frame = 0 if volume.has_time else None
        assert grid_of(layer, frame).same_space(volume.grid), path
        assert 'millimeter' in str(layer.units[-1])
