"""Layers become files that read back as the same layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image, Labels, Layer, Vectors

from napari_adacs.app.layers import grid_of, layer_kwargs
from napari_adacs.app.readers import read_layers
from napari_adacs.app.writers import (
    write_displacement,
    write_image,
    write_labels,
)
from napari_adacs.errors import InputError
from napari_adacs.io.itk_field import read_displacement, save_displacement
from napari_adacs.io.nifti import read_volume, save_volume
from napari_adacs.spatial.grid import Grid

MANIFEST = Path(__file__).parents[2] / 'src' / 'napari_adacs' / 'napari.yaml'
MM = {'units': ('mm',) * 3}


def write(path: Path, layer: Layer) -> list[str]:
    data, meta, kind = layer.as_layer_data_tuple()
    writer = write_labels if kind == 'labels' else write_image
    return writer(str(path), data, meta)


def image(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).normal(size=shape).astype(np.float32)


PLACES: dict[str, dict[str, Any]] = {
    'scale': {'scale': (2, 0.5, 0.7), 'translate': (3, -4, 5)},
    'rotate': {'scale': (2, 0.5, 0.7), 'rotate': (10.0, 20.0, -30.0)},
    'affine': {
        'affine': np.array(
            [[0, 0, 2, 3], [0.5, 0, 0, 1], [0, -0.7, 0, 2], [0, 0, 0, 1]]
        )
    },
}


@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize('suffix', ['.nii', '.nii.gz'])
def test_an_image_comes_back_where_it_was(
    tmp_path: Path, place: str, suffix: str
) -> None:
    layer = Image(image(4, 5, 6), **PLACES[place], **MM)
    path = tmp_path / f'image{suffix}'
    assert write(path, layer) == [str(path)]
    ((data, meta, kind),) = read_layers(str(path))
    again = Layer.create(data, meta, kind)
    assert kind == 'image'
    if place != 'affine':  # its axes come back in another order
        assert np.array_equal(again.data, layer.data)
    for index in np.ndindex(layer.data.shape):
        found = again.world_to_data(layer.data_to_world(index))
        assert np.allclose(found, np.round(found), atol=1e-3)
        found = tuple(np.round(found).astype(int))
        assert again.data[found] == layer.data[index]


def test_labels_stay_labels(tmp_path: Path) -> None:
    labels = Labels((image(4, 5, 6) > 0).astype(np.uint16) * 300, **MM)
    write(tmp_path / 'a.nii.gz', labels)
    ((data, _, kind),) = read_layers(str(tmp_path / 'a.nii.gz'))
    assert kind == 'labels'
    assert np.array_equal(data, labels.data)


def test_micrometres_become_millimetres(tmp_path: Path) -> None:
    layer = Image(image(4, 5, 6), scale=(200, 50, 70), units=('um',) * 3)
    write(tmp_path / 'a.nii', layer)
    found = read_volume(tmp_path / 'a.nii').grid
    assert found.units == 'mm'
    assert np.allclose(found.spacing, (0.2, 0.05, 0.07))


def test_pixels_stay_voxels(tmp_path: Path) -> None:
    write(tmp_path / 'a.nii', Image(image(4, 5, 6)))
    assert read_volume(tmp_path / 'a.nii').grid.units == 'voxel'


def test_a_cine_keeps_its_time(tmp_path: Path) -> None:
    layer = Image(
        image(3, 4, 5, 6),
        scale=(40, 1, 1, 1),
        units=('ms', 'mm', 'mm', 'mm'),
        axis_labels=('t', 'z', 'y', 'x'),
    )
    write(tmp_path / 'a.nii.gz', layer)
    volume = read_volume(tmp_path / 'a.nii.gz')
    assert volume.n_frames == 3
    assert volume.frame_duration_s == pytest.approx(0.04)


def test_an_unknown_time_is_not_made_up(tmp_path: Path) -> None:
    grid = Grid.from_spacing((4, 5, 6), (1, 1, 2))
    save_volume(tmp_path / 'a.nii', image(3, 4, 5, 6), grid)
    assert read_volume(tmp_path / 'a.nii').frame_duration_s is None
    (layer,) = (Layer.create(*x) for x in read_layers(str(tmp_path / 'a.nii')))
    write(tmp_path / 'b.nii', layer)
    assert read_volume(tmp_path / 'b.nii').frame_duration_s is None
    # but a person who sets it is believed
    layer.scale = (0.05, *layer.scale[1:])
    write(tmp_path / 'c.nii', layer)
    found = read_volume(tmp_path / 'c.nii').frame_duration_s
    assert found == pytest.approx(0.05)


def test_two_dimensional_images(tmp_path: Path) -> None:
    grid = Grid.from_spacing((5, 6), (0.3, 0.4)).transposed()
    layer = Image(image(6, 5), **layer_kwargs(grid))
    write(tmp_path / 'a.nii', layer)
    assert read_volume(tmp_path / 'a.nii').grid.same_space(grid)
    assert grid_of(layer).same_space(grid)


def test_lazy_and_multiscale_data(tmp_path: Path) -> None:
    values = image(4, 6, 8)
    lazy = Image(da.from_array(values, chunks=2), **MM)
    pyramid = Image([values, values[:, ::2, ::2]], multiscale=True, **MM)
    for name, layer in (('a', lazy), ('b', pyramid)):
        write(tmp_path / f'{name}.nii', layer)
        found = read_volume(tmp_path / f'{name}.nii')
        assert np.array_equal(found.data, values)


def test_colour_is_refused(tmp_path: Path) -> None:
    layer = Image(np.zeros((5, 6, 3), np.uint8), rgb=True)
    with pytest.raises(InputError, match='Colour'):
        write(tmp_path / 'a.nii', layer)
    assert list(tmp_path.iterdir()) == []


def test_too_many_axes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='axes'):
        write(tmp_path / 'a.nii', Image(image(2, 2, 3, 4, 5)))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='there is no folder'):
        write(tmp_path / 'no' / 'a.nii', Image(image(4, 5, 6)))


def test_the_layer_is_not_changed(tmp_path: Path) -> None:
    layer = Image(image(4, 5, 6), **PLACES['rotate'], **MM)
    before = layer.data.copy(), layer.as_layer_data_tuple()[1]
    write(tmp_path / 'a.nii', layer)
    assert np.array_equal(layer.data, before[0])
    assert np.allclose(layer.rotate, before[1]['rotate'])


@pytest.mark.parametrize('suffix', ['.nii', '.nii.gz'])
def test_the_save_dialog_finds_us(
    tmp_path: Path, npe2pm: Any, suffix: str
) -> None:
    from napari.components import ViewerModel

    viewer = ViewerModel()
    layer = viewer.add_image(image(4, 5, 6), **PLACES['scale'], **MM)
    path = tmp_path / f'saved{suffix}'
    with npe2pm.tmp_plugin(manifest=str(MANIFEST)):
        written = layer.save(str(path), plugin='napari-adacs')
    assert [Path(p) for p in written] == [path]
    assert read_volume(path).grid.same_space(grid_of(layer))


# ---- displacement ---------------------------------------------------------


def displacement(grid: Grid) -> np.ndarray:
    return image(grid.ndim, *grid.shape)


def test_a_displacement_of_a_file_is_written_whole(tmp_path: Path) -> None:
    grid = Grid.from_spacing((6, 5, 4), (1, 2, 3)).transposed()
    voxels, first = displacement(grid), tmp_path / 'first.nii.gz'
    save_displacement(first, voxels, grid)
    arrows = Layer.create(*read_layers(str(first))[1])
    arrows.name = 'renamed'
    data, meta, _ = arrows.as_layer_data_tuple()
    second = tmp_path / 'second.nii.gz'
    assert write_displacement(str(second), data, meta) == [str(second)]
    found, where = read_displacement(second)
    assert np.allclose(found, voxels, atol=1e-5)
    assert where.same_space(grid)


def test_a_displacement_of_the_session_is_written_whole(
    tmp_path: Path,
) -> None:
    from napari.components import ViewerModel

    from napari_adacs.app import session
    from napari_adacs.app.layer_specs import Role, layer_specs
    from napari_adacs.app.result_layers import ResultGroup
    from tests.app.results import made_up_result

    grid = Grid.from_spacing((6, 5, 4), (1, 2, 3)).transposed()
    result = made_up_result(grid)
    viewer = ViewerModel()
    group = ResultGroup(viewer, 'a>b', 'a → b', layer_kwargs(grid))
    list(group.show(layer_specs(result)[0]))
    ref = session.LayerRef('1', 'a')
    session.remember(session.Run('a>b', 'a → b', ref, ref, result))
    layer = group.layers()[Role.DISPLACEMENT]
    data, meta, _ = layer.as_layer_data_tuple()
    path = tmp_path / 'field.nii'
    try:
        write_displacement(str(path), data, meta)
    finally:
        session.forget('a>b')
    found, where = read_displacement(path)
    assert np.allclose(found, result.field.voxels, atol=1e-5)
    assert where.same_space(grid)


def test_other_arrows_are_refused(tmp_path: Path) -> None:
    data, meta, _ = Vectors(image(3, 2, 3)).as_layer_data_tuple()
    with pytest.raises(InputError, match='not a displacement field'):
        write_displacement(str(tmp_path / 'a.nii'), data, meta)
    assert list(tmp_path.iterdir()) == []
