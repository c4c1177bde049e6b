"""Walking through slices, deciding, and finding it all again."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from napari_adacs.app import session
from napari_adacs.app.review.desk import ReviewDesk
from napari_adacs.app.review.ready import make_ready, review_request
from napari_adacs.app.review.scroll import (
    current_slice,
    scroll_axis,
    show_slice,
)
from napari_adacs.app.review.verdicts import Verdict
from tests.app.pairs import SHAPE
from tests.app.review.runs import shown_run


def made_ready(viewer, run):
    quiet = threading.Event()
    return make_ready(review_request(viewer, run), lambda *_: None, quiet)


@pytest.fixture
def desk(viewer_model):
    run = shown_run(viewer_model, labels=True)
    desk = ReviewDesk(viewer_model, made_ready(viewer_model, run), pytest.fail)
    yield desk
    desk.close()


ORDERS = [(0, 1, 2), (1, 0, 2), (2, 1, 0)]
PLACES = [
    {},
    {'scale': (3, 2, 1), 'units': ('um',) * 3},
    {'translate': (-30, 4, 9)},
    {'rotate': (25, 10, 5)},
    {'scale': (1, 1, 1), 'units': ('pixel',) * 3},
]


@pytest.mark.filterwarnings('ignore:Non-orthogonal')
@pytest.mark.parametrize('order', ORDERS)
@pytest.mark.parametrize('place', PLACES)
def test_slices_and_sliders_agree(viewer_model, order, place):
    run = shown_run(viewer_model, **place)
    # a layer in another unit changes what the sliders count in
    if 'units' not in place:
        viewer_model.add_image(np.zeros(SHAPE), units=('um',) * 3)
    viewer_model.dims.order = order
    layer = ReviewDesk(
        viewer_model, made_ready(viewer_model, run), pytest.fail
    ).layer
    axis = scroll_axis(viewer_model, layer)
    assert axis == order[0]
    # napari's own sliders do not reach the ends of a rotated layer
    ends = (3, 11) if 'rotate' in place else (0, SHAPE[axis] - 1)
    for index in (*ends, 7):
        show_slice(viewer_model, layer, axis, index)
        assert current_slice(viewer_model, layer, axis) == index
        # the very data that napari shows
        shown = layer._slice.image.raw
        expected = layer.data.take(index, axis)
        displayed = [a for a in order if a != axis]
        if displayed[0] > displayed[1]:
            expected = expected.T
        np.testing.assert_array_equal(shown, expected)


def test_a_frame_of_a_sequence(viewer_model):
    run = shown_run(viewer_model)
    viewer_model.add_image(
        np.zeros((4, *SHAPE)), units=('s', 'mm', 'mm', 'mm')
    )
    layer = ReviewDesk(
        viewer_model, made_ready(viewer_model, run), pytest.fail
    ).layer
    assert viewer_model.dims.ndim == 4
    assert scroll_axis(viewer_model, layer) == 0
    viewer_model.dims.order = (0, 3, 1, 2)
    assert scroll_axis(viewer_model, layer) == 2
    show_slice(viewer_model, layer, 2, 5)
    assert current_slice(viewer_model, layer, 2) == 5


def test_a_2d_result_is_one_slice(viewer_model):
    run = shown_run(viewer_model, (20, 24))
    desk = ReviewDesk(viewer_model, made_ready(viewer_model, run), pytest.fail)
    assert desk.progress == '0 of 1 reviewed'
    desk.judge(Verdict.ACCEPT)
    assert desk.progress == '1 of 1 reviewed'
    desk.step(1)
    desk.go_to_worst()
    assert desk.place == (0, 0)
    desk.close()


def test_deciding_goes_on_to_the_next(desk):
    desk.go(3)
    desk.judge(Verdict.FLAG)
    assert desk.current == 4
    desk.go(2)
    desk.judge(Verdict.ACCEPT)
    assert desk.current == 4
    desk.advances = False
    desk.judge(Verdict.REJECT)
    assert desk.current == 4
    assert desk.progress == '3 of 16 reviewed'


def test_the_list_may_start_with_the_worst(desk):
    desk.worst_first = True
    order = desk.order()
    assert order == desk.figures.worst_first().tolist()
    desk.go(order[2])
    desk.step(1)
    assert desk.current == order[3]
    desk.step(-20)
    assert desk.current == order[0]
    desk.judge(Verdict.ACCEPT)
    assert desk.current == order[1]
    desk.go_to_worst()
    assert desk.current == order[2]


def test_undo_shows_where_it_was(desk):
    desk.go(3)
    desk.judge(Verdict.FLAG)
    desk.annotate('about slice 4')
    desk.go(10)
    desk.undo()
    assert desk.current == 4
    desk.undo()
    assert desk.current == 3
    assert desk.review.judgements == {}
    desk.redo()
    assert desk.review.at((0, 3)).verdict is Verdict.FLAG


def test_each_axis_has_verdicts_of_its_own(desk, viewer_model):
    desk.go(3)
    desk.judge(Verdict.FLAG)
    viewer_model.dims.order = (2, 0, 1)
    assert (desk.axis, desk.axis_name) == (2, '-1')
    assert desk.progress == '0 of 16 reviewed'
    assert desk.judge_rest(Verdict.ACCEPT) == 16
    viewer_model.dims.order = (0, 1, 2)
    assert desk.progress == '1 of 16 reviewed'


def test_labels_are_compared(desk):
    names = [c.name for c in desk.figures.components]
    assert names == ['score', 'residual', 'folding', 'dsc']
    assert set(desk.ready.labels) == {'fixed', 'warped', 'moving'}


def test_a_review_is_found_again(desk, viewer_model, reviews):
    desk.go(3)
    desk.judge(Verdict.FLAG)
    desk.set_landmarks({'moving': [[1.0, 2, 3]], 'fixed': []})
    assert desk.flush()
    (file,) = reviews.iterdir()
    again = made_ready(viewer_model, desk.run)
    assert again.path == file
    other = ReviewDesk(viewer_model, again, pytest.fail)
    assert other.review.judgements == desk.review.judgements
    assert other.landmarks['moving'] == [[1.0, 2.0, 3.0]]
    other.close()


def test_another_result_has_another_review(desk, viewer_model):
    desk.judge(Verdict.FLAG)
    desk.flush()
    voxels = desk.run.result.field.voxels + np.float32(0.1)
    field = replace(desk.run.result.field, voxels=voxels)
    run = replace(desk.run, result=replace(desk.run.result, field=field))
    assert made_ready(viewer_model, run).saved is None


def test_saving_takes_the_review_along(desk, tmp_path, viewer_model):
    desk.judge(Verdict.REJECT)
    desk.flush()
    folder = tmp_path / 'out'
    folder.mkdir()
    run = replace(desk.run, folder=folder)
    session.remember(run)
    desk.move_to(run)
    assert desk.flush()
    assert (folder / 'review.json').is_file()
    assert made_ready(viewer_model, run).path == folder / 'review.json'


def test_a_foreign_review_is_left_alone(viewer_model, tmp_path):
    run = replace(shown_run(viewer_model), folder=tmp_path)
    file = tmp_path / 'review.json'
    file.write_text('not ours')
    ready = made_ready(viewer_model, run)
    assert 'not a review' in ready.warning
    desk = ReviewDesk(viewer_model, ready, pytest.fail)
    desk.judge(Verdict.ACCEPT)
    desk.close()
    assert file.read_text() == 'not ours'
    again = made_ready(viewer_model, run)
    assert again.saved.judgements


def test_a_broken_file_of_our_own_is_kept(viewer_model, reviews):
    run = shown_run(viewer_model)
    ready = made_ready(viewer_model, run)
    ready.path.parent.mkdir()
    ready.path.write_text('{')
    for _ in range(2):
        again = made_ready(viewer_model, run)
        assert again.path != ready.path
        desk = ReviewDesk(viewer_model, again, pytest.fail)
        desk.judge(Verdict.ACCEPT)
        desk.close()
    assert len(made_ready(viewer_model, run).saved.judgements) == 2
    assert ready.path.read_text() == '{'


def test_a_desk_without_layers_does_nothing(desk, viewer_model):
    viewer_model.layers.clear()
    desk.go(3)
    desk.step(1)
    assert desk.layer is None
    assert desk.current == 0


@pytest.mark.filterwarnings('ignore:Non-orthogonal')
def test_slices_out_of_reach_need_no_verdict(viewer_model):
    """napari cannot show all slices of a rotated image."""
    run = shown_run(viewer_model, rotate=(25, 10, 5))
    desk = ReviewDesk(viewer_model, made_ready(viewer_model, run), pytest.fail)
    shown = list(desk.slices)
    assert 3 < len(shown) < 16
    desk.go(0)
    for index in shown:
        assert desk.current == index
        desk.judge(Verdict.ACCEPT)
    assert desk.progress == f'{len(shown)} of {len(shown)} reviewed'
    desk.worst_first = True
    assert sorted(desk.order()) == shown
    desk.go_to_worst()
    assert desk.current in shown
    desk.close()
