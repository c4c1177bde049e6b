"""A dock that follows a viewer while it is open, and lets go of it after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.vertical_scroll import VerticalScroll

if TYPE_CHECKING:
    from napari.components import ViewerModel

_DEBOUNCE_MS = 60


class ViewerDock(QWidget):
    """What all docks have in common: when to listen to the viewer.

    A dock listens from `attach`, which is the last thing its constructor
    does, until it is closed or taken out of its frame, and again when it
    comes back. A subclass says in `_follow` and `_unfollow` what to listen
    to, in `_look_again` what may have changed while it was hidden, and in
    `_check` what to say about the present inputs. `check_soon` calls
    `_check` once after many changes.

    Parameters
    ----------
    viewer : ViewerModel
        What to follow.
    parent : QWidget, optional
        Qt parent.
    """

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._attached = False
        self._debounce = QTimer(self)
        self._debounce.setSingleShot(True)
        self._debounce.setInterval(_DEBOUNCE_MS)
        self._debounce.timeout.connect(self._check)

    @property
    def attached(self) -> bool:
        """Whether the dock follows the viewer."""
        return self._attached

    def attach(self) -> None:
        """Follow the viewer from now on."""
        if not self._attached:
            self._attached = True
            self._follow()
            self._check()

    def detach(self) -> None:
        """Let go of the viewer: the dock or the window closes."""
        if self._attached:
            self._attached = False
            self._debounce.stop()
            self._unfollow()

    def check_soon(self) -> None:
        """Check the inputs when they have stopped changing."""
        if self._attached:
            self._debounce.start()

    def event(self, event: QEvent) -> bool:
        """Notice being docked, and undocked for good.

        napari's close button takes the widget out of the dock without
        closing it.
        """
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is None:
                self.detach()
            else:
                self.attach()
        handled: bool = super().event(event)
        return handled

    def closeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Stop what is running."""
        self.detach()
        super().closeEvent(event)

    def showEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the viewer again, and see what is new."""
        super().showEvent(event)
        self.attach()
        self._look_again()

    def _follow(self) -> None:
        """Listen to the viewer."""
        raise NotImplementedError

    def _unfollow(self) -> None:
        """Stop listening, and stop what is running."""
        raise NotImplementedError

    def _check(self) -> None:
        """Say what would be done, or why it cannot."""
        raise NotImplementedError

    def _look_again(self) -> None:
        """See what changed outside of the viewer; nothing by default."""

    def _stack(self, *parts: QWidget) -> VerticalScroll:
        """Put the parts below each other, scrolling if they must."""
        inner = QWidget()
        layout = QVBoxLayout(inner)
        for part in parts:
            layout.addWidget(part)
        layout.addStretch(1)
        scroll = VerticalScroll(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        return scroll


def say(message: Message, sentence: str, kind: Kind) -> None:
    """Show a sentence in a dock; napari repeats what went wrong."""
    message.show_text(sentence, kind)
    if kind is Kind.ERROR:
        show_error(sentence)
