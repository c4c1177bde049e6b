"""Keys that are bound while a dock is open, and only then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.components import ViewerModel

Action = Callable[[], None]
# What a part of a dock offers: key → (what it does, how).
Keys = Mapping[str, tuple[str, Action]]


class KeySet:
    """The keys of a dock in a viewer.

    A key that was bound to something else before is given back when the
    dock lets go of it.

    Parameters
    ----------
    viewer : ViewerModel
        Whose keys to bind.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._sections: dict[str, Keys] = {}
        self._ours: dict[str, Callable[[Any], None]] = {}
        self._before: dict[str, Any] = {}

    @property
    def bound(self) -> bool:
        """Whether the keys are bound."""
        return bool(self._ours)

    def add(self, section: str, keys: Keys) -> None:
        """Add the keys of a part, under a heading of the help.

        Raises
        ------
        ValueError
            If a key is taken by another part.
        """
        taken = {k for part in self._sections.values() for k in part}
        twice = sorted(taken & set(keys))
        if twice:
            raise ValueError(f'keys of two parts: {", ".join(twice)}')
        self._sections[section] = dict(keys)
        if self.bound:
            self._bind(keys)

    def listing(self) -> dict[str, dict[str, str]]:
        """Return what each key does, by section."""
        return {
            section: {key: text for key, (text, _) in keys.items()}
            for section, keys in self._sections.items()
        }

    def bind(self) -> None:
        """Bind all keys; does nothing if they are bound."""
        if not self.bound:
            for keys in self._sections.values():
                self._bind(keys)

    def unbind(self) -> None:
        """Give all keys back; does nothing if they are not bound."""
        for key, ours in self._ours.items():
            now = self._viewer.bind_key(key, None)
            # Somebody may have bound the key anew in the meantime.
            rightful = self._before.get(key) if now == ours else now
            if rightful is not None:
                self._viewer.bind_key(key, rightful, overwrite=True)
        self._ours.clear()
        self._before.clear()

    def _bind(self, keys: Keys) -> None:
        for key, (_, action) in keys.items():
            before = self._viewer.bind_key(key, None)
            if before is not None:
                self._before[key] = before
            self._ours[key] = _ignoring_viewer(action)
            self._viewer.bind_key(key, self._ours[key], overwrite=True)


def _ignoring_viewer(action: Action) -> Callable[[Any], None]:
    def pressed(viewer: object) -> None:
        action()

    return pressed
