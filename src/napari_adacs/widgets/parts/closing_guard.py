"""Asking what becomes of a run when the window closes."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from enum import Enum

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QMainWindow, QMessageBox, QWidget


class Answer(Enum):
    """What becomes of a run."""

    GO_ON = 'go on'
    STOP = 'stop'
    STAY = 'stay'


Ask = Callable[[QWidget, str], Answer]


def ask(parent: QWidget, name: str) -> Answer:
    """Ask a person; Escape leaves everything as it is."""
    box = QMessageBox(parent)
    box.setObjectName('closing_question')
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle('Training is running')
    box.setText(f'{name} is still being trained.')
    box.setInformativeText(
        'It can go on in the background: the Fine-tune dock finds it again. '
        'If it stops, what it has learnt so far is kept.'
    )
    go_on = box.addButton(
        'Go on in the background', QMessageBox.ButtonRole.AcceptRole
    )
    stop = box.addButton(
        'Stop and keep', QMessageBox.ButtonRole.DestructiveRole
    )
    stay = box.addButton('Cancel', QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(go_on)
    box.setEscapeButton(stay)
    box.exec()
    clicked = box.clickedButton()
    if clicked is stop:
        return Answer.STOP
    return Answer.GO_ON if clicked is go_on else Answer.STAY


class ClosingGuard(QObject):
    """Watches the window of a dock for being closed.

    napari has no hook for it: the event is seen before the window itself
    sees it, and taken away if a person changes their mind. `viewer.close()`
    of a program, which nobody can answer, leaves runs alone: it takes the
    canvas away before the window.

    Parameters
    ----------
    running : callable
        Returns the name of what is running, '' for nothing.
    stop : callable
        Lets it stop.
    """

    def __init__(
        self,
        running: Callable[[], str],
        stop: Callable[[], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._running, self._stop = running, stop
        # A guard belongs to its dock, which lives as long as its window: a
        # strong reference back would keep all three for ever.
        self._window: Callable[[], QWidget | None] = _none
        self.ask: Ask = ask

    @property
    def window(self) -> QWidget | None:
        """The window that is watched."""
        return self._window()

    def guard(self, window: QWidget | None) -> None:
        """Watch a window; None watches no more."""
        before = self.window
        if window is before:
            return
        if before is not None:
            before.removeEventFilter(self)
        self._window = _none if window is None else weakref.ref(window)
        if window is not None:
            window.installEventFilter(self)

    def may_close(self, parent: QWidget) -> bool:
        """Ask what becomes of a run; return whether to close."""
        name = self._running()
        if not name:
            return True
        answer = self.ask(parent, name)
        if answer is Answer.STOP:
            self._stop()
        return answer is not Answer.STAY

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Take the closing of the window away if a person wants to stay."""
        if (
            event.type() == QEvent.Type.Close
            and watched is self.window
            and _by_a_person(watched)
            and not self.may_close(watched)
        ):
            event.ignore()
            return True
        return False


def _none() -> None:
    """Return what stands for no window."""


def _by_a_person(window: QWidget) -> bool:
    """Whether a window that is being closed is whole to the eye."""
    if not isinstance(window, QMainWindow) or not window.isVisible():
        return False
    central = window.centralWidget()
    inside = (
        []
        if central is None
        else central.findChildren(
            QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly
        )
    )
    return any(widget.isVisible() for widget in inside)
