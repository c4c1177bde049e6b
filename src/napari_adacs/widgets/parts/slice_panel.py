"""The slices of a result: curve, list, verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_adacs.app.review.looks import COMPONENT_COLOURS, reasons
from napari_adacs.app.review.verdicts import Verdict
from napari_adacs.widgets.parts.slice_table import SliceTable
from napari_adacs.widgets.parts.sparkline import Sparkline
from napari_adacs.widgets.parts.verdict_bar import KEYS, VerdictBar

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.review.desk import ReviewDesk
    from napari_adacs.app.review.keys import Keys


class SlicePanel(QWidget):
    """Shows a `ReviewDesk` and passes on what a person does.

    Parameters
    ----------
    viewer : ViewerModel
        Whose slice to follow.
    """

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.desk: ReviewDesk | None = None
        self._shown: tuple[int, bool, int] | None = None
        self.progress = _label('review_progress')
        self.details = _label('slice_details')
        self.sparkline = Sparkline()
        self.table = SliceTable()
        self.verdicts = VerdictBar()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self.show_place)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.progress)
        layout.addWidget(self.sparkline)
        # What is needed for every slice comes first: the list may be cut
        # off by a small screen.
        layout.addWidget(self.details)
        layout.addWidget(self.verdicts)
        layout.addWidget(self.table, 1)
        self._connect()
        self.set_desk(None)

    def set_desk(self, desk: ReviewDesk | None) -> None:
        """Show another review, or none."""
        self.desk = desk
        self._shown = None
        if desk is not None:
            desk.advances = self.verdicts.advance.isChecked()
            desk.review.on_change(self.show_verdicts)
        self.setEnabled(desk is not None)
        self.show_place()

    def follow(self) -> None:
        """Follow the viewer's sliders from now on."""
        for event in self._events():
            event.connect(self._on_dims)

    def unfollow(self) -> None:
        """Leave the viewer alone."""
        self._later.stop()
        for event in self._events():
            event.disconnect(self._on_dims)

    def keys(self) -> Keys:
        """Return the keys of this panel."""
        return {
            '.': ('next slice of the list', lambda: self._do('next')),
            ',': ('previous slice of the list', lambda: self._do('previous')),
            'Shift-W': (
                'worst slice without a verdict',
                lambda: self._do('worst'),
            ),
            **{
                key: (verdict.value, lambda v=verdict: self._judge(v))
                for verdict, key in KEYS.items()
            },
            'Shift-N': ('write a note', self.verdicts.note.setFocus),
            'Shift-D': ('take back the verdict', lambda: self._do('clear')),
            'Shift-Z': ('undo a verdict or note', lambda: self._do('undo')),
            'Shift-Y': ('redo', lambda: self._do('redo')),
        }

    def show_place(self) -> None:
        """Show which slice the viewer shows, and along which axis."""
        desk = self.desk
        if desk is None or desk.layer is None:
            self._show_nothing()
            return
        listed = desk.axis, desk.worst_first, len(desk.slices)
        if listed != self._shown:
            self._shown = listed
            self.table.slices.show_slices(desk.figures, desk.order())
            self.table.show_order(desk.worst_first)
            self.show_verdicts()
        index = desk.current
        self.table.set_current(index)
        self.sparkline.set_current(index)
        self.details.setText(self._details(desk, index))
        self._show_judgement()

    def show_verdicts(self) -> None:
        """Show verdicts that have changed."""
        desk = self.desk
        if desk is None or desk.layer is None:
            return
        judgements = desk.review.along(desk.axis)
        self.table.slices.show_judgements(judgements)
        self.sparkline.show_slices(desk.figures, judgements)
        self.progress.setText(self._progress(desk))
        self._show_judgement()

    def _connect(self) -> None:
        self.table.picked.connect(self._go)
        self.sparkline.picked.connect(self._go)
        self.table.sorted_by_worst.connect(self._sort)
        self.verdicts.judged.connect(self._judge)
        self.verdicts.noted.connect(self._note)
        self.verdicts.wanted.connect(self._do)
        self.verdicts.advance_changed.connect(self._set_advance)
        self.verdicts.note.returnPressed.connect(self._leave_note)

    def _show_nothing(self) -> None:
        self._shown = None
        self.table.slices.show_slices(None, [])
        self.sparkline.show_slices(None, {})
        self.progress.setText('')
        self.details.setText('')

    def _show_judgement(self) -> None:
        desk = self.desk
        if desk is None:
            return
        judgement = desk.judgement
        self.verdicts.show_judgement(judgement)
        self.verdicts.set_enabled(
            undo=desk.review.can_undo,
            redo=desk.review.can_redo,
            clear=not judgement.empty,
        )

    def _go(self, index: int) -> None:
        if self.desk is not None:
            self.desk.go(index)

    def _judge(self, verdict: Verdict) -> None:
        if self.desk is not None:
            self.desk.judge(verdict)
            self.show_place()

    def _note(self, text: str) -> None:
        if self.desk is not None:
            self.desk.annotate(text)

    def _do(self, what: str) -> None:
        desk = self.desk
        if desk is None:
            return
        actions = {
            'next': lambda: desk.step(1),
            'previous': lambda: desk.step(-1),
            'worst': desk.go_to_worst,
            'clear': desk.clear,
            'undo': desk.undo,
            'redo': desk.redo,
            'accept_rest': lambda: desk.judge_rest(Verdict.ACCEPT),
        }
        actions[what]()
        self.show_place()

    def _sort(self, by_worst: bool) -> None:
        if self.desk is not None:
            self.desk.worst_first = by_worst
            self.show_place()

    def _set_advance(self, advances: bool) -> None:
        if self.desk is not None:
            self.desk.advances = advances

    def _leave_note(self) -> None:
        self.verdicts.note.clearFocus()

    def _on_dims(self, event: object) -> None:
        # Both point and step fire; once per turn of the loop is enough.
        self._later.start()

    def _events(self) -> tuple[object, ...]:
        events = self._viewer.dims.events
        return events.current_step, events.order, events.ndisplay

    @staticmethod
    def _progress(desk: ReviewDesk) -> str:
        counts = desk.review.counts(desk.axis)
        said = ', '.join(f'{n} {v.past}' for v, n in counts.items() if n)
        along = f' along {desk.axis_name}' if desk.axis_name else ''
        text = f'<b>{desk.progress}</b>{along}'
        hidden = len(desk.figures) - len(desk.slices)
        if hidden:
            text += f' ({hidden} out of reach: the image is rotated)'
        return f'{text}: {said}' if said else text

    @staticmethod
    def _details(desk: ReviewDesk, index: int) -> str:
        figures = desk.figures
        parts = [
            f'<span style="color:{COMPONENT_COLOURS[c.name]}">■</span> {text}'
            for c, text in zip(
                figures.components, reasons(figures, index), strict=True
            )
        ]
        return f'Slice {index}: {" &nbsp; ".join(parts)}'


def _label(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setSizePolicy(
        QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding
    )
    label.setToolTip(_TIPS[name])
    return label


_TIPS = {
    'review_progress': 'How many slices along the scroll axis have a verdict.',
    'slice_details': (
        'What the suspicion of this slice is made of; in brackets how far '
        'it stands out, in robust standard deviations.'
    ),
}
