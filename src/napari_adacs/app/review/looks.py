"""How figures of slices are written and coloured, wherever they appear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_adacs.evaluation.slices import Component, SliceFigures

# Colours of the palette of Okabe and Ito that the verdicts leave free.
COMPONENT_COLOURS = {
    'score': '#56B4E9',
    'variance': '#56B4E9',
    'residual': '#E69F00',
    'folding': '#CC79A7',
    'dsc': '#0072B2',
}
TITLES = {
    'score': 'score',
    'variance': 'variance',
    'residual': 'residual',
    'folding': 'folding',
    'dsc': 'DSC',
}
_FORMATS = {
    'score': '{:.3f}',
    'variance': '{:.2g}',
    'residual': '{:.3f}',
    'folding': '{:.2g} %',
    'dsc': '{:.3f}',
}
SUSPICION_HELP = (
    'Suspicion is 100 · (1 − exp(−Z / 3)). Z adds up how far the slice '
    'stands out on the bad side: mean score (or variance), mean residual '
    'and Dice of all labels in robust standard deviations from the median '
    'slice; the share of folded voxels in steps of 0.5 %; and Dice lost '
    'from before to after in steps of 0.05, less where the labels are '
    'small. Means are over the object, '
    'without empty background. It compares the slices of one volume: a '
    'registration that is bad everywhere shows in the metrics.'
)


def value_text(component: Component, index: int) -> str:
    """Return the figure of a slice, such as '0.913'."""
    value = float(component.values[index])
    if not np.isfinite(value):
        return '–'
    return _FORMATS[component.name].format(value)


def suspicion_text(figures: SliceFigures, index: int) -> str:
    """Return the suspicion of a slice, 0 to 100."""
    return f'{100 * figures.suspicion[index]:.0f}'


def reasons(figures: SliceFigures, index: int) -> list[str]:
    """Return each component of a slice in words."""
    lines = []
    for component in figures.components:
        text = f'{TITLES[component.name]} {value_text(component, index)}'
        deviation = float(component.deviations[index])
        if deviation >= 0.05:
            text += f' (+{deviation:.1f})'
        lines.append(text)
    return lines
