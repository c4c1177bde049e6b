"""The Fine-tune dock: pairs in, a model of one's own out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QWidget

from napari_adacs.app import model_news
from napari_adacs.app.finetune.steering import stop
from napari_adacs.widgets.parts.closing_guard import Answer, ClosingGuard
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.new_run import NewRun
from napari_adacs.widgets.parts.run_panel import RunPanel
from napari_adacs.widgets.parts.tabs import Tabs
from napari_adacs.widgets.parts.viewer_dock import ViewerDock, say

if TYPE_CHECKING:
    from pathlib import Path

    import napari

    from napari_adacs.app.finetune.watch import Listed

PLUGIN = 'napari-adacs'


class FinetuneDock(ViewerDock):
    """Starts training runs, and watches those that there are.

    A run is a process of its own: it outlives the dock and the window, and
    the dock finds it again.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        Whose layers to train on.
    """

    def __init__(
        self,
        napari_viewer: napari.viewer.Viewer,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(napari_viewer, parent)
        self.new = NewRun(napari_viewer)
        self.runs = RunPanel(napari_viewer)
        self.message = Message('finetune_message', 'What happened last.')
        self.tabs = Tabs()
        self.tabs.bar.setObjectName('finetune_tabs')
        self.tabs.add_page(self.new, 'New run', 'Choose what to train.')
        self.tabs.add_page(
            self.runs, 'Runs', 'Watch a run, and see what came out.'
        )
        self.guard = ClosingGuard(
            lambda: self.runs.running, self.runs.steering.stop, self
        )
        self._stack(self.message, self.tabs)
        self._connect()
        self.attach()

    def _connect(self) -> None:
        self.new.begun.connect(self._on_begun)
        self.new.said.connect(self._say)
        self.runs.said.connect(self._say)
        self.runs.use.connect(self.use_in_register)
        self.runs.finished.connect(model_news.tell)
        self.runs.watcher.listed.connect(self._on_listed)
        key = QShortcut(QKeySequence('Ctrl+Return'), self)
        key.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        key.activated.connect(self.new.start)

    def use_in_register(self, model: str) -> None:
        """Open the Register dock with a model chosen."""
        window = getattr(self._viewer, 'window', None)
        if window is None:
            self._say('There is no window with a Register dock.', Kind.WARNING)
            return
        frame, dock = window.add_plugin_dock_widget(
            PLUGIN, 'Register', tabify=True
        )
        frame.show()
        frame.raise_()
        if dock.use_model(model):
            return
        self._say(
            f"The Register dock cannot use the model '{model}'. Is it for "
            'the images that are chosen there?',
            Kind.WARNING,
        )

    def _follow(self) -> None:
        self.new.follow()
        self.runs.follow()
        self._watch_window()

    def _unfollow(self) -> None:
        running, window = self.runs.running, self.guard.window
        folder = self.runs.folder
        self.guard.guard(None)
        self.new.unfollow()
        self.runs.unfollow()
        if running and window is not None and folder is not None:
            # The dock was closed, not the window: nobody has asked yet.
            QTimer.singleShot(0, lambda: self._ask(window, folder))

    def _ask(self, window: QWidget, folder: Path) -> None:
        """Ask what becomes of a run whose dock is gone."""
        try:
            gone = window.isVisible() and self.guard.window is None
        except RuntimeError:  # so is the window
            return
        if gone and self.guard.ask(window, folder.name) is Answer.STOP:
            stop(folder)

    def _look_again(self) -> None:
        self.new.form.reload()
        self._watch_window()

    def _watch_window(self) -> None:
        window = self.window()
        self.guard.guard(None if window is self else window)

    def _check(self) -> None:
        self.new.check()

    def _on_begun(self, folder: Path) -> None:
        self.message.show_text('')
        self.runs.show_run(folder)
        self.tabs.show_page(self.runs)

    def _on_listed(self, listed: list[Listed]) -> None:
        """Show what is running when the dock opens."""
        self.runs.watcher.listed.disconnect(self._on_listed)
        running = [run for run in listed if not run.status.state.ended]
        if running:
            self.runs.show_run(running[0].folder)
            self.tabs.show_page(self.runs)

    def _say(self, sentence: str, kind: Kind) -> None:
        say(self.message, sentence, kind)
