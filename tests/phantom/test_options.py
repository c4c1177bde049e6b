"""Options: defaults, ranges, readable refusals, random draw."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.phantom.echo import EchoOptions, random_options

NUMBERS = [f for f in fields(EchoOptions) if 'range' in f.metadata]


def test_each_number_has_a_text():
    assert len(NUMBERS) > 40
    assert all(knob.metadata['text'] for knob in NUMBERS)


@pytest.mark.parametrize('knob', NUMBERS, ids=lambda f: f.name)
def test_numbers_outside_their_range_are_refused_by_name(knob):
    low, high = knob.metadata['range']

    for bad in (low - 1, high + 1, np.nan, np.inf, '1', True):
        with pytest.raises(InputError, match=knob.name) as caught:
            EchoOptions(**{knob.name: bad})
        assert f'{high:g}' in caught.value.hint


def test_the_ends_of_a_range_are_allowed():
    for knob in NUMBERS:
        for end in knob.metadata['range']:
            options = EchoOptions(**{knob.name: end})
            assert getattr(options, knob.name) == end


def test_unknown_nuisance_is_refused():
    with pytest.raises(InputError, match='frame'):
        EchoOptions(nuisance_frame='first')
    with pytest.raises(InputError, match='kinds'):
        EchoOptions(nuisance_kinds=('shadow', 'rain'))
    with pytest.raises(InputError, match='kinds'):
        EchoOptions(nuisance_kinds='shadow')


def test_a_list_of_kinds_becomes_a_tuple():
    options = EchoOptions(nuisance_kinds=['gain'])

    assert options.nuisance_kinds == ('gain',)
    assert hash(options) == hash(replace(options))


@pytest.mark.parametrize('ndim', [2, 3])
def test_random_options_repeat_and_vary(ndim):
    drawn = [
        random_options(np.random.default_rng(seed), ndim) for seed in range(60)
    ]
    again = random_options(np.random.default_rng(7), ndim)

    assert again == drawn[7]
    assert {o.nuisance_frame for o in drawn} == {
        'moving',
        'fixed',
        'both',
        'none',
    }
    ejection = [o.ejection_fraction for o in drawn]
    wall = [o.wall for o in drawn]
    assert min(ejection) < 0.35 and max(ejection) > 0.68
    assert min(wall) < 7.5 and max(wall) > 12


def test_random_options_need_2_or_3_dimensions():
    with pytest.raises(InputError, match='4D'):
        random_options(np.random.default_rng(0), 4)


def test_the_documentation_lists_every_knob_with_its_default():
    page = Path(__file__).parents[2] / 'docs' / 'phantom.md'
    text = page.read_text(encoding='utf-8')

    for knob in fields(EchoOptions):
        assert f'| `{knob.name}` |' in text
    for knob in NUMBERS:
        if knob.default is not None:
            low, high = knob.metadata['range']
            row = f'| {knob.default:g} | {low:g} … {high:g} |'
            assert f'{knob.metadata["text"]} {row}' in text
