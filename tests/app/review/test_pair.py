"""What is compared, and with which labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app.layers import grid_of
from napari_adacs.app.review.pair import pair_of
from napari_adacs.app.review.pair_labels import find_labels
from napari_adacs.app.review.ready import review_request
from napari_adacs.app.session import LayerRef
from napari_adacs.errors import InputError
from napari_adacs.spatial.field import DisplacementField
from tests.app.review.pairs import MM, SCALE, SHAPE, add_run

EVERYTHING = (slice(None),) * 3


def test_nothing_is_copied(viewer_model: ViewerModel) -> None:
    run = add_run(viewer_model)
    for other, data in (
        ('warped', run.result.warped),
        ('moving', viewer_model.layers['ED'].data),
    ):
        pair = pair_of(viewer_model, run, other)
        assert pair.fixed.data is viewer_model.layers['ES'].data
        assert pair.other.data is data
        assert pair.other.name == other
    assert pair.fixed.labels is viewer_model.layers['ES labels'].data
    assert pair.other.labels is viewer_model.layers['ED labels'].data


def test_the_other_image_is_seen_through_the_limits_of_the_fixed_one(
    viewer_model: ViewerModel,
) -> None:
    run = add_run(viewer_model)
    pair = pair_of(viewer_model, run)
    assert (pair.fixed.limits, pair.other.limits) == ((0, 200), (0, 255))
    expected = run.result.warped * np.float32(200 / 255)
    np.testing.assert_allclose(pair.read_other(EVERYTHING), expected)
    moving = pair_of(viewer_model, run, 'moving')
    np.testing.assert_array_equal(
        moving.read_other(EVERYTHING), viewer_model.layers['ED'].data
    )


def test_a_moving_image_on_another_grid_is_read_on_the_fixed_one(
    viewer_model: ViewerModel,
) -> None:
    run = add_run(viewer_model)
    other = viewer_model.add_image(
        np.random.default_rng(0).random((16, 16, 16)).astype(np.float32),
        name='other',
        scale=(1.5, 1.6, 0.8),
        translate=(0.5, 1, -0.5),
        units=MM,
    )
    field = DisplacementField(
        np.zeros((3, *SHAPE), np.float32),
        run.result.field.grid,
        grid_of(other),
    )
    run = replace(
        run,
        moving=LayerRef(str(other.unique_id), 'other'),
        labels=None,
        result=replace(run.result, field=field),
    )
    pair = pair_of(viewer_model, run, 'moving')
    # with no displacement, the warped image is the moving one on this grid
    expected = field.warp_image(other.data)
    for key in (EVERYTHING, (3, slice(None), slice(None))):
        np.testing.assert_allclose(
            pair.other.data[key], expected[key], atol=1e-5
        )


def test_frames_of_a_sequence_are_compared(viewer_model: ViewerModel) -> None:
    run = add_run(viewer_model)
    cine = viewer_model.add_image(
        np.random.default_rng(0).random((3, *SHAPE)),
        name='cine',
        scale=(1, *SCALE),
        units=('s', *MM),
    )
    masks = viewer_model.add_labels(
        (cine.data > 0.5).astype(np.uint8),
        name='cine labels',
        scale=(1, *SCALE),
        units=('s', *MM),
    )
    refs = (LayerRef(str(cine.unique_id), 'cine', i) for i in (2, 0))
    moving, fixed = refs
    labels = LayerRef(str(masks.unique_id), 'cine labels', 2)
    run = replace(run, moving=moving, fixed=fixed, labels=labels)
    pair = pair_of(viewer_model, run, 'moving')
    np.testing.assert_array_equal(pair.fixed.data, cine.data[0])
    np.testing.assert_array_equal(pair.other.data, cine.data[2])
    np.testing.assert_array_equal(pair.fixed.labels, masks.data[0])
    np.testing.assert_array_equal(pair.other.labels, masks.data[2])
    assert np.shares_memory(pair.fixed.data, cine.data)


@pytest.mark.parametrize('gone', ['ES', 'ED'])
def test_a_layer_that_is_gone_is_named(
    viewer_model: ViewerModel, gone: str
) -> None:
    run = add_run(viewer_model)
    viewer_model.layers.remove(gone)
    with pytest.raises(InputError, match=f"'{gone}' is no longer"):
        pair_of(viewer_model, run, 'moving')


def test_an_image_that_was_cropped_is_refused(
    viewer_model: ViewerModel,
) -> None:
    run = add_run(viewer_model)
    viewer_model.layers['ES'].data = viewer_model.layers['ES'].data[:5]
    with pytest.raises(InputError, match='shape'):
        pair_of(viewer_model, run)


def test_labels_of_the_fixed_image_are_guessed(
    viewer_model: ViewerModel,
) -> None:
    run = add_run(viewer_model)
    mask = np.zeros(SHAPE, np.uint8)

    def add(name: str, **placement: Any) -> None:
        placed = {'scale': SCALE, 'units': MM, **placement}
        viewer_model.add_labels(mask, name=name, **placed)

    add('ES labels, somewhere else', translate=(9, 9, 9))
    add('notes')
    found = find_labels(viewer_model, run, None)
    assert found == (viewer_model.layers['ES labels'], None)
    asked = review_request(viewer_model, run)
    assert asked.label_refs['fixed_labels'].name == 'ES labels'
    viewer_model.layers.remove('ES labels')
    viewer_model.layers.remove('notes')
    assert find_labels(viewer_model, run, None) is None
    assert review_request(viewer_model, run).fixed_labels is None
    assert pair_of(viewer_model, run).fixed.labels is None


def test_labels_go_to_the_image_whose_name_is_like_theirs(
    viewer_model: ViewerModel,
) -> None:
    """Views and figures of the slices take the same labels."""
    run = replace(add_run(viewer_model), labels=None)
    viewer_model.layers['ES'].name = 'heart_ES_0042'
    viewer_model.layers['ED'].name = 'heart_ED_0042'
    moving, fixed = run.moving, run.fixed
    run = replace(
        run,
        moving=replace(moving, name='heart_ED_0042'),
        fixed=replace(fixed, name='heart_ES_0042'),
    )
    viewer_model.layers['ES labels'].name = 'labels_heart_ES_0042'
    # it begins as the fixed image does, and is the moving one's
    viewer_model.layers['ED labels'].name = 'heart_ED_0042_labels'
    found = find_labels(viewer_model, run, None)
    assert found is not None
    assert found[0].name == 'labels_heart_ES_0042'
    names = review_request(viewer_model, run).label_refs
    assert names['fixed_labels'].name == 'labels_heart_ES_0042'
    assert names['moving_labels'].name == 'heart_ED_0042_labels'


def test_chosen_labels_are_taken(viewer_model: ViewerModel) -> None:
    run = add_run(viewer_model)
    mask = np.ones(SHAPE, np.uint8)
    chosen = viewer_model.add_labels(mask, name='mine', scale=SCALE, units=MM)
    ref = LayerRef(str(chosen.unique_id), 'mine')
    assert pair_of(viewer_model, run, fixed_labels=ref).fixed.labels is mask
