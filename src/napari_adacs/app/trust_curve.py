"""Does a map of a registration know where its errors are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

from napari_adacs.app.label_evaluation import check_place
from napari_adacs.app.layer_specs import Role
from napari_adacs.app.layers import LayerImage, image_of
from napari_adacs.app.metric_table import save_records
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.errors import InputError
from napari_adacs.evaluation.sparsification import (
    Sparsification,
    sparsification,
)
from napari_adacs.evaluation.tables import Cell, tab_separated_rows
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.progress import Progress, Reporter

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.session import LayerRef, Run

# What a map is called as an uncertainty. Only the order of voxels matters.
_UNCERTAINTY = {Role.VARIANCE: 'variance', Role.SCORE: '1 − score'}


class Region(StrEnum):
    """Where to look."""

    WHOLE = 'whole image'
    SIGNAL = 'image above 0'
    LABELS = 'fixed labels'


@dataclass(frozen=True, eq=False)
class TrustRequest:
    """What to plot.

    Parameters
    ----------
    run : Run
        A finished registration.
    role : Role
        The map, one of `maps_of(run)`.
    region : Region
        Where to look.
    mask : LayerImage or None
        What limits the region: the fixed image or the fixed labels.
    """

    run: Run
    role: Role
    region: Region = Region.WHOLE
    mask: LayerImage | None = None

    @property
    def uncertainty(self) -> str:
        """What the map is called as an uncertainty."""
        return _UNCERTAINTY[self.role]

    def __str__(self) -> str:
        return f'{self.uncertainty}, {self.region}, {self.run.title}'


@dataclass(frozen=True, eq=False)
class TrustTable:
    """Curves of a map, and what they are about.

    Parameters
    ----------
    request : TrustRequest
        What was asked.
    curves : Sparsification
        The curves and the areas between them.
    """

    request: TrustRequest
    curves: Sparsification

    def sentence(self) -> str:
        """Say what the areas come to."""
        found = self.curves
        best = found.ause + found.aurg  # what the oracle gains
        share = f', {100 * found.aurg / best:.0f} % of what the oracle gains'
        return (
            f'AUSE {found.ause:.3g} (0 is best). AURG {found.aurg:.3g}'
            f'{share if best > 0 else ""} over removal at random. Error: '
            f'squared residual, {found.fractions.size - 1:,} voxels.'
        )

    def records(self) -> list[dict[str, Cell]]:
        """Return the curves at 201 fractions."""
        thin = self.curves.thinned()
        return [
            {
                'removed fraction': float(x),
                'mean error': float(y),
                'oracle': float(z),
                'random': thin.random,
                'AUSE': thin.ause,
                'AURG': thin.aurg,
                'map': self.request.uncertainty,
                'region': str(self.request.region),
                'registration': self.request.run.title,
            }
            for x, y, z in zip(
                thin.fractions, thin.curve, thin.oracle, strict=True
            )
        ]

    def save(self, path: str) -> None:
        """Write the curves as CSV or Markdown, as the name says.

        Raises
        ------
        InputError
            If the name ends otherwise or the file cannot be written.
        """
        save_records(path, self.records(), {'removed fraction': 3})

    def text(self) -> str:
        """Return the curves as spreadsheets paste them."""
        return tab_separated_rows(self.records())


def maps_of(run: Run) -> list[Role]:
    """Return the maps of a registration that can be judged."""
    return [role for role in _UNCERTAINTY if _values(run, role) is not None]


def shown_map(viewer: ViewerModel, run: Run) -> Role | None:
    """Return the map that a viewer shows, the uppermost; else any or None."""
    maps = maps_of(run)
    for role, layer in reversed(
        ResultGroup(viewer, run.group_id).layers().items()
    ):
        if role in maps and layer.visible:
            return role
    return maps[0] if maps else None


def uncertainty_name(role: Role) -> str:
    """Return what a map is called as an uncertainty."""
    return _UNCERTAINTY[role]


def trust_request(
    viewer: ViewerModel,
    run: Run,
    role: Role,
    region: Region,
    labels: LayerImage | None,
) -> TrustRequest:
    """Prepare a request; what a layer is needed for, is read later.

    Parameters
    ----------
    viewer : ViewerModel
        Where the fixed image may be.
    run : Run
        The registration.
    role : Role
        The map.
    region : Region
        Where to look.
    labels : LayerImage or None
        The fixed labels, if some are chosen.

    Raises
    ------
    InputError
        If the layer that limits the region is not there, or elsewhere.
    """
    mask = None
    if region is Region.LABELS:
        if labels is None:
            raise InputError(
                'There are no fixed labels to look at.',
                'Open them, or choose the whole image.',
            )
        mask = labels
    elif region is Region.SIGNAL:
        mask = _image(viewer, run.fixed)
    if mask is not None:
        registered = ImageOnGrid(mask.source, _grid(run), 'registration')
        check_place(ImageOnGrid(mask.source, mask.grid, mask.name), registered)
    return TrustRequest(run, role, region, mask)


def trust_curve(
    request: TrustRequest, progress: Progress, cancel: Event
) -> TrustTable:
    """Compute the sparsification of a map; call it in a worker.

    The error is the squared residual of the scaled images.

    Raises
    ------
    InputError
        If the region is empty.
    CancelledError
        If `cancel` was set.
    """
    report = Reporter(progress, cancel)
    report(0.0, 'Reading the maps')
    values = _values(request.run, request.role)
    if values is None:
        raise InputError(
            f'The model gives no {request.role}.', 'Choose another map.'
        )
    doubt = 1 - values if request.role is Role.SCORE else values
    mask = None if request.mask is None else _mask(request)
    report(0.3, 'Sorting voxels')
    error = np.square(request.run.result.residual, dtype=np.float64)
    found = sparsification(error, doubt, mask=mask)
    report.check()
    return TrustTable(request, found)


def _mask(request: TrustRequest) -> NDArray[np.bool_]:
    """Return where to look, on the grid of the registration."""
    if request.mask is None:
        raise ValueError('the request has no mask')
    image, grid = request.mask.load(), _grid(request.run)
    inside = np.asarray(image.data) > 0
    known = image.grid.units == grid.units
    if inside.shape != grid.shape or (
        known and not image.grid.same_space(grid)
    ):
        inside = affine_transform(
            inside.astype(np.uint8),
            grid.index_map_to(image.grid),
            output_shape=grid.shape,
            order=0,
        ).astype(bool)
    if not inside.any():
        raise InputError(
            f'There is no voxel in the region ({request.region}).',
            'Choose the whole image.',
        )
    return inside


def _image(viewer: ViewerModel, reference: LayerRef) -> LayerImage:
    layer: Any = reference.find(viewer)
    if layer is None:
        raise InputError(
            f"The fixed image '{reference}' is no longer there.",
            'Open it again, or choose the whole image.',
        )
    return image_of(layer, reference.frame, 'fixed image')


def _grid(run: Run) -> Any:
    return run.result.field.grid


def _values(run: Run, role: Role) -> NDArray[np.float32] | None:
    if role is Role.VARIANCE:
        return run.result.variance
    return run.result.score if role is Role.SCORE else None
