"""Which figures of a run to draw, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_adacs.runs.figures import Curve, Figures

_POINTS = 400
_DECADES = 100.0
_VALIDATION = 'val_'
_HIDDEN = ('residual_',)
_TITLES = {
    'data': 'data term',
    'smoothness': 'smoothness',
    'dice': 'labels (Dice)',
    'motion': 'known motion',
    'correspondence': 'score: correspondence',
    'deficit': 'score: deficit',
    'variation': 'score: total variation',
    'likelihood': 'variance: likelihood',
    'momentum': 'momentum of the score',
    'gradient_displacement': 'gradient, displacement',
    'gradient_auxiliary': 'gradient, estimator',
    'val_dsc': 'mean DSC',
    'val_mse': 'squared residual',
    'val_folded': 'folded voxels (%)',
}
_MEANINGS = {
    'data': 'How much the warped image differs from the fixed one, weighted '
    'by the scheme.',
    'smoothness': 'Roughness of the motion, times its weight.',
    'dice': 'Overlap of the labels that guide the training.',
    'motion': 'Distance from the known motion of phantoms.',
    'correspondence': 'Residual where the score trusts it (AdaCS, Eq. 3).',
    'deficit': 'Keeps scores away from zero (AdaCS, Eq. 4).',
    'variation': 'Keeps the score map smooth (AdaCS, Eq. 8).',
    'likelihood': 'How well the variance explains the residual.',
    'momentum': 'Grows as the residual falls; weighs the smoothness of the '
    'score (AdaCS, Eq. 7).',
}
# What a person looks at first.
FIRST = ('data', 'smoothness')


@dataclass(frozen=True)
class Panel:
    """Curves that share an axis.

    Parameters
    ----------
    title : str
        What the axis shows.
    names : tuple of str
        Names of the figures.
    """

    title: str
    names: tuple[str, ...]


def terms(figures: Figures) -> list[str]:
    """Return the terms of the losses, those to look at first in front."""
    names = [n for n in figures if _is_term(n)]
    known = [n for n in _TITLES if n in names]
    return [*known, *(n for n in names if n not in known)]


def panels(figures: Figures, chosen: Iterable[str]) -> list[Panel]:
    """Return what to draw: chosen terms, the momentum, the validation."""
    wanted = set(chosen)
    dsc = tuple(n for n in figures if n.startswith('val_dsc'))
    rest = tuple(n for n in ('val_mse',) if n in figures and not dsc)
    found = [
        Panel('loss', tuple(n for n in terms(figures) if n in wanted)),
        Panel('momentum', ('momentum',) if 'momentum' in figures else ()),
        Panel('validation DSC', dsc),
        Panel('validation residual', rest),
    ]
    return [panel for panel in found if panel.names]


def title_of(name: str) -> str:
    """Return what a figure is called in the window."""
    if name in _TITLES:
        return _TITLES[name]
    if name.startswith('val_dsc_'):
        return f'label {name.removeprefix("val_dsc_")}'
    return name.replace('_', ' ')


def meaning_of(name: str) -> str:
    """Return what a figure says, in a sentence; '' if nobody knows."""
    return _MEANINGS.get(name, '')


def thinned(curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a curve with some hundred points, each the mean of several.

    A loss of single batches hides in its own noise.
    """
    steps = np.asarray(curve.steps, np.float64)
    values = np.asarray(curve.values, np.float64)
    width = -(-len(steps) // _POINTS)
    if width <= 1:
        return steps, values
    starts = np.arange(0, len(steps), width)
    counts = np.diff(np.append(starts, len(steps)))
    return (
        np.add.reduceat(steps, starts) / counts,
        np.add.reduceat(values, starts) / counts,
    )


def logarithmic(curves: Iterable[NDArray[np.float64]]) -> bool:
    """Whether curves want a logarithmic axis: positive, over two decades."""
    found = [c[np.isfinite(c)] for c in curves]
    if not found or not all(c.size and c.min() > 0 for c in found):
        return False
    low, high = min(c.min() for c in found), max(c.max() for c in found)
    return bool(high > _DECADES * low)


def _is_term(name: str) -> bool:
    return not (name == 'momentum' or name.startswith((_VALIDATION, *_HIDDEN)))
