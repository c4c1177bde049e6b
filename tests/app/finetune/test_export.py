"""Layers become files that lie where the layers lie."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from scipy.spatial.transform import Rotation

from napari_adacs.app.finetune.export import FOLDER, collect, export
from napari_adacs.app.finetune.layer_pairs import find_layer_pairs
from napari_adacs.app.layers import grid_of
from napari_adacs.errors import CancelledError
from napari_adacs.io.images import read_image
from napari_adacs.io.pair_manifest import read_manifest
from tests.app.pairs import MM, add_cine, texture

SHAPE = (9, 12, 15)
OBLIQUE: dict[str, Any] = {
    'scale': (3.0, 1.5, 0.8),
    'translate': (-20.0, 5.0, 7.0),
    'rotate': Rotation.from_euler('zyx', (20, -10, 5), True).as_matrix(),
    'units': MM,
}
FLAT: dict[str, Any] = {'scale': (0.7, 0.3), 'units': ('mm', 'mm')}
MICRO: dict[str, Any] = {'scale': (300, 200, 100), 'units': ('um',) * 3}


def _nothing(fraction: float, message: str) -> None:
    pass


def _export(viewer: ViewerModel, folder: Path):
    pairs = collect(viewer, find_layer_pairs(viewer))
    return read_manifest(export(pairs, folder, _nothing, Event()))


def _add(viewer: ViewerModel, shape: tuple[int, ...], **placed: Any) -> None:
    for seed, frame in enumerate(('ED', 'ES')):
        viewer.add_image(texture(shape, seed), name=f'a_{frame}', **placed)
        labels = (texture(shape, seed) > 0.5).astype(np.uint8)
        viewer.add_labels(labels, name=f'a_{frame}_gt', **placed)


@pytest.mark.parametrize(
    ('shape', 'placed'),
    [
        (SHAPE, OBLIQUE),
        (SHAPE, {'scale': (10, 1, 1), 'units': MM}),
        (SHAPE, MICRO),
        (SHAPE[1:], FLAT),
        (SHAPE, {}),
    ],
    ids=['oblique', 'anisotropic', 'micrometres', 'flat', 'no units'],
)
def test_voxels_and_places_are_those_of_the_layers(
    viewer_model: ViewerModel,
    tmp_path: Path,
    shape: tuple[int, ...],
    placed: dict[str, Any],
) -> None:
    _add(viewer_model, shape, **placed)
    (pair,) = _export(viewer_model, tmp_path)
    for role, name in (
        ('moving', 'a_ED'),
        ('fixed', 'a_ES'),
        ('moving_labels', 'a_ED_gt'),
        ('fixed_labels', 'a_ES_gt'),
    ):
        layer = viewer_model.layers[name]
        volume = read_image(getattr(pair, role))
        assert np.array_equal(volume.data, layer.data)
        there, here = volume.grid, grid_of(layer)
        assert there.units == here.units
        np.testing.assert_allclose(there.affine, here.affine, atol=1e-4)
        assert volume.is_labels == role.endswith('labels')


def test_other_programs_see_the_same_place(
    viewer_model: ViewerModel, tmp_path: Path
) -> None:
    _add(viewer_model, SHAPE, **OBLIQUE)
    (pair,) = _export(viewer_model, tmp_path)
    layer = viewer_model.layers['a_ED']
    image = nib.load(pair.moving)
    corner = np.array([2, 5, 11])
    # NIfTI: (i, j, k), x to the right and y to the front; napari: (z, y, x)
    world = nib.affines.apply_affine(image.affine, corner[::-1])
    x, y, z = world * (-1, -1, 1)
    np.testing.assert_allclose(
        (z, y, x), layer.data_to_world(corner), atol=1e-3
    )
    assert image.get_fdata()[11, 5, 2] == pytest.approx(layer.data[2, 5, 11])


def test_frames_of_a_sequence_become_images(
    viewer_model: ViewerModel, tmp_path: Path
) -> None:
    add_cine(viewer_model)
    (pair,) = _export(viewer_model, tmp_path)
    cine = viewer_model.layers['cine'].data
    assert np.array_equal(read_image(pair.moving).data, cine[0])
    fixed = read_image(pair.fixed).data
    assert any(np.array_equal(fixed, frame) for frame in cine[1:])


def test_cancelling_writes_no_table(
    viewer_model: ViewerModel, tmp_path: Path
) -> None:
    _add(viewer_model, SHAPE)
    pairs = collect(viewer_model, find_layer_pairs(viewer_model))
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError):
        export(pairs, tmp_path, _nothing, cancel)
    assert list(tmp_path.iterdir()) == [tmp_path / FOLDER]


def test_names_of_layers_need_not_be_names_of_files(
    viewer_model: ViewerModel, tmp_path: Path
) -> None:
    for frame in ('ED', 'ES'):
        name = f'../a/b: {frame} "ö"'
        viewer_model.add_image(texture((8, 8)), name=name)
    (pair,) = _export(viewer_model, tmp_path)
    assert pair.moving.parent == tmp_path / FOLDER
    assert pair.moving.is_file()
