"""Hidden layers come back as they were."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_adacs.app.review.curtain import Curtain


@pytest.fixture
def layers(viewer_model: ViewerModel) -> list[Image]:
    """Three images, the last one invisible."""
    data = np.zeros((4, 4))
    return [
        viewer_model.add_image(data, name=name, visible=name != 'c')
        for name in 'abc'
    ]


def _visible(layers: list[Image]) -> str:
    return ''.join(layer.name for layer in layers if layer.visible)


def test_what_was_visible_comes_back_and_nothing_else(
    layers: list[Image],
) -> None:
    curtain = Curtain()
    curtain.hide('view', layers)
    assert _visible(layers) == ''
    curtain.hide('view', layers)
    curtain.lift('view')
    assert _visible(layers) == 'ab'
    curtain.lift('view')
    assert _visible(layers) == 'ab'


def test_a_layer_waits_for_all_who_hide_it(layers: list[Image]) -> None:
    curtain = Curtain()
    curtain.hide('view', layers)
    curtain.hide('map', layers[:1])
    curtain.lift('view')
    assert _visible(layers) == 'b'
    curtain.lift('map')
    assert _visible(layers) == 'ab'


def test_hiding_others_gives_the_first_back(layers: list[Image]) -> None:
    curtain = Curtain()
    curtain.hide('view', layers[:1])
    curtain.hide('view', layers[1:])
    assert _visible(layers) == 'a'
    curtain.lift('view')
    assert _visible(layers) == 'ab'


def test_what_a_person_does_meanwhile_stays(layers: list[Image]) -> None:
    curtain = Curtain()
    curtain.hide('view', layers)
    layers[0].visible = True
    layers[0].visible = False
    layers[2].visible = True
    curtain.lift('view')
    assert _visible(layers) == 'bc'


def test_a_layer_that_left_comes_back_visible(
    viewer_model: ViewerModel, layers: list[Image]
) -> None:
    curtain = Curtain()
    curtain.hide('view', layers)
    viewer_model.layers.remove('a')
    curtain.lift('view')
    assert layers[0].visible


def test_nothing_stays_connected(layers: list[Image]) -> None:
    before = [len(layer.events.visible.callbacks) for layer in layers]
    curtain = Curtain()
    curtain.hide('view', layers)
    curtain.lift('view')
    after = [len(layer.events.visible.callbacks) for layer in layers]
    assert after == before
