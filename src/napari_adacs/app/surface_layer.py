"""The surface of a fixed label, coloured by its distance to the warped one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.layers import layer_kwargs
from napari_adacs.app.result_layers import companion
from napari_adacs.errors import InputError
from napari_adacs.evaluation.mesh import Mesh, mesh_distances, surface_mesh
from napari_adacs.registration.progress import Progress, Reporter

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Surface

    from napari_adacs.app.layer_evaluation import LayerEvaluation

SURFACE_KEY = 'napari_adacs_surface'
# Pale where the surfaces touch, as a surface without colour would be; darker
# the further they are apart, which the colour-blind see as well. The steps of
# ColorBrewer's YlOrRd.
_COLOURS = ('#ffffcc', '#fed976', '#fd8d3c', '#e31a1c', '#a00026')
# Single vertices that are further away share the last colour.
_COLOURED_PERCENT = 98
_RIBBON = 0.5  # half width of a contour in 2D, in voxels


@dataclass(frozen=True, eq=False)
class ColouredSurface:
    """The surface of a label and its distances, ready for a layer.

    Parameters
    ----------
    label : int
        Value of the label.
    mesh : Mesh
        Surface of the fixed label, in voxels, without the steps of voxels;
        distances were measured before it was smoothed.
    distances : mapping of {'before', 'after'} to (N,) numpy.ndarray
        Distance of each vertex to the surface of the moving and of the
        warped label, in `units`; what was not compared is missing.
    units : {'mm', 'voxel'}
        Unit of the distances.
    """

    label: int
    mesh: Mesh
    distances: dict[str, NDArray[np.float64]]
    units: str

    @property
    def limits(self) -> tuple[float, float]:
        """Colour limits: the same before and after, a round number."""
        highest = max(
            float(np.percentile(values, _COLOURED_PERCENT))
            for values in self.distances.values()
        )
        return 0.0, _rounded_up(highest)

    def sentence(self, when: str) -> str:
        """Say how far the surfaces are from each other."""
        if when not in self.distances:
            return ''
        values = self.distances[when]
        unit = 'mm' if self.units == 'mm' else 'voxels'
        return (
            f'{when.capitalize()}: mean {values.mean():.2f}, 95 % below '
            f'{np.percentile(values, 95):.2f}, largest {values.max():.2f} '
            f'{unit}.'
        )


def coloured_surface(
    evaluated: LayerEvaluation,
    label: int,
    progress: Progress,
    cancel: Event,
) -> ColouredSurface:
    """Measure the surface of a fixed label; call it in a worker.

    Raises
    ------
    InputError
        If the label is missing in the fixed labels, or in all others.
    CancelledError
        If `cancel` was set.
    """
    report = Reporter(progress, cancel)
    report(0.0, 'Finding the surface')
    found = evaluated.found
    mesh = surface_mesh(found.fixed == label)
    if not len(mesh):
        raise InputError(
            f'Label {label} is missing in the fixed labels.',
            'Choose a label that they have.',
        )
    distances = {}
    sides = (('before', found.before, 0.0), ('after', found.warped, 0.5))
    for when, labels, done in sides:
        other = None if labels is None else surface_mesh(labels == label)
        if other is not None and len(other):
            distances[when] = mesh_distances(
                mesh,
                other,
                found.evaluation.spacing,
                partial(_measuring, report, done),
            )
    if not distances:
        raise InputError(
            f'Label {label} is missing in the moving labels.',
            'Choose a label that both have.',
        )
    drawn = mesh.smoothed()
    return ColouredSurface(label, drawn, distances, found.grid.units)


def _measuring(report: Reporter, done: float, part: float) -> None:
    report(done + part / 2, 'Measuring the surface')


def show_surface(
    viewer: ViewerModel,
    evaluated: LayerEvaluation,
    surface: ColouredSurface,
    when: str,
) -> Surface:
    """Add the surface as a layer, or recolour the one that is there.

    The layer lies where the fixed labels lie. It is found again by its
    metadata; a person's looks stay. A new one wants `show_colorbar`. What
    shows a registration is removed with its results.
    """
    from napari.layers import Surface

    key = _key(evaluated, surface.label)
    data = _layer_data(surface, when)
    unit = 'mm' if surface.units == 'mm' else 'voxels'
    fixed = evaluated.request.fixed_ref
    name = f'{fixed} {surface.label}: distance {when} ({unit})'
    layer = find_surface(viewer, evaluated, surface.label)
    if layer is not None:
        about = layer.metadata[SURFACE_KEY]
        layer.data = data
        if np.allclose(layer.contrast_limits, about['limits']):
            layer.contrast_limits = surface.limits
        if layer.name == about['name']:
            layer.name = name
    else:
        layer = Surface(
            data,
            name=name,
            colormap=_colormap(),
            contrast_limits=surface.limits,
            shading='smooth' if data[0].shape[1] == 3 else 'none',
            **_placement(viewer, evaluated),
        )
        viewer.add_layer(layer)
    run = evaluated.request.run
    layer.metadata = {
        **layer.metadata,
        **({} if run is None else companion(layer, run.group_id)),
        SURFACE_KEY: {
            'key': key,
            'layer': str(layer.unique_id),
            'name': layer.name,
            'limits': surface.limits,
            'when': when,
            'new': layer.metadata.get(SURFACE_KEY) is None,
            'evaluated': str(evaluated.request),
        },
    }
    return layer


def show_colorbar(layer: Surface) -> None:
    """Show the colour bar of a new surface; one that was hidden stays so."""
    if layer.metadata[SURFACE_KEY]['new']:
        layer.colorbar.visible = True


def find_surface(
    viewer: ViewerModel, evaluated: LayerEvaluation, label: int
) -> Surface | None:
    """Return the layer of a label's surface if the viewer has it."""
    key = _key(evaluated, label)
    for layer in viewer.layers:
        about = layer.metadata.get(SURFACE_KEY, {})
        own = about.get('layer') == str(layer.unique_id)
        if own and about.get('key') == key:
            return layer
    return None


def _colormap() -> Any:
    from napari.utils import Colormap

    return Colormap(_COLOURS, name='surface distance')


def _key(evaluated: LayerEvaluation, label: int) -> str:
    fixed = evaluated.request.fixed_ref
    return f'{fixed.layer_id}@{fixed.frame}:{label}'


def _placement(
    viewer: ViewerModel, evaluated: LayerEvaluation
) -> dict[str, Any]:
    """Return where the fixed labels are, or were."""
    layer = evaluated.request.fixed_ref.find(viewer)
    grid = evaluated.found.grid
    return layer_kwargs(grid if layer is None else layer, ndim=grid.ndim)


def _layer_data(
    surface: ColouredSurface, when: str
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Return vertices, faces and values as napari takes them."""
    mesh = surface.mesh
    values = surface.distances[when].astype(np.float32)
    if mesh.vertices.shape[1] == 2:
        return _ribbon(mesh, values)
    return mesh.vertices.astype(np.float32), mesh.faces, values


def _ribbon(
    contour: Mesh, values: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Return a contour as a band of triangles: lines have no colour map."""
    ends = contour.vertices[contour.faces]
    along = ends[:, 1] - ends[:, 0]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    length = np.linalg.norm(across, axis=1, keepdims=True)
    across *= _RIBBON / np.maximum(length, 1e-9)
    # corners 0 and 1 at the first end of each segment, 2 and 3 at the other
    corners = np.stack(
        [
            ends[:, 0] + across,
            ends[:, 0] - across,
            ends[:, 1] + across,
            ends[:, 1] - across,
        ],
        axis=1,
    )
    first = 4 * np.arange(len(ends))[:, None]
    faces = np.concatenate([first + [0, 1, 2], first + [1, 3, 2]])
    coloured = np.repeat(values[contour.faces], 2, axis=1)
    return (
        corners.reshape(-1, 2).astype(np.float32),
        faces,
        coloured.ravel(),
    )


def _rounded_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, ... and their tenths."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    steps = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
    return float(next(s * power for s in steps if s * power >= value * 0.999))
