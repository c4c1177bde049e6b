"""What is behind the chosen data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app.finetune.layer_pairs import (
    LayerPair,
    find_layer_pairs,
    reference,
)
from napari_adacs.app.finetune.survey import survey_files, survey_layers
from napari_adacs.errors import CancelledError, InputError
from napari_adacs.io.byte_source import open_source
from napari_adacs.io.images import read_image
from napari_adacs.io.nifti import save_volume
from napari_adacs.io.nifti_grid import grid_of
from napari_adacs.io.nifti_header import read_header
from napari_adacs.spatial.grid import Grid
from tests.app.pairs import add_pair, texture


def _write(folder: Path, patients: int, shape: tuple[int, ...]) -> None:
    grid = Grid.from_spacing(shape, 2.0)
    for i in range(patients):
        for frame in ('ED', 'ES'):
            name = f'p{i}_{frame}'
            save_volume(folder / f'{name}.nii.gz', texture(shape), grid)
            if i % 2:
                labels = np.ones(shape, np.uint8)
                save_volume(
                    folder / f'{name}_gt.nii.gz', labels, grid, labels=True
                )


def test_a_folder_is_counted_without_reading_images(tmp_path: Path) -> None:
    _write(tmp_path, 4, (8, 9, 10))
    # voxels that are missing are found by the training itself
    for path in tmp_path.glob('*.nii.gz'):
        path.write_bytes(path.read_bytes()[:-40])
    found = survey_files(str(tmp_path), 0.5, Event())
    assert (found.ndim, found.training, found.held_out) == (3, 2, 2)
    assert found.patients == 4
    assert found.sentence.startswith('4 pairs of 4 patients, 2 held out')


def test_the_shape_is_that_of_the_image_when_it_is_read(
    tmp_path: Path,
) -> None:
    """A file may have its axes in any order, as those of brains often do."""
    grid = Grid.from_spacing((8, 9, 10), 1.0).reordered((1, 2, 0), [1] * 3)
    for frame in ('ED', 'ES'):
        path = tmp_path / f'a_{frame}.nii.gz'
        save_volume(path, texture(grid.shape), grid)
    read = read_image(path)
    # what is stored is in another order
    with open_source(path) as source:
        assert grid_of(read_header(source))[0].shape != read.data.shape
    assert survey_files(str(tmp_path), 0.1, Event()).shape == read.data.shape


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    _write(tmp_path, 4, (8, 9, 10))
    (tmp_path / 'p0_ED.nii.gz').write_bytes(b'nothing')
    found = survey_files(str(tmp_path), 0.25, Event())
    assert 'At least 1 pair will be left out: p0_ED.nii.gz' in found.sentence


def test_a_sequence_without_frames_is_refused(tmp_path: Path) -> None:
    grid = Grid.from_spacing((8, 8, 8), 1.0)
    for frame in ('ED', 'ES'):
        path = tmp_path / f'a_{frame}.nii.gz'
        save_volume(path, np.ones((3, 8, 8, 8), np.float32), grid)
    with pytest.raises(InputError, match='is a sequence'):
        survey_files(str(tmp_path), 0.1, Event())


def test_nothing_chosen_and_a_cancelled_search(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='No data are chosen'):
        survey_files(' ', 0.1, Event())
    _write(tmp_path, 1, (8, 8))
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError):
        survey_files(str(tmp_path), 0.1, cancel)


def test_the_papers_files_are_counted(shared_data: Path) -> None:
    found = survey_files(str(shared_data / 'acdc-128'), 0.1, Event())
    assert found.ndim == 2
    assert found.labelled == found.held_out > 100


def test_layers_are_checked(viewer_model: ViewerModel) -> None:
    add_pair(viewer_model)
    (pair,) = find_layer_pairs(viewer_model)
    found = survey_layers(viewer_model, [pair], 0.1)
    assert (found.ndim, found.training, found.held_out) == (3, 1, 0)
    assert 'none held out' in found.sentence


@pytest.mark.parametrize(
    ('change', 'sentence'),
    [
        ({'used': False}, 'No pair of layers is ticked'),
        ({'fixed': None}, "The pair 'pair' has no fixed image"),
    ],
)
def test_what_a_pair_of_layers_lacks_is_said(
    viewer_model: ViewerModel, change: dict[str, object], sentence: str
) -> None:
    add_pair(viewer_model)
    (pair,) = find_layer_pairs(viewer_model)
    pair = replace(pair, name='pair', **change)
    with pytest.raises(InputError, match=sentence):
        survey_layers(viewer_model, [pair], 0.1)


def test_the_same_image_twice_is_no_pair(viewer_model: ViewerModel) -> None:
    add_pair(viewer_model)
    one = reference(viewer_model.layers['ED'])
    with pytest.raises(InputError, match='are the same image'):
        survey_layers(viewer_model, [LayerPair('a', one, one)], 0.1)


def test_a_layer_that_is_gone_is_said(viewer_model: ViewerModel) -> None:
    add_pair(viewer_model)
    (pair,) = find_layer_pairs(viewer_model)
    viewer_model.layers.remove('ES')
    with pytest.raises(InputError, match="The layer 'ES' of the pair"):
        survey_layers(viewer_model, [pair], 0.1)


def test_labels_elsewhere_are_refused(viewer_model: ViewerModel) -> None:
    add_pair(viewer_model)
    viewer_model.add_labels(
        np.ones((16, 16, 16), np.uint8), name='ED_gt', scale=(1, 1, 1)
    )
    (pair,) = find_layer_pairs(viewer_model)
    with pytest.raises(InputError, match='do not lie on the voxels'):
        survey_layers(viewer_model, [pair], 0.1)


def test_flat_and_solid_pairs_do_not_mix(viewer_model: ViewerModel) -> None:
    add_pair(viewer_model)
    for frame in ('ED', 'ES'):
        viewer_model.add_image(
            texture((16, 16)), name=f'flat_{frame}', units=('mm', 'mm')
        )
    pairs = find_layer_pairs(viewer_model)
    with pytest.raises(InputError, match='Some pairs are 2D'):
        survey_layers(viewer_model, pairs, 0.1)
