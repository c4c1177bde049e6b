"""Paired landmarks in a viewer, and how far the registration misses them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.layers import layer_kwargs

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Points

    from napari_adacs.app.session import LayerRef, Run
    from napari_adacs.spatial.field import DisplacementField
    from napari_adacs.spatial.grid import Grid

    World = dict[str, list[list[float]]]

LANDMARKS_KEY = 'napari_adacs_landmarks'
SIDES = ('fixed', 'moving')
WARPED = 'warped'
# Colours of the palette of Okabe and Ito, and a shape for each.
_LOOKS: dict[str, dict[str, Any]] = {
    'fixed': {'border_color': '#009E73', 'symbol': 'disc'},
    'moving': {'border_color': '#CC79A7', 'symbol': 'square'},
    'warped': {'border_color': '#CC79A7', 'symbol': 'cross'},
}
_STEPS = 60
_CLOSE = 1e-4  # voxels


@dataclass(frozen=True)
class LandmarkRow:
    """A pair of landmarks.

    Parameters
    ----------
    before, after : float or None
        Distance in mm (or voxels) before and after registration; None
        while one of the two is missing.
    note : str
        What to know about it.
    """

    before: float | None = None
    after: float | None = None
    note: str = ''


class Landmarks:
    """The landmark layers of a registration in a viewer.

    Fixed and moving points belong together in their order. A third layer
    shows where the moving points arrive on the fixed image.

    Parameters
    ----------
    viewer : ViewerModel
        Where the layers are.
    run : Run
        The registration.
    """

    def __init__(self, viewer: ViewerModel, run: Run) -> None:
        self._viewer = viewer
        self._run = run

    @property
    def field(self) -> DisplacementField:
        """The registration."""
        return self._run.result.field

    @property
    def units(self) -> str:
        """Unit of distances."""
        return 'mm' if self.field.grid.units == 'mm' else 'voxels'

    def layer(self, side: str) -> Points | None:
        """Return the layer of a side, or None."""
        for layer in self._viewer.layers:
            about = layer.metadata.get(LANDMARKS_KEY)
            if about == {'group': self._run.group_id, 'side': side}:
                return layer
        return None

    @property
    def shown(self) -> bool:
        """Whether both layers of a person's points are there."""
        return all(self.layer(side) is not None for side in SIDES)

    def show(self, world: World | None = None) -> None:
        """Add the layers that are missing.

        Parameters
        ----------
        world : dict of str to list, optional
            Points to start with, world positions in LPS (x, y[, z]).
        """
        for side in ('moving', WARPED, 'fixed'):
            if self.layer(side) is None:
                points = (world or {}).get(side, [])
                self._add(side, self._to_voxels(side, points))
        self.refresh()

    def remove(self) -> None:
        """Remove the layers."""
        for side in (*SIDES, WARPED):
            layer = self.layer(side)
            if layer is not None:
                self._viewer.layers.remove(layer)

    def world(self) -> World:
        """Return the points of both sides in the world, LPS."""
        found = {}
        for side in SIDES:
            layer = self.layer(side)
            points = [] if layer is None else layer.data
            grid = self._grid(side)
            found[side] = (
                grid.index_to_world(points).tolist() if len(points) else []
            )
        return found

    def rows(self) -> list[LandmarkRow]:
        """Measure every pair; see `evaluation.landmarks`."""
        from napari_adacs.evaluation.landmarks import (
            target_registration_error,
        )

        world = self.world()
        moving, fixed = world['moving'], world['fixed']
        pairs = min(len(moving), len(fixed))
        rows = []
        if pairs:
            errors = target_registration_error(
                moving[:pairs], fixed[:pairs], self.field
            )
            after = errors.before if errors.after is None else errors.after
            for k in range(pairs):
                note = 'outside the field' if errors.outside[k] else ''
                rows.append(
                    LandmarkRow(float(errors.before[k]), float(after[k]), note)
                )
        missing = 'fixed' if len(moving) > len(fixed) else 'moving'
        for _ in range(max(len(moving), len(fixed)) - pairs):
            rows.append(LandmarkRow(note=f'{missing} point missing'))
        return rows

    def refresh(self) -> None:
        """Number the points, and show where the moving ones arrive."""
        moving, warped = self.layer('moving'), self.layer(WARPED)
        if moving is not None and warped is not None:
            arrived = self._carried(np.asarray(moving.data))
            if arrived.shape != warped.data.shape or not np.allclose(
                arrived, warped.data
            ):
                warped.data = arrived
        for side in (*SIDES, WARPED):
            layer = self.layer(side)
            if layer is not None:
                _number(layer)

    def remove_pairs(self, indices: Sequence[int], side: str = '') -> None:
        """Remove points from the sides.

        Parameters
        ----------
        indices : sequence of int
            Which ones.
        side : str, default: ''
            Only from this side; from both if empty.
        """
        for one in SIDES if not side else (side,):
            layer = self.layer(one)
            if layer is None:
                continue
            there = [i for i in indices if i < len(layer.data)]
            if there:
                layer.selected_data = set()
                layer.data = np.delete(np.asarray(layer.data), there, axis=0)

    def _add(self, side: str, points: NDArray[np.float64]) -> None:
        from napari.layers import Points

        reference = self._run.moving if side == 'moving' else self._run.fixed
        layer = Points(
            points,
            ndim=self.field.grid.ndim,
            name=f'landmarks {side}',
            metadata={
                LANDMARKS_KEY: {'group': self._run.group_id, 'side': side}
            },
            size=_size(self._grid(side)),
            face_color='transparent',
            border_width=0.15,
            out_of_slice_display=False,
            features={'number': np.arange(1, len(points) + 1)},
            text=_TEXT if side != WARPED else None,
            **_LOOKS[side],
            **self._placement(side, reference),
        )
        if side == WARPED:
            layer.editable = False
        self._viewer.add_layer(layer)

    def _placement(self, side: str, reference: LayerRef) -> dict[str, Any]:
        grid = self._grid(side)
        layer = reference.find(self._viewer)
        if layer is None:
            return layer_kwargs(grid)
        return layer_kwargs(layer, ndim=grid.ndim)

    def _grid(self, side: str) -> Grid:
        field = self.field
        if side == 'moving' and field.moving_grid is not None:
            return field.moving_grid
        return field.grid

    def _to_voxels(
        self, side: str, world: Sequence[Sequence[float]]
    ) -> NDArray[np.float64]:
        grid = self._grid(side)
        if not world:
            return np.zeros((0, grid.ndim))
        return grid.world_to_index(np.asarray(world, float))

    def _carried(self, moving: NDArray[Any]) -> NDArray[np.float64]:
        """Return where moving points arrive, in voxels of the fixed grid.

        Solves ``x + u(x) = p`` for each point by damped fixed-point
        iteration: no inverse of the whole field is needed.
        """
        from napari_adacs.spatial.sampling import read_at

        if not len(moving):
            return np.zeros((0, self.field.grid.ndim))
        world = self._grid('moving').index_to_world(moving)
        target = self.field.grid.world_to_index(world)
        found = target.copy()
        for _ in range(_STEPS):
            off = found + read_at(self.field.voxels, found) - target
            found -= off / 2
            if np.abs(off).max() < _CLOSE:
                break
        return found


_TEXT = {
    'string': '{number}',
    'size': 10,
    'color': 'white',
    'anchor': 'upper_left',
}


def _size(grid: Grid) -> float:
    """Return a size of points, in voxels, that suits an image."""
    return max(2.0, max(grid.shape) / 40)


def _number(layer: Points) -> None:
    count = len(layer.data)
    numbers = np.arange(1, count + 1)
    if not np.array_equal(layer.features.get('number', []), numbers):
        layer.features = {'number': numbers}


def mean_row(rows: Sequence[LandmarkRow]) -> LandmarkRow | None:
    """Return the mean of the complete pairs, or None."""
    whole = [r for r in rows if r.before is not None and r.after is not None]
    if not whole:
        return None
    return LandmarkRow(
        float(np.mean([r.before for r in whole])),
        float(np.mean([r.after for r in whole])),
        'mean',
    )
