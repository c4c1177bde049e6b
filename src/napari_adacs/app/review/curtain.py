"""Hiding layers for a while, and giving them back as they were."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.utils.events import Event


class Curtain:
    """Hides layers on behalf of several owners.

    A layer comes back when the last owner lets go of it. What a person
    shows or hides in the meantime is theirs and stays so.
    """

    def __init__(self) -> None:
        self._hidden: dict[str, tuple[Layer, set[str]]] = {}
        self._ours = False

    def hide(self, owner: str, layers: Iterable[Layer]) -> None:
        """Hide those of some layers that are visible, and no others.

        What else the owner has hidden before comes back.
        """
        wanted = {str(layer.unique_id): layer for layer in layers}
        self._lift(owner, [key for key in self._hidden if key not in wanted])
        for key, layer in wanted.items():
            if key in self._hidden:
                self._hidden[key][1].add(owner)
            elif layer.visible:
                self._hidden[key] = layer, {owner}
                self._set(layer, visible=False)
                layer.events.visible.connect(self._on_visible)

    def lift(self, owner: str) -> None:
        """Give an owner's layers back, but for those others hide too.

        Also those that have left the viewer: they may return.
        """
        self._lift(owner, list(self._hidden))

    def _lift(self, owner: str, keys: Iterable[str]) -> None:
        for key in keys:
            layer, owners = self._hidden[key]
            if owner in owners:
                owners.discard(owner)
                if not owners:
                    del self._hidden[key]
                    layer.events.visible.disconnect(self._on_visible)
                    self._set(layer, visible=True)

    def _set(self, layer: Layer, *, visible: bool) -> None:
        self._ours = True
        try:
            layer.visible = visible
        finally:
            self._ours = False

    def _on_visible(self, event: Event) -> None:
        if not self._ours:
            layer = event.source
            self._hidden.pop(str(layer.unique_id), None)
            layer.events.visible.disconnect(self._on_visible)
