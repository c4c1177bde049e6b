"""Advice for too little memory names numbers that can be used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_adacs.training.what_fits import more_parts, what_fits
from tests.training.conftest import make_config


@pytest.mark.parametrize(
    ('size', 'parts', 'more'), [(8, 1, 2), (8, 2, 4), (6, 2, 3), (5, 1, 5)]
)
def test_more_parts_divide_the_batch(size, parts, more):
    optimiser = {'accumulation': parts}
    config = make_config(batch_size=size, optimiser=optimiser)
    assert more_parts(config) == more
    # a configuration that is accepted
    replace(config, optimiser=replace(config.optimiser, accumulation=more))


def test_what_changes_least_comes_first():
    config = make_config(batch_size=8, shape=[96, 96, 96])
    advice = what_fits(config, on_gpu=True)
    first, second = advice.split(';')
    assert "'optimiser.accumulation' to 2 (4 pairs at a time" in first
    assert 'bfloat16' in second
    whole = make_config(batch_size=1, shape=[96, 96, 96])
    assert 'accumulation' not in what_fits(whole)
    assert '[64, 64, 64]' in what_fits(whole)
