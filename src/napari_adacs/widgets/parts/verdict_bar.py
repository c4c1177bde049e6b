"""Buttons and a line to say what becomes of a slice."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.review.verdicts import Judgement, Verdict
from napari_adacs.widgets.parts.verdict_marks import verdict_icon

KEYS = {
    Verdict.ACCEPT: 'Shift-A',
    Verdict.FLAG: 'Shift-F',
    Verdict.REJECT: 'Shift-R',
}
_TIPS = {
    Verdict.ACCEPT: 'Believe the registration of this slice',
    Verdict.FLAG: 'Mark this slice for another look',
    Verdict.REJECT: 'Do not use this slice',
}
_BUTTONS = (
    ('undo', '↶ Undo', 'Take the last verdict or note back (Shift-Z).'),
    ('redo', '↷ Redo', 'Take the step again (Shift-Y).'),
    ('clear', 'Clear', 'Take back verdict and note of this slice (Shift-D).'),
    (
        'accept_rest',
        'Accept rest',
        'Accept all slices that have no verdict; one step of undo.',
    ),
)
_MOVES = (
    ('previous', '◀ Previous', 'Go to the slice above in the list (,).'),
    ('next', 'Next ▶', 'Go to the slice below in the list (.).'),
    (
        'worst',
        'Next worst',
        'Go to the most suspicious slice without a verdict (Shift-W).',
    ),
)


class VerdictBar(QWidget):
    """Emits what a person wants; knows nothing of the review.

    Signals: `judged` with a `Verdict`, `noted` with a text at every key,
    `wanted` with 'undo', 'redo', 'clear', 'accept_rest', 'previous',
    'next' or 'worst', `advance_changed` with a bool.
    """

    judged = Signal(object)
    noted = Signal(str)
    wanted = Signal(str)
    advance_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, QPushButton] = {}
        self.note = QLineEdit()
        self.note.setObjectName('note')
        self.note.setAccessibleName('note about the slice')
        self.note.setPlaceholderText('Note about this slice (Shift-N)')
        self.note.setToolTip(
            'Saved with every key. Return goes back to the viewer.'
        )
        self.note.setClearButtonEnabled(True)
        self.advance = QCheckBox('Go on after a verdict')
        self.advance.setObjectName('advance')
        self.advance.setChecked(True)
        self.advance.setToolTip(
            'After a verdict, show the next slice of the list without one.'
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._verdicts())
        layout.addWidget(self.note)
        layout.addLayout(self._moves())
        layout.addLayout(self._steps())
        layout.addWidget(self.advance)
        self.note.textEdited.connect(self.noted)
        self.advance.toggled.connect(self.advance_changed)

    def show_judgement(self, judgement: Judgement) -> None:
        """Show what was decided about the present slice."""
        for verdict in Verdict:
            button = self.buttons[verdict.value]
            button.setChecked(judgement.verdict is verdict)
        if self.note.text() != judgement.note:
            self.note.setText(judgement.note)

    def set_enabled(self, *, undo: bool, redo: bool, clear: bool) -> None:
        """Say which steps make sense."""
        self.buttons['undo'].setEnabled(undo)
        self.buttons['redo'].setEnabled(redo)
        self.buttons['clear'].setEnabled(clear)

    def _moves(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        for name, text, tip in _MOVES:
            row.addWidget(self._button(name, text, tip))
        return row

    def _verdicts(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        for verdict in Verdict:
            button = _push(
                verdict.value,
                verdict.value.capitalize(),
                f'{_TIPS[verdict]} ({KEYS[verdict]}).',
            )
            button.setCheckable(True)
            button.setIcon(verdict_icon(verdict))
            button.setIconSize(QSize(16, 16))
            button.clicked.connect(
                lambda checked=False, v=verdict: self.judged.emit(v)
            )
            self.buttons[verdict.value] = button
            row.addWidget(button)
        return row

    def _steps(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(4)
        for column, (name, text, tip) in enumerate(_BUTTONS):
            grid.addWidget(self._button(name, text, tip), 0, column)
        return grid

    def _button(self, name: str, text: str, tip: str) -> QPushButton:
        button = _push(name, text, tip)
        button.clicked.connect(
            lambda checked=False, n=name: self.wanted.emit(n)
        )
        self.buttons[name] = button
        return button


def _push(name: str, text: str, tip: str) -> QPushButton:
    button = QPushButton()
    button.setObjectName(name)
    button.setText(text)
    button.setToolTip(tip)
    button.setSizePolicy(
        QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
    )
    # The canvas keeps the keyboard.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
