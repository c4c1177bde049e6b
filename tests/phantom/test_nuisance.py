"""Nuisance: only where and when it was asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_adacs.phantom.echo import EchoOptions, echo_pair
from napari_adacs.phantom.options import NUISANCE_KINDS

SHAPES = {2: (96, 96), 3: (40, 40, 40)}


def _pair(ndim, **change):
    options = replace(EchoOptions(), **change)
    return echo_pair(4, ndim, SHAPES[ndim], options=options)


@pytest.mark.parametrize('ndim', [2, 3])
@pytest.mark.parametrize('kind', NUISANCE_KINDS)
def test_each_kind_changes_the_fixed_frame_inside_its_mask(ndim, kind):
    clean = _pair(ndim, nuisance_frame='none')
    dirty = _pair(ndim, nuisance_frame='fixed', nuisance_kinds=(kind,))
    mask = dirty.fixed_nuisance
    change = np.abs(dirty.fixed - clean.fixed)

    np.testing.assert_array_equal(dirty.moving, clean.moving)
    assert not dirty.moving_nuisance.any()
    assert 0.002 < mask.sum() / dirty.sector.sum() < 0.7
    assert not (mask & ~dirty.sector).any()
    assert change[mask].mean() > 0.08
    outside = dirty.sector & ~mask
    assert gaussian_filter(change, 1.5)[outside].max() <= 0.0801
    assert change[outside].mean() < 0.02


@pytest.mark.parametrize('ndim', [2, 3])
def test_the_moving_frame_alone(ndim):
    clean = _pair(ndim, nuisance_frame='none')
    dirty = _pair(ndim, nuisance_frame='moving')

    np.testing.assert_array_equal(dirty.fixed, clean.fixed)
    assert dirty.moving_nuisance.any()
    assert not dirty.fixed_nuisance.any()


def test_both_frames_get_different_nuisance():
    pair = _pair(2, nuisance_frame='both')

    assert pair.moving_nuisance.any()
    assert pair.fixed_nuisance.any()
    assert (pair.moving_nuisance != pair.fixed_nuisance).any()


def test_none_leaves_both_masks_empty():
    pair = _pair(2, nuisance_frame='none')

    assert not pair.moving_nuisance.any()
    assert not pair.fixed_nuisance.any()


def test_no_kinds_or_no_strength_is_no_nuisance():
    clean = _pair(2, nuisance_frame='none')
    for change in ({'nuisance_kinds': ()}, {'nuisance_strength': 0}):
        pair = _pair(2, nuisance_frame='fixed', **change)

        np.testing.assert_array_equal(pair.fixed, clean.fixed)
        assert not pair.fixed_nuisance.any()


def test_strength_widens_the_mask():
    sizes = [
        _pair(
            2,
            nuisance_frame='fixed',
            nuisance_kinds=('shadow',),
            nuisance_strength=strength,
        ).fixed_nuisance.sum()
        for strength in (0.4, 1, 2)
    ]

    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize('seed', range(5))
def test_a_shadow_darkens_and_runs_away_from_the_probe(seed):
    options = EchoOptions(nuisance_kinds=('shadow',), nuisance_strength=1.5)
    clean = echo_pair(seed, 2, options=replace(options, nuisance_frame='none'))
    dirty = echo_pair(seed, 2, options=options)
    mask = dirty.fixed_nuisance
    below = mask.sum(axis=1)[64:].sum()

    assert (dirty.fixed - clean.fixed)[mask].mean() < -0.08
    assert below > mask.sum(axis=1)[:64].sum()
