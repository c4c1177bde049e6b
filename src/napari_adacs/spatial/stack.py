"""Stacks of slices that are thick or far apart, such as short-axis cine."""

from __future__ import annotations

from napari_adacs.spatial.grid import Grid

# Slices this many times further apart than the voxels within are a stack of
# images rather than a volume. Echo volumes stay below 1.4; cine is at 2 to 10.
_STACKED_FROM = 1.8


def slice_axis(grid: Grid) -> int | None:
    """Return the axis across the slices of a stack.

    Parameters
    ----------
    grid : Grid
        Grid of an image.

    Returns
    -------
    int or None
        None for 2D images and for volumes, also where no size is known.
    """
    if grid.ndim == 2:
        return None
    *_, within, across = sorted(grid.spacing)
    if across < _STACKED_FROM * within:
        return None
    return grid.spacing.index(across)


def slices_first(grid: Grid) -> Grid:
    """Return the grid of a stack with the axis across its slices first.

    Parameters
    ----------
    grid : Grid
        A grid that has a `slice_axis`; others are returned as they are.
    """
    axis = slice_axis(grid)
    if axis is None:
        return grid
    order = [axis, *(a for a in range(grid.ndim) if a != axis)]
    return grid.reordered(order, [1] * grid.ndim)
