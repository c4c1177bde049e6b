"""Keys are bound while wanted, and given back."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel

from napari_adacs.app.review.keys import KeySet


def _press(viewer: ViewerModel, key: str) -> None:
    function = viewer.bind_key(key, None)
    viewer.bind_key(key, function)
    function(viewer)


def _keys(pressed: list[str], *names: str) -> dict:
    return {
        name: (f'Does {name}.', lambda name=name: pressed.append(name))
        for name in names
    }


def test_keys_act_while_bound_and_are_gone_afterwards(
    viewer_model: ViewerModel,
) -> None:
    before = dict(viewer_model.keymap)
    pressed: list[str] = []
    keys = KeySet(viewer_model)
    keys.add('Views', _keys(pressed, 'Alt-1', 'Alt-2'))
    keys.bind()
    keys.bind()
    _press(viewer_model, 'Alt-2')
    assert pressed == ['Alt-2']
    keys.unbind()
    assert viewer_model.keymap == before
    assert not keys.bound


def test_a_key_that_was_taken_is_given_back(viewer_model: ViewerModel) -> None:
    def mine(viewer: object) -> None:
        """The user's own."""

    viewer_model.bind_key('Alt-1', mine)
    pressed: list[str] = []
    keys = KeySet(viewer_model)
    keys.add('Views', _keys(pressed, 'Alt-1'))
    keys.bind()
    _press(viewer_model, 'Alt-1')
    assert pressed == ['Alt-1']
    keys.unbind()
    assert viewer_model.bind_key('Alt-1', None) is mine


def test_a_key_that_is_bound_anew_meanwhile_is_left_alone(
    viewer_model: ViewerModel,
) -> None:
    def newer(viewer: object) -> None:
        """Bound by somebody while the dock was open."""

    keys = KeySet(viewer_model)
    keys.add('Views', _keys([], 'Alt-1'))
    keys.bind()
    viewer_model.bind_key('Alt-1', newer, overwrite=True)
    keys.unbind()
    assert viewer_model.bind_key('Alt-1', None) is newer


def test_parts_share_no_key_and_may_come_late(
    viewer_model: ViewerModel,
) -> None:
    pressed: list[str] = []
    keys = KeySet(viewer_model)
    keys.add('Views', _keys(pressed, 'Alt-1'))
    keys.bind()
    keys.add('Slices', _keys(pressed, 'N'))
    _press(viewer_model, 'N')
    assert pressed == ['N']
    with pytest.raises(ValueError, match='Alt-1'):
        keys.add('Other', _keys(pressed, 'Alt-1'))
    assert keys.listing() == {
        'Views': {'Alt-1': 'Does Alt-1.'},
        'Slices': {'N': 'Does N.'},
    }
