"""Which figures are drawn, and how."""

from __future__ import annotations

import numpy as np

from napari_adacs.app.finetune.curves import (
    FIRST,
    logarithmic,
    meaning_of,
    panels,
    terms,
    thinned,
    title_of,
)
from napari_adacs.runs.figures import Curve

ONE = Curve(np.array([1]), np.array([0.5]))
FIGURES = dict.fromkeys(
    (
        'new_term',
        'smoothness',
        'data',
        'residual_sum',
        'momentum',
        'val_mse',
        'val_dsc_2',
    ),
    ONE,
)


def test_terms_are_those_of_the_losses_the_usual_first() -> None:
    assert terms(FIGURES) == ['data', 'smoothness', 'new_term']


def test_panels_are_what_there_is() -> None:
    found = {p.title: p.names for p in panels(FIGURES, FIRST)}
    assert found == {
        'loss': ('data', 'smoothness'),
        'momentum': ('momentum',),
        'validation DSC': ('val_dsc_2',),
    }
    without = {k: v for k, v in FIGURES.items() if 'dsc' not in k}
    assert panels(without, ())[-1].names == ('val_mse',)


def test_every_figure_has_a_name_for_people() -> None:
    assert title_of('val_dsc_2') == 'label 2'
    assert title_of('new_term') == 'new term'
    assert 'Eq. 7' in meaning_of('momentum')
    assert meaning_of('new_term') == ''


def test_a_long_curve_keeps_its_mean() -> None:
    values = np.random.default_rng(0).random(10_007)
    steps, means = thinned(Curve(np.arange(10_007), values))
    assert len(steps) == len(means) <= 401
    width = 10_007 // len(means) + 1
    assert np.isclose(means[0], values[:width].mean())
    assert np.all(np.diff(steps) > 0)


def test_only_positive_values_far_apart_have_logarithms() -> None:
    assert logarithmic([np.array([1.0, np.nan, 2.0]), np.array([0.001])])
    assert not logarithmic([np.array([1.0, 2.0])])
    assert not logarithmic([np.array([1.0, -2.0])])
    assert not logarithmic([])
    assert not logarithmic([np.array([np.nan])])
