"""How fixed and warped are shown against each other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from napari.layers import Labels
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.layers import is_sequence
from napari_adacs.app.result_layers import tag
from napari_adacs.app.review.curtain import Curtain
from napari_adacs.app.review.handle import HandleDrag
from napari_adacs.app.review.pair_labels import find_labels
from napari_adacs.app.review.view_switch import ViewSwitch
from napari_adacs.app.review.views.registry import VIEWS
from napari_adacs.app.session import LayerRef
from napari_adacs.widgets.parts.canvas_host import host_of
from napari_adacs.widgets.parts.layer_picker import LayerPicker
from napari_adacs.widgets.parts.map_panel import MapPanel
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.option_rows import NumberInput, OptionRows
from napari_adacs.widgets.parts.planes_button import PlanesButton

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.review.keys import Keys
    from napari_adacs.app.session import Run

_COLUMNS = 4
# Names of colours that mean something else in HTML, and of colour maps.
_SHADES = {'green': '#00ff00', 'magenta': '#ff00ff', 'plasma': '#fdb42f'}
_AFTER, _BEFORE = 'after: warped', 'before: moving'


class ViewBar(QWidget):
    """Chooses the view of a registration and its settings.

    The dock that holds it binds `KEYS` while it is open, calls `set_run`
    when another registration is chosen or the same one was repeated, and
    `close_views` when it closes.

    Parameters
    ----------
    viewer : ViewerModel
        Where to show the views.
    """

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._handle: HandleDrag | None = None
        curtain, host = Curtain(), host_of(self)
        self.switch = ViewSwitch(
            viewer,
            curtain=curtain,
            on_change=self._on_change,
            say=self._say,
            host=host,
        )
        self.buttons = {name: self._button(name) for name in VIEWS}
        self.compare = QComboBox()
        self.rows = OptionRows()
        self.labels = LayerPicker(viewer, Labels, accept=_is_not_a_result)
        self.legend = QLabel()
        self.message = Message('view_message', 'About the view.')
        self.maps = MapPanel(viewer, curtain, host)
        self.planes = PlanesButton(viewer, self.switch, self.maps.maps)
        self._timer = QTimer(self)
        self._lay_out()
        self._connect()
        self._on_change()

    @property
    def KEYS(self) -> Keys:  # noqa: N802
        """Keys of the views: key → (what it does, how)."""
        keys: dict[str, tuple[str, Callable[[], None]]] = {}
        for key, name in _keys_of_views().items():
            title = VIEWS[name].title
            keys[key] = f'{title}, on or off', partial(self._toggle, name)
        keys['Alt-0'] = 'Leave the view', partial(self._toggle, None)
        keys['Alt-B'] = 'Before or after registration', self.swap
        keys['Alt-Left'] = (
            'Less: size, speed, position',
            partial(self.nudge, -1),
        )
        keys['Alt-Right'] = (
            'More: size, speed, position',
            partial(self.nudge, 1),
        )
        keys['Alt-M'] = 'Next map', self.maps.next_map
        keys['Alt-T'] = 'Outline of the threshold', self.maps.toggle_contour
        keys['Alt-O'] = 'Orthogonal planes', self.planes.click
        return keys

    def set_run(self, run: Run | None) -> None:
        """Show another registration, or none; any view stays on."""
        if run is not None and self._handle is None:
            self._handle = HandleDrag(
                self._viewer, self.switch, self._on_dragged
            )
        self.labels.follow()
        self._suggest_labels(run)
        self.switch.set_run(run)
        self.maps.set_run(run)
        self.planes.set_run(run)
        self.setEnabled(run is not None)

    def close_views(self) -> None:
        """Leave the viewer as it was found; for when the dock closes."""
        self._timer.stop()
        self.planes.close_planes()
        self.switch.close()
        self.maps.close_map()
        self.labels.unfollow()
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def swap(self) -> None:
        """Compare with the moving image in place of the warped, or back."""
        self.compare.setCurrentIndex(1 - self.compare.currentIndex())

    def nudge(self, steps: int) -> None:
        """Change the first option of the view."""
        view = self.switch.view
        if view is not None and view.options:
            first = self.rows.input(view.options[0].name)
            if isinstance(first, NumberInput):
                first.step_by(steps)

    # ---- building ----------------------------------------------------------

    def _button(self, name: str) -> QPushButton:
        view = VIEWS[name]
        key = next(k for k, n in _keys_of_views().items() if n == name)
        button = QPushButton()
        button.setText(view.title)
        button.setCheckable(True)
        button.setObjectName(f'view_{name}')
        button.setToolTip(f'{view.tooltip} ({key.replace("-", "+")})')
        button.setMinimumWidth(1)
        button.clicked.connect(partial(self._toggle, name))
        return button

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(3)
        for i, button in enumerate(self.buttons.values()):
            grid.addWidget(button, i // _COLUMNS, i % _COLUMNS)
        self.compare.setObjectName('compare_with')
        self.compare.addItems([_AFTER, _BEFORE])
        self.labels.setObjectName('review_fixed_labels')
        form = QFormLayout()
        _row(
            form,
            'Fixed against',
            self.compare,
            'What the fixed image is compared with: the warped image, after '
            'registration, or the moving one, before it (Alt+B).',
        )
        self._labels_row = QWidget()
        labels_form = QFormLayout(self._labels_row)
        labels_form.setContentsMargins(0, 0, 0, 0)
        _row(
            labels_form,
            'Fixed labels',
            self.labels,
            'Segmentation of the fixed image.',
        )
        self.legend.setWordWrap(True)
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setToolTip('What the colours of the view mean.')
        views, maps = QGroupBox('View'), QGroupBox('Map over the image')
        inside = QVBoxLayout(views)
        inside.addLayout(grid)
        inside.addLayout(form)
        for widget in (self._labels_row, self.rows, self.legend, self.message):
            inside.addWidget(widget)
        QVBoxLayout(maps).addWidget(self.maps)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(views)
        layout.addWidget(maps)
        layout.addWidget(self.planes)

    def _connect(self) -> None:
        self.compare.currentIndexChanged.connect(self._on_compare)
        self.rows.changed.connect(self._on_value)
        self.labels.activated.connect(self._on_labels)
        self._timer.timeout.connect(self.switch.tick)
        self._timer.timeout.connect(self.planes.tick)
        self.maps.changed.connect(self.planes.follow)

    # ---- what a person does ------------------------------------------------

    def _toggle(self, name: str | None, checked: bool = False) -> None:
        if name is None:
            self.switch.show(None)
        else:
            self.switch.toggle(name)

    def _on_compare(self, index: int) -> None:
        self.switch.compare_with('warped' if index == 0 else 'moving')

    def _on_value(self, name: str, value: float) -> None:
        self.switch.set_value(name, value)
        self._show_legend()
        self.planes.follow()
        self._run_timer()

    def _on_dragged(self, name: str, value: float) -> None:
        self.rows.set_value(name, value)
        self.planes.follow()

    def _on_labels(self, index: int) -> None:
        layer, run = self.labels.layer(), self.switch.run
        if layer is None or run is None:
            return
        frame = run.fixed.frame if is_sequence(layer) else None
        ref = LayerRef(str(layer.unique_id), layer.name, frame)
        self.switch.choose_labels(ref)

    def _suggest_labels(self, run: Run | None) -> None:
        self.switch.choose_labels(None)
        if run is not None:
            found = find_labels(self._viewer, run, None)
            self.labels.choose(None if found is None else found[0])

    # ---- what the view is --------------------------------------------------

    def _on_change(self) -> None:
        view, name = self.switch.view, self.switch.name
        for key, button in self.buttons.items():
            button.setChecked(key == name)
        self._labels_row.setVisible(name == 'contours')
        if view is None:
            self.rows.show_options((), {})
        else:
            self.rows.show_options(view.options, view.values)
        self._show_legend()
        self._run_timer()
        self.planes.follow()

    def _show_legend(self) -> None:
        view = self.switch.view
        chips = [] if view is None else view.legend
        self.legend.setText(' &nbsp; '.join(_chip(*chip) for chip in chips))
        self.legend.setVisible(bool(chips))

    def _run_timer(self) -> None:
        view = self.switch.view
        period = None if view is None else view.period_s
        if period is None:
            self._timer.stop()
        else:
            self._timer.start(round(1000 * period))

    def _say(self, sentence: str) -> None:
        self.message.show_text(sentence, Kind.WARNING)


def _keys_of_views() -> dict[str, str]:
    return {f'Alt-{i}': name for i, name in enumerate(VIEWS, 1)}


def _row(form: QFormLayout, text: str, field: QWidget, tooltip: str) -> None:
    form.addRow(text, field)
    field.setToolTip(tooltip)
    form.labelForField(field).setToolTip(tooltip)


def _chip(colour: str, text: str) -> str:
    if not colour:
        return text
    shade = _SHADES.get(colour, colour)
    return f'<span style="color:{shade}">■</span> {text}'


def _is_not_a_result(layer: Labels) -> bool:
    return tag(layer) is None
