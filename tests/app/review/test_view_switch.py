"""Views come and go, and leave everything as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app.result_layers import is_view_layer
from napari_adacs.app.review.host import Host
from napari_adacs.app.review.layer_pool import LayerPool
from napari_adacs.app.review.view_switch import ViewSwitch
from napari_adacs.app.review.views.registry import VIEWS
from napari_adacs.app.session import Run
from tests.app.review.pairs import add_run, image_of_view, state


class Later:
    """Waits until it is told that napari has finished."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []

    def __call__(self, action: Any) -> None:
        self.waiting.append(action)

    def run(self) -> None:
        waiting, self.waiting = self.waiting, []
        for action in waiting:
            action()


@pytest.fixture
def run(viewer_model: ViewerModel) -> Run:
    """A registration with labels, and a person's own points over it."""
    made = add_run(viewer_model)
    viewer_model.add_points(np.ones((2, 3)), name='points')
    viewer_model.layers['ED'].visible = False
    viewer_model.layers['ES'].colormap = 'bone'
    viewer_model.layers['ES'].opacity = 0.7
    return made


@pytest.fixture
def said() -> list[str]:
    """What the views said."""
    return []


@pytest.fixture
def later() -> Later:
    """When layers may be removed."""
    return Later()


@pytest.fixture
def switch(
    viewer_model: ViewerModel, run: Run, said: list[str], later: Later
) -> ViewSwitch:
    """The views of the registration."""
    made = ViewSwitch(viewer_model, say=said.append, host=Host(later))
    made.set_run(run)
    return made


def _ours(viewer: ViewerModel) -> list[Any]:
    return [layer for layer in viewer.layers if is_view_layer(layer)]


def _callbacks(viewer: ViewerModel) -> int:
    emitters = [
        *viewer.dims.events.emitters.values(),
        *viewer.layers.events.emitters.values(),
    ]
    return sum(len(emitter.callbacks) for emitter in emitters)


@pytest.mark.parametrize('name', VIEWS)
def test_everything_is_as_it_was_when_a_view_is_left(
    viewer_model: ViewerModel, switch: ViewSwitch, name: str
) -> None:
    before, callbacks = state(viewer_model), _callbacks(viewer_model)
    selected = set(viewer_model.layers.selection)
    switch.show(name)
    assert switch.name == name
    assert _ours(viewer_model)
    shown = [x for x in viewer_model.layers if x.visible]
    assert {x.name for x in shown if not is_view_layer(x)} == {'points'}
    assert set(viewer_model.layers.selection) == selected
    for option in switch.view.options:
        switch.set_value(option.name, option.high)
    switch.tick()
    switch.toggle(name)
    assert switch.name is None
    assert state(viewer_model) == before
    assert _callbacks(viewer_model) == callbacks


def test_views_follow_each_other_without_leaving_layers(
    viewer_model: ViewerModel, switch: ViewSwitch
) -> None:
    before = state(viewer_model)
    for name in [*VIEWS, *reversed(VIEWS)]:
        switch.show(name)
        visible = [x for x in _ours(viewer_model) if x.visible]
        title = VIEWS[name].title
        assert all(x.name.startswith(title) for x in visible)
    assert len(_ours(viewer_model)) <= 8
    switch.close()
    assert state(viewer_model) == before


def test_images_take_over_each_others_layers_completely(
    viewer_model: ViewerModel, switch: ViewSwitch
) -> None:
    """A layer left by one view looks as if the next had made it."""

    def look() -> list[Any]:
        rows = state(viewer_model)
        return sorted(row for row in rows if row[1])

    fresh = {}
    for name in VIEWS:
        switch.show(name)
        fresh[name] = look()
        switch.show(None)
    for name in [*VIEWS, *reversed(VIEWS)]:
        switch.show(name)
        assert look() == fresh[name]


def test_options_are_remembered(switch: ViewSwitch) -> None:
    switch.show('checkerboard')
    switch.set_value('size', 7.5)
    switch.show('wipe')
    switch.show('checkerboard')
    assert switch.view.values['size'] == 7.5


def test_before_and_after(
    viewer_model: ViewerModel, run: Run, switch: ViewSwitch
) -> None:
    switch.show('difference')
    switch.compare_with('moving')
    fixed = viewer_model.layers['ES'].data.astype(np.float32)
    moving = viewer_model.layers['ED'].data.astype(np.float32)
    seen = np.asarray(image_of_view(viewer_model).data)
    np.testing.assert_allclose(seen, moving - fixed)


def test_blink_shows_one_after_the_other(
    viewer_model: ViewerModel, run: Run, switch: ViewSwitch
) -> None:
    switch.show('blink')
    seen = []
    for _ in range(4):
        seen.append(image_of_view(viewer_model).data)
        switch.tick()
    fixed = viewer_model.layers['ES'].data
    assert [data is fixed for data in seen] == [True, False, True, False]
    text = viewer_model.canvas.overlays.text
    assert (text.visible, text.text) == (True, 'fixed')
    switch.tick()
    assert text.text == 'warped'
    switch.show('overlay')
    assert (text.visible, text.text) == (False, '')


def test_what_a_person_wrote_on_the_canvas_stays(
    viewer_model: ViewerModel, switch: ViewSwitch
) -> None:
    text = viewer_model.canvas.overlays.text
    text.text, text.visible = 'case 12', True
    switch.show('blink')
    switch.tick()
    assert text.text == 'case 12'
    switch.show(None)
    assert (text.visible, text.text) == (True, 'case 12')
    text.visible = False
    switch.show('blink')
    assert (text.visible, text.text) == (True, 'fixed')
    switch.show(None)
    assert (text.visible, text.text) == (False, 'case 12')


def test_the_speed_of_blinking_is_safe(switch: ViewSwitch) -> None:
    switch.show('blink')
    assert switch.view.period_s == pytest.approx(1 / 1.5)
    assert switch.view.options[0].high <= 3


@pytest.mark.filterwarnings('ignore:Contours are not:UserWarning')
@pytest.mark.parametrize('name', VIEWS)
def test_3d_shows_something_and_comes_back(
    viewer_model: ViewerModel,
    switch: ViewSwitch,
    said: list[str],
    later: Later,
    name: str,
) -> None:
    before = state(viewer_model)
    switch.show(name)
    flat = [x.name for x in viewer_model.layers if x.visible]
    viewer_model.dims.ndisplay = 3
    later.run()
    assert switch.name == name
    told = VIEWS[name].only_flat
    assert told in said or not told
    for layer in _ours(viewer_model):
        if layer.visible and hasattr(layer, 'contrast_limits'):
            assert isinstance(layer.data, np.ndarray)  # nothing is composed
    viewer_model.dims.ndisplay = 2
    later.run()
    assert [x.name for x in viewer_model.layers if x.visible] == flat
    switch.close()
    assert state(viewer_model) == before


def test_a_wipe_in_3d_is_cut_at_the_same_place(
    viewer_model: ViewerModel, switch: ViewSwitch
) -> None:
    viewer_model.dims.ndisplay = 3
    switch.show('wipe')
    switch.set_value('position', 25)
    planes = [
        layer.experimental_clipping_planes[0] for layer in switch.view.layers
    ]
    for plane in planes:
        assert plane.enabled
        assert plane.position[2] == 0.25 * 12 - 0.5
    np.testing.assert_array_equal(planes[0].normal, (0, 0, -1))
    np.testing.assert_array_equal(planes[1].normal, (0, 0, 1))


def test_removing_a_layer_of_the_view_leaves_it(
    viewer_model: ViewerModel, switch: ViewSwitch, later: Later
) -> None:
    before = state(viewer_model)
    switch.show('wipe')
    viewer_model.layers.remove(switch.view.layers[1])
    later.run()
    assert switch.name is None
    assert state(viewer_model) == before


def test_removing_the_fixed_layer_leaves_the_view_and_says_so(
    viewer_model: ViewerModel,
    switch: ViewSwitch,
    later: Later,
    said: list[str],
) -> None:
    switch.show('checkerboard')
    viewer_model.layers.remove('ES')
    later.run()
    assert switch.name is None
    assert said[-1] == "Checkerboard was switched off: 'ES' was removed."
    assert _ours(viewer_model) == []
    assert viewer_model.layers['ED → ES [m] warped'].visible


def test_all_layers_may_be_removed_at_once(
    viewer_model: ViewerModel, switch: ViewSwitch, later: Later
) -> None:
    for name in ('contours', 'wipe'):
        switch.show(name)
    viewer_model.layers.clear()
    later.run()
    assert switch.name is None
    assert len(viewer_model.layers) == 0


def test_the_labels_of_the_pair_do_not_cover_it(
    viewer_model: ViewerModel, switch: ViewSwitch
) -> None:
    for name in ('ED labels', 'ES labels'):
        viewer_model.layers[name].visible = True
    mask = np.zeros((8, 10, 12), np.uint8)
    mine = viewer_model.add_labels(mask, name='mine')
    before = state(viewer_model)
    switch.show('wipe')
    assert mine.visible
    assert not viewer_model.layers['ED labels'].visible
    assert not viewer_model.layers['ES labels'].visible
    switch.show(None)
    assert state(viewer_model) == before


def test_what_a_person_shows_meanwhile_stays_shown(
    viewer_model: ViewerModel, switch: ViewSwitch
) -> None:
    switch.show('checkerboard')
    viewer_model.layers['ED'].visible = True
    viewer_model.layers['points'].visible = False
    switch.show(None)
    assert viewer_model.layers['ED'].visible
    assert not viewer_model.layers['points'].visible


def test_contours_need_labels(
    viewer_model: ViewerModel, said: list[str]
) -> None:
    run = add_run(viewer_model, labels=False)
    switch = ViewSwitch(viewer_model, say=said.append)
    switch.set_run(run)
    before = state(viewer_model)
    switch.show('contours')
    assert switch.name is None
    assert 'no labels' in said[-1]
    assert state(viewer_model) == before


def test_contours_are_those_of_both_labels(
    viewer_model: ViewerModel, switch: ViewSwitch
) -> None:
    switch.show('contours')
    outlines = switch.view.layers[2:]
    assert outlines[0].data is viewer_model.layers['ES labels'].data
    warped = viewer_model.layers['ED → ES [m] warped labels']
    assert outlines[1].data is warped.data
    switch.set_value('width', 2)
    assert [layer.contour for layer in outlines] == [2, 2]


def test_another_registration_is_shown_in_the_same_view(
    viewer_model: ViewerModel, run: Run, switch: ViewSwitch
) -> None:
    switch.show('difference')
    first = np.asarray(image_of_view(viewer_model).data)
    other = add_run(viewer_model)
    other.result.warped[:] = 0
    switch.set_run(other)
    assert switch.name == 'difference'
    second = np.asarray(image_of_view(viewer_model).data)
    assert not np.array_equal(first, second)
    switch.set_run(None)
    assert _ours(viewer_model) == []


def test_a_pool_does_not_grow(viewer_model: ViewerModel) -> None:
    pool = LayerPool(viewer_model, {})
    data = np.zeros((4, 5))
    first = pool.image('one', data, 'a', contrast_limits=(0, 1), opacity=0.5)
    pool.show([first])
    second = pool.image('one', data + 1, 'b', contrast_limits=(0, 2))
    assert second is first
    assert (second.name, second.opacity) == ('b', 1.0)
    assert second.contrast_limits == [0, 2]
    pool.remove()
    assert len(viewer_model.layers) == 0
