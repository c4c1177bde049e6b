"""Which open layers are a pair."""

from __future__ import annotations

from typing import Any

import dask.array
import numpy as np
from napari.components import ViewerModel

from napari_adacs.app.finetune.layer_pairs import (
    find_layer_pairs,
    image_choices,
    label_choices,
    most_moved_frame,
)
from tests.app.pairs import MM, add_cine, add_pair, texture


def _add_labels(viewer: ViewerModel, *names: str) -> None:
    for name in names:
        viewer.add_labels(np.ones((16, 16, 16), np.uint8), name=name)


def test_images_and_labels_are_found_by_their_names(
    viewer_model: ViewerModel,
) -> None:
    for patient in ('p1', 'p2'):
        for frame in ('ES', 'ED'):
            viewer_model.add_image(texture(), name=f'{patient}_4CH_{frame}')
    _add_labels(viewer_model, 'p1_4CH_ED_gt', 'p1_4CH_ES_gt', 'p2_4CH_ED')
    first, second = find_layer_pairs(viewer_model)
    assert (first.name, first.patient) == ('p1_4CH', 'p1')
    assert first.moving is not None and first.moving.name == 'p1_4CH_ED'
    assert first.fixed is not None and first.fixed.name == 'p1_4CH_ES'
    assert set(first.references) == {
        'moving',
        'fixed',
        'moving_labels',
        'fixed_labels',
    }
    # a Labels layer is a segmentation, whatever it is called
    assert second.moving_labels is not None
    assert second.fixed_labels is None
    assert second.used


def test_a_sequence_is_a_pair_of_its_frames(
    viewer_model: ViewerModel,
) -> None:
    add_cine(viewer_model, frames=5)
    cine = viewer_model.layers['cine']
    cine.data[3] += 0.5
    labels = np.ones(cine.data.shape, np.uint8)
    viewer_model.add_labels(
        labels, name='cine_labels', scale=cine.scale, units=cine.units
    )
    (pair,) = find_layer_pairs(viewer_model)
    assert pair.moving is not None and pair.fixed is not None
    assert (pair.moving.frame, pair.fixed.frame) == (0, 3)
    assert pair.fixed_labels is not None and pair.fixed_labels.frame == 3
    assert len(image_choices(viewer_model)) == 5
    assert len(label_choices(viewer_model)) == 5


def test_frames_that_are_not_in_memory_are_not_read(
    viewer_model: ViewerModel,
) -> None:
    read: list[int] = []

    def frame(block_info: Any = None) -> np.ndarray:
        read.append(block_info[None]['chunk-location'][0])
        return np.zeros((1, 8, 8, 8), np.float32)

    data = dask.array.map_blocks(
        frame, chunks=((1,) * 10, 8, 8, 8), dtype=np.float32
    )
    layer = viewer_model.add_image(data, contrast_limits=(0, 1))
    shown = list(read)
    assert most_moved_frame(layer) == 4
    assert read == shown


def test_two_images_of_any_name_are_a_pair(viewer_model: ViewerModel) -> None:
    for name in ('before', 'after'):
        viewer_model.add_image(texture(), name=name, units=MM)
    (pair,) = find_layer_pairs(viewer_model)
    assert pair.name == 'before → after'
    viewer_model.add_image(texture(), name='third', units=MM)
    assert find_layer_pairs(viewer_model) == []


def test_results_and_colours_are_no_images(viewer_model: ViewerModel) -> None:
    add_pair(viewer_model)
    viewer_model.add_image(np.zeros((8, 8, 3), np.uint8), rgb=True)
    viewer_model.add_image(
        texture(),
        name='a view ED',
        metadata={'napari_adacs': {'view': 'overlay'}},
    )
    assert len(find_layer_pairs(viewer_model)) == 1
    assert len(image_choices(viewer_model)) == 2


def test_pairs_of_one_name_are_numbered(viewer_model: ViewerModel) -> None:
    add_cine(viewer_model)
    add_cine(viewer_model)
    viewer_model.layers[1].name = 'cine'
    names = [pair.name for pair in find_layer_pairs(viewer_model)]
    assert len(set(names)) == 2
