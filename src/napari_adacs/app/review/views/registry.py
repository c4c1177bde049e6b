"""The views, in the order of their keys."""

from __future__ import annotations

from napari_adacs.app.review.views.arrows import Arrows
from napari_adacs.app.review.views.base import View
from napari_adacs.app.review.views.blink import Blink
from napari_adacs.app.review.views.checkerboard import Checkerboard
from napari_adacs.app.review.views.contours import Contours
from napari_adacs.app.review.views.deformed_grid import DeformedGrid
from napari_adacs.app.review.views.difference import Difference
from napari_adacs.app.review.views.overlay import Overlay
from napari_adacs.app.review.views.wipe import Wipe

_IN_ORDER: tuple[type[View], ...] = (
    Overlay,
    Blink,
    Checkerboard,
    Wipe,
    Difference,
    Contours,
    DeformedGrid,
    Arrows,
)
VIEWS: dict[str, type[View]] = {view.name: view for view in _IN_ORDER}
