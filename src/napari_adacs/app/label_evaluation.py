"""Evaluate labels wherever they lie: files and layers bring grids."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.evaluation.before_after import Preset
from napari_adacs.evaluation.frame import Frame
from napari_adacs.evaluation.report import Evaluation, evaluate
from napari_adacs.registration.inputs import ImageOnGrid, overlap_fraction

if TYPE_CHECKING:
    from napari_adacs.spatial.field import DisplacementField
    from napari_adacs.spatial.grid import Grid

# A grey image taken for a segmentation has more values than this.
_MOST_LABELS = 256
_LEAST_OVERLAP = 0.01


@dataclass(frozen=True, eq=False)
class LabelEvaluation:
    """The table of a pair and the labels it is about.

    Parameters
    ----------
    evaluation : Evaluation
        A row per label and the mean.
    fixed : (*shape) numpy.ndarray of int
        The fixed labels.
    before : (*shape) numpy.ndarray of int or None
        The moving labels on the grid of the fixed ones, not displaced; None
        where their grids are unknown.
    warped : (*shape) numpy.ndarray of int or None
        The moving labels on the grid of the fixed ones; None without field.
    grid : Grid
        Where the fixed labels lie.
    """

    evaluation: Evaluation
    fixed: NDArray[Any]
    before: NDArray[Any] | None
    warped: NDArray[Any] | None
    grid: Grid

    @property
    def labels(self) -> list[int]:
        """Values in the table, without the mean."""
        return [int(row.label) for row in self.evaluation.rows]


def check_labels(labels: ImageOnGrid) -> ImageOnGrid:
    """Return the labels if they are a segmentation that can be compared.

    Raises
    ------
    InputError
        If values are not whole or negative, too many, or all background.
    """
    data, name = labels.data, labels.name
    if data.dtype.kind not in 'bui' or (data.size and data.min() < 0):
        raise InputError(
            f'The {name} are no segmentation: not all values are whole '
            'numbers from 0 up.',
            'Choose a label image.',
        )
    values = np.unique(data)
    if len(values) > _MOST_LABELS:
        raise InputError(
            f'The {name} have {len(values)} different values and look like '
            'an image.',
            'Choose its segmentation.',
        )
    if not values.any():
        raise InputError(
            f'The {name} are empty: all voxels are background.',
            'Choose a segmentation with at least one label.',
        )
    return labels


def check_place(first: ImageOnGrid, second: ImageOnGrid) -> None:
    """Check that two segmentations, or one and its image, share a world.

    Raises
    ------
    InputError
        If dimensions differ, a voxel size is unknown where it is needed, or
        they are in different places.
    """
    grids = first.grid, second.grid
    if first.grid.ndim != second.grid.ndim:
        raise InputError(
            f'The {first.name} have {first.grid.ndim} axes, the '
            f'{second.name} {second.grid.ndim}.',
            'Choose files or layers with the same number of axes.',
        )
    placed = _grid_in(second.grid, first)
    unknown = 'voxel' in {grid.units for grid in grids}
    if unknown and first.grid.shape != second.grid.shape:
        raise _unplaced(first, second.grid)
    if overlap_fraction(placed, second.grid) < _LEAST_OVERLAP:
        raise _elsewhere(first.name, second.name)


def check_same_labels(
    moving: ImageOnGrid,
    fixed: ImageOnGrid,
    wanted: Sequence[int] | None,
    option: str,
) -> None:
    """Check that what is to be compared occurs in both segmentations.

    Parameters
    ----------
    moving, fixed : ImageOnGrid
        The segmentations.
    wanted : sequence of int or None
        Labels that were asked for; they may be missing.
    option : str
        How to ask for labels, for the hint.

    Raises
    ------
    InputError
        If a label occurs in only one of them and nobody asked for it.
    """
    if wanted is not None:
        return
    found = [set(np.unique(labels.data)) - {0} for labels in (moving, fixed)]
    for here, there, name in (
        (found[1], found[0], moving.name),
        (found[0], found[1], fixed.name),
    ):
        missing = sorted(int(label) for label in here - there)
        if missing:
            both = ' '.join(str(int(n)) for n in sorted(here & there))
            hint = f'Compare the others with {option} {both}.'
            raise InputError(
                f'{_listed(missing)} missing in the {name}.',
                hint if both else 'The two have no label in common.',
            )


def evaluate_on_grids(
    moving: ImageOnGrid,
    fixed: ImageOnGrid,
    field: DisplacementField | None = None,
    *,
    labels: Sequence[int] | None = None,
    label_names: Mapping[int, str] | None = None,
    preset: Preset = 'default',
) -> LabelEvaluation:
    """Compare two segmentations before and after registration.

    Each may lie on a grid of its own: the field is brought to the grid of
    the fixed labels, which is where they are compared.

    Parameters
    ----------
    moving, fixed : ImageOnGrid
        Segmentations, 0 is background.
    field : DisplacementField, optional
        Pull-back displacement; only 'before' is filled without it.
    labels : sequence of int, optional
        Values to compare; by default all that occur in either.
    label_names : mapping of int to str, optional
        Names for the table.
    preset : {'default', 'code'}, default: 'default'
        Rules of the table, see `evaluate`.

    Raises
    ------
    InputError
        If either is no segmentation, or they do not fit each other or the
        field.
    """
    check_labels(moving)
    check_labels(fixed)
    check_place(moving, fixed)
    warped, grid = None, fixed.grid
    if field is not None:
        field = on_labels(field, moving, fixed)
        warped, grid = field.warp_labels(moving.data), field.grid
    moving_grid = _grid_in(grid, moving)
    evaluation = evaluate(
        moving.data,
        fixed.data,
        field,
        labels=labels,
        label_names=label_names,
        warped_labels=warped,
        grid=grid,
        moving_grid=moving_grid,
        preset=preset,
    )
    frame = Frame.find(moving.data, fixed.data, field, None, grid, moving_grid)
    before = frame.moving_on_fixed_grid(moving.data, fixed.data.shape)
    return LabelEvaluation(evaluation, fixed.data, before, warped, grid)


def on_labels(
    field: DisplacementField, moving: ImageOnGrid, fixed: ImageOnGrid
) -> DisplacementField:
    """Return the field from the grid of `moving` to the grid of `fixed`.

    Raises
    ------
    InputError
        If dimensions differ, a voxel size is unknown where it is needed, or
        the images are elsewhere.
    """
    _check_axes(field, fixed)
    target = _grid_in(field.grid, fixed)
    if not target.same_space(field.grid):
        if overlap_fraction(field.grid, target) < _LEAST_OVERLAP:
            raise _elsewhere(fixed.name, 'displacement')
        field = field.to_grid(target)
    return onto_moving(field, moving)


def onto_moving(
    field: DisplacementField, moving: ImageOnGrid
) -> DisplacementField:
    """Return the field for an image on the moving side, on any grid.

    Raises
    ------
    InputError
        If the image is elsewhere, or its voxel size is needed and unknown.
    """
    _check_axes(field, moving)
    source = _grid_in(field.grid, moving)
    if overlap_fraction(source, field.grid) < _LEAST_OVERLAP:
        raise _elsewhere(moving.name, 'displacement')
    same = source.same_space(field.grid)
    return dataclasses.replace(field, moving_grid=None if same else source)


def _grid_in(reference: Grid, image: ImageOnGrid) -> Grid:
    """Return the grid of an image in the world of the reference.

    Without a physical size, voxels of images with the same shape are taken
    to be the same.
    """
    if image.grid.units == reference.units:
        return image.grid
    if image.grid.shape == reference.shape:
        return reference
    raise _unplaced(image, reference)


def _check_axes(field: DisplacementField, image: ImageOnGrid) -> None:
    if image.grid.ndim != field.grid.ndim:
        raise InputError(
            f'A {field.grid.ndim}D displacement does not fit the '
            f'{image.grid.ndim}D {image.name}.',
            'Choose the displacement of these images.',
        )


def _unplaced(image: ImageOnGrid, reference: Grid) -> InputError:
    return InputError(
        f'The shape {image.grid.shape} of the {image.name} does not fit '
        f'{reference.shape}, and the voxel size of one is unknown.',
        'Use files that carry their voxel size, or layers with units.',
    )


def _elsewhere(name: str, other: str) -> InputError:
    return InputError(
        f'The {name} and the {other} lie in different places.',
        'Choose files or layers of one study, with their geometry.',
    )


def _listed(labels: Sequence[int]) -> str:
    if len(labels) == 1:
        return f'Label {labels[0]} is'
    shown = ', '.join(map(str, labels[:-1]))
    return f'Labels {shown} and {labels[-1]} are'
