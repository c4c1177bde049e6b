"""Showing one view of a registration at a time, and nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari_adacs.app.result_layers import is_view_layer, tag
from napari_adacs.app.review.caption import Caption
from napari_adacs.app.review.curtain import Curtain
from napari_adacs.app.review.host import Host
from napari_adacs.app.review.layer_pool import LayerPool
from napari_adacs.app.review.pair import Other, Pair, pair_of
from napari_adacs.app.review.views.base import View
from napari_adacs.app.review.views.registry import VIEWS
from napari_adacs.errors import AdacsError

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from napari.utils.events import Event

    from napari_adacs.app.session import LayerRef, Run

_OWNER = 'view'
_INSTEAD_IN_3D = 'overlay'


class ViewSwitch:
    """The views of a registration in one viewer.

    While a view is on, images, results and the labels of the pair are hidden
    and the layers of the view shown; what else a person draws or marks stays
    in sight. Switched off, everything is as it was.

    Parameters
    ----------
    viewer : ViewerModel
        Where to show the views.
    home : ViewerModel, optional
        Where the layers of the registration are; `viewer` if omitted.
    curtain : Curtain, optional
        Hides the user's layers.
    on_change : callable, optional
        Called when another view is on, or none.
    say : callable, optional
        Called with a sentence for the person; empty when all is well.
    host : Host, optional
        The window of the viewer.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        home: ViewerModel | None = None,
        *,
        curtain: Curtain | None = None,
        on_change: Callable[[], None] = lambda: None,
        say: Callable[[str], None] = lambda text: None,
        host: Host | None = None,
    ) -> None:
        self._viewer = viewer
        self._home = viewer if home is None else home
        self._curtain = curtain or Curtain()
        self._on_change = on_change
        self._say = say
        self._host = host or Host()
        self._caption = Caption(viewer)
        self._run: Run | None = None
        self._pair: Pair | None = None
        self._pool: LayerPool | None = None
        self._values: dict[str, dict[str, float]] = {}
        self.name: str | None = None
        self.view: View | None = None
        self.other: Other = 'warped'
        self.fixed_labels: LayerRef | None = None

    @property
    def run(self) -> Run | None:
        """The registration that is shown."""
        return self._run

    def set_run(self, run: Run | None) -> None:
        """Show another registration in the same view; None switches off."""
        self._run = run
        self._show(None if run is None else self.name)

    def toggle(self, name: str) -> None:
        """Switch a view on, or off if it is on."""
        self._show(None if name == self.name else name)

    def show(self, name: str | None) -> None:
        """Show a view, or none."""
        if name != self.name:
            self._show(name)

    def compare_with(self, other: Other) -> None:
        """Compare the fixed image with the warped or the moving one."""
        self.other = other
        self._show(self.name)

    def choose_labels(self, labels: LayerRef | None) -> None:
        """Take other labels as those of the fixed image."""
        self.fixed_labels = labels
        if self.name == 'contours':
            self._show(self.name)

    def set_value(self, option: str, value: float) -> None:
        """Set an option of the view that is on."""
        if self.view is not None and self.name is not None:
            self._values.setdefault(self.name, {})[option] = value
            self.view.set_value(option, value)

    @property
    def values(self) -> dict[str, dict[str, float]]:
        """Options that were set, by view."""
        return self._values

    def like(self, other: ViewSwitch) -> None:
        """Show what another switch shows; values that differ are set."""
        same = (self._run, self.other, self.fixed_labels) == (
            other.run,
            other.other,
            other.fixed_labels,
        )
        if not same or self.name != other.name:
            self._run, self.other = other.run, other.other
            self.fixed_labels = other.fixed_labels
            self._values = {k: dict(v) for k, v in other.values.items()}
            self._show(other.name)
        elif self.view is not None and other.view is not None:
            for option, value in other.view.values.items():
                if self.view.values.get(option, value) != value:
                    self.set_value(option, value)

    def tick(self) -> None:
        """Take the next step of a view that moves."""
        if self.view is not None:
            self.view.tick()
            self._caption.show(self.view.caption)

    def refresh(self) -> None:
        """Read everything anew, after a registration was repeated."""
        self._show(self.name)

    def close(self) -> None:
        """Leave the viewer as it was found."""
        self._show(None)
        self._run = None

    # ---- on and off --------------------------------------------------------

    def _show(self, name: str | None) -> None:
        self._unfollow()
        self.view, self.name = None, None
        self._say('')
        if name is not None and self._run is not None:
            self._try(name, self._run)
        if self.view is not None:
            self._curtain.hide(_OWNER, self._hidden_by_views())
            self._follow()
        else:
            self._remove_layers()
            self._curtain.lift(_OWNER)
        self._caption.show('' if self.view is None else self.view.caption)
        self._on_change()

    def _try(self, name: str, run: Run) -> None:
        """Make a view and show it; say so if that cannot be."""
        try:
            pair = pair_of(self._home, run, self.other, self.fixed_labels)
            pool = self._pool_for(pair)
            pool.release()
            self.view = self._make(name, pair, pool)
        except AdacsError as error:
            self._say(str(error))
            return
        self.name, self._pair = name, pair
        pool.show(self.view.layers)
        pool.hide_unused()

    def _make(self, name: str, pair: Pair, pool: LayerPool) -> View:
        view, dims = VIEWS[name], self._viewer.dims
        if dims.ndisplay == 3 and view.only_flat:
            self._say(view.only_flat)
            name = _INSTEAD_IN_3D
            view = VIEWS[name]
        return view(pair, dims, pool, self._values.get(name))

    def _pool_for(self, pair: Pair) -> LayerPool:
        """Return the layers in use, or new ones for another place."""
        if (
            self._pool is None
            or self._pair is None
            or (self._pair.grid is not pair.grid)
        ):
            self._remove_layers()
            bars = self._home is self._viewer
            self._pool = LayerPool(
                self._viewer, pair.placement, bars=bars, host=self._host
            )
        return self._pool

    def _remove_layers(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.remove()

    def _hidden_by_views(self) -> list[Layer]:
        """Return what would cover a view: images, results, their labels."""
        from napari.layers import Image

        chosen = self._pair.label_sources if self._pair is not None else ()
        return [
            layer
            for layer in self._viewer.layers
            if not is_view_layer(layer)
            and (
                isinstance(layer, Image)
                or tag(layer) is not None
                or str(layer.unique_id) in chosen
            )
        ]

    # ---- following the viewer ----------------------------------------------

    def _follow(self) -> None:
        dims = self._viewer.dims.events
        dims.current_step.connect(self._on_dims)
        dims.order.connect(self._on_dims)
        dims.ndisplay.connect(self._on_ndisplay)
        self._viewer.layers.events.removed.connect(self._on_removed)
        if self._home is not self._viewer:
            self._home.layers.events.removed.connect(self._on_removed)

    def _unfollow(self) -> None:
        dims = self._viewer.dims.events
        dims.current_step.disconnect(self._on_dims)
        dims.order.disconnect(self._on_dims)
        dims.ndisplay.disconnect(self._on_ndisplay)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        if self._home is not self._viewer:
            self._home.layers.events.removed.disconnect(self._on_removed)

    def _on_dims(self, event: Any = None) -> None:
        if self.view is not None:
            self.view.follow()

    def _on_ndisplay(self, event: Any = None) -> None:
        if self._pool is not None:
            self._pool.release()
            self._pool.hide_unused()
        self._host.later(self.refresh)

    def _on_removed(self, event: Event) -> None:
        """Switch off when a person takes away what the view stands on."""
        if self.view is None or self._pair is None:
            return
        key = str(event.value.unique_id)
        ours = [] if self._pool is None else self._pool.layers
        if any(str(layer.unique_id) == key for layer in ours):
            self._host.later(lambda: self.show(None))
        elif key in self._pair.sources:
            title = self.view.title
            name = event.value.name
            self._host.later(lambda: self._off_without(title, name))

    def _off_without(self, title: str, layer: str) -> None:
        self.show(None)
        self._say(f"{title} was switched off: '{layer}' was removed.")
