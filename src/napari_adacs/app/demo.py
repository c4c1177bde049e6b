"""The main job in the real window, done by nobody's hand.

Opens the 3D echo sample, presses Register, presses Evaluate. What is pressed
are the buttons of the docks, found through napari like any plugin's.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_adacs.app.layer_specs import Role
from napari_adacs.app.metric_table import plain_text
from napari_adacs.app.result_files import Registered, save_result
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.settings import PLUGIN
from napari_adacs.errors import AdacsError, InputError
from napari_adacs.io.staging import check_folder, staged_folder
from napari_adacs.models.library import find_model

if TYPE_CHECKING:
    import napari
    from napari.layers import Labels

    from napari_adacs.app.session import Run
    from napari_adacs.evaluation.report import Evaluation

SCREENSHOT = 'screenshot.png'
_MANIFEST = Path(__file__).parents[1] / 'napari.yaml'
_WINDOW = (1280, 960)
_PATIENCE_S = 900.0
_PAUSE_S = 0.005


class _WindowClosedError(Exception):
    """The person at the screen has seen enough."""


def run_demo(
    out: str | os.PathLike[str] | None,
    *,
    stay: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Register and evaluate the 3D echo sample in a napari window.

    Parameters
    ----------
    out : path-like or None
        Folder for the files of a registration and a screenshot; None writes
        nothing.
    stay : bool, default: True
        Whether to leave the window open, until a person closes it.
    say : callable, optional
        Called with each text for the terminal.

    Raises
    ------
    InputError
        If there is no screen or no Qt binding, or `out` cannot be written.
    AdacsError
        If the registration fails.
    """
    _check_screen()
    if out is not None:
        check_folder(out)
    viewer = _open_window()
    try:
        say('Opened the 3D echo sample.')
        run = _register(viewer)
        say(f'Registered: {run.title}.')
        evaluation = _evaluate(viewer)
        say(plain_text(evaluation))
        _arrange(viewer, run)
        if out is not None:
            files = _save(viewer, run, evaluation, out)
            say(f'{out}: {", ".join(files)}')
        if stay:
            import napari

            napari.run()
    except _WindowClosedError:
        return
    finally:
        if not stay:
            viewer.close()


def _check_screen() -> None:
    screens = ('DISPLAY', 'WAYLAND_DISPLAY')
    if sys.platform.startswith('linux') and not any(
        os.environ.get(name) for name in screens
    ):
        raise InputError(
            'There is no screen to show a window on.',
            'Use "xvfb-run -a napari-adacs demo --headless -o DIR".',
        )


def _open_window() -> napari.Viewer:
    try:
        import napari
        from napari.qt import get_qapp

        get_qapp()
    except ImportError as error:
        raise InputError(
            'napari cannot open a window: there is no Qt binding.',
            "Install one, for example with pip install 'napari[all]'.",
        ) from error
    _know_ourselves()
    viewer = napari.Viewer(title='napari-adacs demo')
    viewer.window.resize(*_WINDOW)
    viewer.open_sample(PLUGIN, 'echo3d')
    return viewer


def _know_ourselves() -> None:
    """Tell npe2 of the plugin if it runs from the source tree."""
    from npe2 import PluginManager, PluginManifest

    manager = PluginManager.instance()
    manager.discover()
    if PLUGIN not in manager:
        manager.register(PluginManifest.from_file(_MANIFEST))


def _register(viewer: napari.Viewer) -> Run:
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, 'Register')
    dock.form.labels.choose(viewer.layers['echo3d_ED_labels'])
    _press(viewer, dock)
    if dock.last_run is None:
        raise AdacsError(dock.results.message.text())
    run: Run = dock.last_run
    return run


def _evaluate(viewer: napari.Viewer) -> Evaluation:
    _, dock = viewer.window.add_plugin_dock_widget(
        PLUGIN, 'Evaluate', tabify=True
    )
    _wait(viewer, lambda: dock.form.runs.run() is not None)
    _press(viewer, dock)
    if dock.evaluation is None:
        raise AdacsError(dock.caption.text())
    evaluation: Evaluation = dock.evaluation
    return evaluation


def _arrange(viewer: napari.Viewer, run: Run) -> None:
    """Make room for the picture: outlines in place of filled labels."""
    labels = _warped_labels(viewer, run)
    if labels is not None:
        labels.contour = 1
        labels.opacity = 1.0
        viewer.layers.selection.active = labels
    viewer.reset_view()
    _settle(viewer)


def _warped_labels(viewer: napari.Viewer, run: Run) -> Labels | None:
    return ResultGroup(viewer, run.group_id).layers().get(Role.LABELS)


def _press(viewer: napari.Viewer, dock: Any) -> None:
    """Press the button of a dock and wait for the end of its job."""
    button = dock.run_bar.button
    try:
        _wait(viewer, lambda: button.isEnabled(), patience_s=5)
    except TimeoutError:
        raise AdacsError(dock.preflight.text()) from None
    button.click()
    _wait(viewer, lambda: not dock.state.busy)


def _save(
    viewer: napari.Viewer,
    run: Run,
    evaluation: Evaluation,
    out: str | os.PathLike[str],
) -> list[str]:
    labels = _warped_labels(viewer, run)
    registered = Registered(
        run.result,
        find_model(run.result.model_name, run.result.field.grid.ndim),
        run.record['inputs'],
        run.record['command'],
        run.record['python'],
        None if labels is None else labels.data,
        evaluation,
    )
    files = save_result(out, registered)
    with staged_folder(out) as folder:
        viewer.screenshot(
            str(folder / SCREENSHOT), canvas_only=False, flash=False
        )
    return [*files, SCREENSHOT]


def _settle(viewer: napari.Viewer, seconds: float = 0.5) -> None:
    """Let the window draw what has changed."""
    end = time.monotonic() + seconds
    _wait(viewer, lambda: time.monotonic() > end)


def _wait(
    viewer: napari.Viewer,
    ready: Callable[[], bool],
    patience_s: float = _PATIENCE_S,
) -> None:
    """Serve the window until something is so."""
    from napari import current_viewer
    from napari.qt import get_qapp

    end = time.monotonic() + patience_s
    while True:
        get_qapp().processEvents()
        if current_viewer() is None:
            raise _WindowClosedError
        if ready():
            return
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(_PAUSE_S)
