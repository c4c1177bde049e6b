"""The slices of an evaluation as the viewer scrolls through them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_adacs.app.metric_table import NOTHING, save_records
from napari_adacs.app.viewer_slices import ViewerSlices
from napari_adacs.evaluation.slice_table import COLUMNS
from napari_adacs.evaluation.tables import tab_separated_rows

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.layer_evaluation import LayerEvaluation
    from napari_adacs.evaluation.slice_table import SliceCurves
    from napari_adacs.spatial.grid import Grid

_HEADINGS = {name: (heading, digits) for name, heading, digits in COLUMNS}
_DIGITS = {
    f'{heading} {when}': digits
    for _, heading, digits in COLUMNS
    for when in ('before', 'after')
}


class SliceView:
    """What to plot of an evaluation, along the axis the viewer scrolls.

    Parameters
    ----------
    viewer : ViewerModel
        What scrolls.
    evaluated : LayerEvaluation
        What was measured.
    """

    def __init__(
        self, viewer: ViewerModel, evaluated: LayerEvaluation
    ) -> None:
        self._viewer = viewer
        self._evaluated = evaluated
        self._slices = ViewerSlices(viewer, evaluated.found.grid)

    @property
    def grid(self) -> Grid:
        """Where the fixed labels lie."""
        return self._evaluated.found.grid

    @property
    def has_slices(self) -> bool:
        """Whether the labels are a volume."""
        return self.grid.ndim == 3

    @property
    def axis(self) -> int:
        """Array axis along which the slices follow each other."""
        return self._slices.axis

    @property
    def index(self) -> float:
        """The slice that the viewer shows."""
        return self._slices.index(self.axis)

    def curves(self, label: int | None) -> SliceCurves:
        """Return the curves of a label, or of the mean."""
        return self._evaluated.slices.curves(label, self.axis)

    def axis_title(self) -> str:
        """Return the title of the horizontal axis."""
        return f'slice along {self._axis_name()}'

    def distance_title(self, metric: str) -> str:
        """Return the title of the vertical axis of a distance."""
        return f'{_HEADINGS[metric][0]} ({self._unit})'

    def sentence(self, label: int | None, metric: str) -> str:
        """Say what the metrics are in the slice that the viewer shows."""
        if not self.has_slices:
            return (
                'The labels are 2D: they have no slices. Their table is above.'
            )
        curves = self.curves(label)
        index = round(self.index)
        title = f'{self._axis_name()} {index}:'
        if not 0 <= index < curves.n_slices:
            return f'{title} outside the image of the labels.'
        if all(
            values is None or np.isnan(values[index])
            for values in curves.values('dsc')
        ):
            what = 'no label' if label is None else f'label {label} is not'
            return f'{title} {what} in this slice.'
        parts = []
        for name in ('dsc', metric):
            heading, digits = _HEADINGS[name]
            known = [
                NOTHING
                if np.isnan(values[index])
                else f'{values[index]:.{digits}f}'
                for values in curves.values(name)
                if values is not None
            ]
            unit = '' if name == 'dsc' else f' {self._unit}'
            parts.append(f'{heading} {" → ".join(known)}{unit}')
        return f'{title} {", ".join(parts)}.'

    def go_to(self, place: float) -> None:
        """Show the slice nearest to a place on the horizontal axis."""
        last = self.grid.shape[self.axis] - 1
        index = int(np.clip(round(place), 0, last))
        if index != round(self.index) or abs(index - self.index) > 1e-6:
            self._slices.go_to(self.axis, index)

    def save(self, path: Path) -> None:
        """Write all slices along the axis as CSV or Markdown.

        Raises
        ------
        InputError
            If the name ends otherwise or the file cannot be written.
        """
        save_records(path, self._evaluated.slices.records(self.axis), _DIGITS)

    def tab_separated(self) -> str:
        """Return all slices along the axis, as spreadsheets paste them."""
        return tab_separated_rows(self._evaluated.slices.records(self.axis))

    @property
    def _unit(self) -> str:
        mm = self._evaluated.evaluation.units == 'mm'
        return 'mm' if mm else 'voxels'

    def _axis_name(self) -> str:
        """Return what the fixed layer calls the axis, or its number."""
        axis, ndim = self.axis, self.grid.ndim
        layer = self._evaluated.request.fixed_ref.find(self._viewer)
        name = '' if layer is None else str(layer.axis_labels[axis - ndim])
        named = name and not name.lstrip('-').isdigit()
        return name if named else f'axis {axis}'
