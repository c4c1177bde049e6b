"""Names of labels, and matching two segmentations by them.

Two people may have numbered the same structures differently. napari keeps
what is known about labels in the features table of their layer: a column
'index' has the values, another the names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError

if TYPE_CHECKING:
    from napari.layers import Labels

_COLUMNS = ('name', 'label', 'structure', 'region', 'class')


@dataclass(frozen=True, eq=False)
class Matching:
    """How values of the moving labels become those of the fixed ones.

    Parameters
    ----------
    values : mapping of int to int
        New value of each moving label.
    names : mapping of int to str
        Names of all labels by the values of the fixed ones, those of moving
        labels without counterpart included.
    """

    values: Mapping[int, int]
    names: Mapping[int, str]

    def apply(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return the moving labels with their new values."""
        old, places = np.unique(labels, return_inverse=True)
        new = np.array([self.values.get(int(n), int(n)) for n in old])
        matched: NDArray[Any] = new[places].reshape(labels.shape)
        return matched


def label_names(layer: Labels) -> dict[int, str]:
    """Return the names in the features of a layer, by value.

    Parameters
    ----------
    layer : Labels
        With a column of text called name, label, structure, region or class
        in its features. The column 'index' has the values; without it the
        first row is value 0, as napari reads them.
    """
    features = layer.features
    columns = {str(name).strip().lower(): name for name in features.columns}
    for wanted in _COLUMNS:
        if wanted not in columns:
            continue
        texts = list(features[columns[wanted]])
        if not any(isinstance(text, str) for text in texts):
            continue
        values = range(len(texts))
        if 'index' in columns:
            values = features[columns['index']]
        return {
            int(value): text.strip()
            for value, text in zip(values, texts, strict=True)
            if isinstance(text, str) and text.strip() and int(value) != 0
        }
    return {}


def check_names(names: Mapping[int, str], role: str) -> None:
    """Check that labels can be told apart by their names.

    Raises
    ------
    InputError
        If there is no name, or two labels have the same.
    """
    if not names:
        raise InputError(
            f'The {role} labels have no names.',
            "Give the layer a features table with columns 'index' and "
            "'name', or match by value.",
        )
    key, count = Counter(map(_key, names.values())).most_common(1)[0]
    if count > 1:
        raise InputError(
            f"{count} of the {role} labels are called '{key}'.",
            'Give each its own name, or match by value.',
        )


def match_by_name(
    moving: NDArray[Any],
    fixed: NDArray[Any],
    moving_names: Mapping[int, str],
    fixed_names: Mapping[int, str],
) -> Matching:
    """Find the fixed label of the same name for each moving label.

    Upper and lower case are the same. A moving label without counterpart
    gets a value that the fixed labels do not have.

    Parameters
    ----------
    moving, fixed : numpy.ndarray of int
        The segmentations.
    moving_names, fixed_names : mapping of int to str
        Names by value.

    Raises
    ------
    InputError
        If names are missing or ambiguous.
    """
    check_names(moving_names, 'moving')
    check_names(fixed_names, 'fixed')
    by_name = {_key(name): value for value, name in fixed_names.items()}
    found = [int(n) for n in np.unique(moving) if n != 0]
    taken = {*map(int, np.unique(fixed)), *fixed_names, *found}
    free = max(taken, default=0) + 1
    values, names = {}, dict(fixed_names)
    for value in found:
        name = moving_names.get(value, '')
        target = by_name.get(_key(name)) if name else None
        if target is None:
            target, free = free, free + 1
            names[target] = name or f'(moving {value})'
        values[value] = target
    return Matching(values, names)


def _key(name: str) -> str:
    return ' '.join(name.casefold().split())
