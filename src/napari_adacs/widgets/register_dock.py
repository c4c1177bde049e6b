"""The Register dock: two layers in, the layers of a result out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QWidget

from napari_adacs.app import model_news, session
from napari_adacs.app.prepared import prepare
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.errors import AdacsError
from napari_adacs.widgets.parts.canvas_host import host_of
from napari_adacs.widgets.parts.eta_slider import EtaSlider
from napari_adacs.widgets.parts.loss_curve import LossCurve
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.register_form import RegisterForm
from napari_adacs.widgets.parts.registration_run import RegistrationRun
from napari_adacs.widgets.parts.result_bar import ResultBar, to_clipboard
from napari_adacs.widgets.parts.run_bar import RunBar, RunState
from napari_adacs.widgets.parts.viewer_dock import ViewerDock, say
from napari_adacs.widgets.parts.worker import Runner

if TYPE_CHECKING:
    import napari
    from napari.utils.events import Event

    from napari_adacs.app.prepared import Prepared
    from napari_adacs.app.request import Preflight
    from napari_adacs.app.session import Run
    from napari_adacs.registration.result import RegistrationResult


class RegisterDock(ViewerDock):
    """Chooses, starts and reports registrations.

    The work is elsewhere: `app.prepared` knows what to do, a
    `RegistrationRun` does it in a thread and shows the layers.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        Whose layers to register.
    """

    def __init__(
        self,
        napari_viewer: napari.viewer.Viewer,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(napari_viewer, parent)
        self.last_run: Run | None = None
        self.form = RegisterForm(napari_viewer)
        self.preflight = Message(
            'preflight', 'What Register will do, or why it cannot.'
        )
        self.run_bar = RunBar(
            'Register',
            'register_button',
            'Align the moving image to the fixed one (Ctrl+Return).',
        )
        self.eta = EtaSlider()
        self.losses = LossCurve()
        self.results = ResultBar()
        self.run = RegistrationRun(napari_viewer, self)
        self._looking = Runner(self)
        self._prepared: Prepared | None = None
        self._wanted_eta: float | None = None
        self._stack(
            self.form,
            self.preflight,
            self.run_bar,
            self.losses,
            self.eta,
            self.results,
        )
        self._connect()
        self.attach()

    @property
    def state(self) -> RunState:
        """What the dock is doing."""
        return self.run.state

    @property
    def last_result(self) -> RegistrationResult | None:
        """The result of the last finished run, or None."""
        return None if self.last_run is None else self.last_run.result

    def register(self) -> None:
        """Start; what the button does."""
        chosen = self.form.chosen()
        if chosen is None or self.state.busy:
            return
        try:
            prepared = prepare(chosen)
        except AdacsError as error:
            self._say(str(error), Kind.ERROR)
            return
        self.results.show_text('')
        self._prepared, self._wanted_eta = prepared, None
        self.run.start(prepared)

    def rescale(self, eta: float) -> None:
        """Register the last pair with another eta, now or after this run.

        Parameters
        ----------
        eta : float
            Scale of the score of a DiffuseMorph model.
        """
        self._wanted_eta = eta
        self._rescale()

    def _rescale(self) -> None:
        result, eta = self.last_result, self._wanted_eta
        if self.state.busy or eta is None:
            return
        self._wanted_eta = None
        ready = self._prepared
        if result is None or ready is None or not self._scales(result):
            return
        self.run.start(ready.with_eta(eta, result))

    def _scales(self, result: RegistrationResult) -> bool:
        """Whether the result is of the pair that was prepared last."""
        run, ready = self.last_run, self._prepared
        return (
            result.with_eta is not None
            and run is not None
            and ready is not None
            and run.group_id == ready.group_id
        )

    def use_model(self, model: str) -> bool:
        """Choose a model; return whether it fits the images.

        Parameters
        ----------
        model : str
            Its name, or the path of its bundle.
        """
        self.form.model.reload()
        return self.form.model.choose(model)

    def remove_results(self) -> None:
        """Remove the layers of the newest registration in the viewer."""
        newest = session.latest(self._viewer)
        if newest is not None:
            with host_of(self).drawing():
                ResultGroup(self._viewer, newest.group_id).remove()
            self.results.show_text('Results removed.')
        self._refresh_buttons()

    def _connect(self) -> None:
        self.form.changed.connect(self.check_soon)
        self.form.refused.connect(self.results.show_warning)
        self.form.said.connect(self.results.show_text)
        self.run_bar.start.connect(self.register)
        self.run_bar.cancel.connect(self.run.cancel)
        self.run.progressed.connect(self.run_bar.show_progress)
        self.run.refined.connect(self.losses.show_losses)
        self.run.state_changed.connect(self._on_state)
        self.run.said.connect(self._say)
        self.run.registered.connect(self._on_registered)
        self.eta.moved.connect(self.rescale)
        self._looking.ended.connect(self.check_soon)
        self.results.remove.connect(self.remove_results)
        self.results.copy.connect(self._copy)
        key = QShortcut(QKeySequence('Ctrl+Return'), self)
        key.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        key.activated.connect(self.register)

    def _follow(self) -> None:
        self.form.follow()
        self._viewer.layers.events.removed.connect(self._on_removed)
        model_news.listen(self.form.model.reload)

    def _unfollow(self) -> None:
        model_news.unlisten(self.form.model.reload)
        self.run.abandon()
        self._looking.abandon()
        self.form.unfollow()
        self._viewer.layers.events.removed.disconnect(self._on_removed)

    def _look_again(self) -> None:
        self.form.model.reload()

    def _check(self) -> None:
        """Say what a run would do, or why it cannot."""
        if self.state.busy:
            return
        chosen = self.form.chosen()
        ready = False
        if chosen is None:
            self.preflight.show_text('Open two images, or a sequence.')
        else:
            try:
                found = chosen.check()
                self.preflight.show_text(' '.join(found.sentences))
                ready = True
                if found.choice.why:
                    self.form.model.show_automatic(found.choice)
                self._look(found)
            except AdacsError as error:
                self.preflight.show_text(str(error), Kind.WARNING)
        self.run_bar.set_ready(ready)
        self._refresh_buttons()

    def _look(self, found: Preflight) -> None:
        """Look at images that have to be read first, and check again."""
        if found.unseen and not self._looking.running:
            self._looking.start(lambda report, cancel: found.look())

    def _on_state(self, state: RunState) -> None:
        self.form.setEnabled(not state.busy)
        self.run_bar.set_state(state)
        if not state.busy:
            # Only now is it known for sure which devices torch has.
            self.form.reload_devices()
            self._check()
            # What was wished for while this ran; not from inside its end.
            QTimer.singleShot(0, self._rescale)

    def _on_registered(self, run: Run) -> None:
        self.last_run = run
        if run.result.with_eta is not None and self._wanted_eta is None:
            self.eta.show_value(run.result.eta)
        self._refresh_buttons()

    def _on_removed(self, event: Event) -> None:
        """Let go of results whose last layer was removed."""
        if not self.state.busy:
            session.forget_removed(self._viewer, event.value)
            if self.last_run is not None:
                self.last_run = session.recall(self.last_run.group_id)
            self._refresh_buttons()

    def _refresh_buttons(self) -> None:
        result = self.last_result
        self.eta.setVisible(result is not None and self._scales(result))
        self.results.set_enabled(
            remove=session.latest(self._viewer) is not None,
            copy=self.run_bar.ready,
        )

    def _say(self, sentence: str, kind: Kind) -> None:
        say(self.results.message, sentence, kind)

    def _copy(self, attribute: str, what: str) -> None:
        chosen = self.form.chosen()
        if chosen is None:
            return
        try:
            text = getattr(prepare(chosen), attribute)
        except AdacsError as error:
            self.results.show_warning(str(error))
            return
        to_clipboard(text)
        self.results.show_text(f'{what} copied to the clipboard.')
