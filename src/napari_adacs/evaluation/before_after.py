"""Each label compared before and after registration, by one set of rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from numpy.typing import ArrayLike

from napari_adacs.errors import InputError
from napari_adacs.evaluation import authors
from napari_adacs.evaluation.comparison import Comparison, compare_labels
from napari_adacs.evaluation.frame import Frame
from napari_adacs.evaluation.inputs import (
    LabelArray,
    as_labels,
    require_same_shape,
)

if TYPE_CHECKING:
    from napari_adacs.spatial.field import DisplacementField

Policy = Literal['linear', 'nearest']
Preset = Literal['default', 'code']

_NO_BEFORE = (
    'Nothing was compared before registration: moving and fixed labels have '
    'different shapes and no known grids.'
)


@dataclass(frozen=True, eq=False)
class Compared:
    """Comparisons of each label; a missing label was not compared.

    Parameters
    ----------
    before, after : dict of int to Comparison
        Fixed against moving and against warped labels.
    notes : tuple of str
        What holds for all of them.
    """

    before: dict[int, Comparison]
    after: dict[int, Comparison]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """How labels are warped and compared; see `evaluate`.

    Raises
    ------
    InputError
        If there is no such policy or preset.
    """

    policy: Policy = 'linear'
    preset: Preset = 'default'

    def __post_init__(self) -> None:
        if self.policy not in ('linear', 'nearest'):
            raise InputError(
                f"Labels are warped 'linear' or 'nearest', not "
                f'{self.policy!r}.'
            )
        if self.preset not in ('default', 'code'):
            raise InputError(
                f"The preset is 'default' or 'code', not {self.preset!r}."
            )

    def adapt(self, frame: Frame) -> Frame:
        """Return the frame in which these rules measure."""
        return authors.in_voxels(frame) if self.preset == 'code' else frame


def compare_before_after(
    moving: LabelArray,
    fixed: LabelArray,
    field: DisplacementField | None,
    warped_labels: ArrayLike | None,
    wanted: list[int],
    frame: Frame,
    rules: Rules,
) -> Compared:
    """Compare the fixed labels with the moving and the warped ones.

    Raises
    ------
    InputError
        If the warped labels do not fit, or the rules need a field.
    """
    copied = frame.moving_on_fixed_grid(moving, fixed.shape)
    notes = () if copied is not None else (_NO_BEFORE,)
    if rules.preset == 'code':
        authors.require_field(warped_labels, field)
        return Compared(
            _strictly(fixed, copied, wanted),
            authors.compare_any_positive(fixed, moving, field, wanted),
            (*notes, authors.NOTE),
        )
    warped = _warped(moving, fixed, field, warped_labels, rules.policy)
    before, after = (
        {}
        if other is None
        else compare_labels(fixed, other, wanted, frame.spacing)
        for other in (copied, warped)
    )
    return Compared(before, after, notes)


def _strictly(
    fixed: LabelArray, other: LabelArray | None, wanted: list[int]
) -> dict[int, Comparison]:
    if other is None:
        return {}
    return {
        label: authors.without_empty(fixed == label, other == label)
        for label in wanted
    }


def _warped(
    moving: LabelArray,
    fixed: LabelArray,
    field: DisplacementField | None,
    warped_labels: ArrayLike | None,
    policy: Policy,
) -> LabelArray | None:
    if warped_labels is not None:
        warped = as_labels(warped_labels, 'warped labels')
        require_same_shape(warped, fixed, ('warped labels', 'fixed labels'))
        return warped
    if field is None:
        return None
    return as_labels(field.warp_labels(moving, method=policy), 'warped labels')
