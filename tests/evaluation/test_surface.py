"""Surface distances: definitions, edge cases, properties, other tools."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_adacs.errors import InputError
from napari_adacs.evaluation.comparison import compare_masks
from napari_adacs.evaluation.surface import (
    bounding_box,
    surface,
    surface_distances,
)

# Seconds are not what these tests are about, and machines are shared.
settings.register_profile('patient', deadline=None)
settings.load_profile('patient')

NUMBERS = ('hd', 'hd95', 'asd', 'asd_reverse', 'assd', 'hd95_pooled')


def numbers(result):
    return [getattr(result, name) for name in NUMBERS]


@st.composite
def pairs(draw):
    """Two masks, neither empty, of the same shape, and a spacing."""
    shape = draw(array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=7))
    masks = []
    for _ in range(2):
        mask = draw(arrays(np.bool_, shape))
        mask[tuple(draw(st.integers(0, n - 1)) for n in shape)] = True
        masks.append(mask)
    sizes = st.floats(0.1, 5, allow_nan=False)
    spacing = tuple(draw(sizes) for _ in shape)
    return *masks, spacing


def test_ten_published_cases(ten_case):
    a, b, spacing, expected = ten_case
    result = surface_distances(a, b, spacing)
    found = (result.hd, result.hd95, result.assd)
    assert found == pytest.approx(expected, abs=5e-4, nan_ok=True)


def test_other_tools_agree_where_they_define_the_same(oracle_pair):
    a, b, spacing, recorded = oracle_pair
    result = compare_masks(a, b, spacing)
    for tool, values in recorded.items():
        for name, value in values.items():
            ours = (
                getattr(result, name)
                if name in ('dsc', 'jaccard')
                else getattr(result.surface, name)
            )
            assert ours == pytest.approx(value, rel=1e-6), (tool, name)


@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize('density', [0.01, 0.1, 0.5, 0.95])
def test_brute_force_on_random_masks(seed, density, distances_by_force):
    rng = np.random.default_rng(seed)
    shape = (12, 12, 12) if seed % 3 else (12, 12)
    a, b = (rng.random(shape) < density for _ in range(2))
    a.flat[rng.integers(a.size)] = b.flat[rng.integers(b.size)] = True
    spacing = tuple(rng.uniform(0.3, 3, a.ndim))
    a_to_b, b_to_a = distances_by_force(a, b, spacing)
    both = np.concatenate([a_to_b, b_to_a])
    expected = [
        both.max(),
        max(np.percentile(a_to_b, 95), np.percentile(b_to_a, 95)),
        a_to_b.mean(),
        b_to_a.mean(),
        both.mean(),
        np.percentile(both, 95),
    ]
    result = surface_distances(a, b, spacing)
    assert numbers(result) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert not result.flagged


class TestProperties:
    @given(pairs())
    def test_symmetric_but_for_the_direction_of_asd(self, pair):
        a, b, spacing = pair
        there = surface_distances(a, b, spacing)
        back = surface_distances(b, a, spacing)
        assert (there.asd, there.asd_reverse) == (back.asd_reverse, back.asd)
        for name in ('hd', 'hd95', 'assd', 'hd95_pooled'):
            assert getattr(there, name) == pytest.approx(getattr(back, name))

    @given(pairs(), st.floats(0.01, 100))
    def test_scales_with_the_spacing(self, pair, factor):
        a, b, spacing = pair
        scaled = surface_distances(a, b, [factor * s for s in spacing])
        expected = [
            factor * x for x in numbers(surface_distances(a, b, spacing))
        ]
        assert numbers(scaled) == pytest.approx(expected, rel=1e-9)

    @given(pairs(), st.data())
    def test_padding_changes_nothing(self, pair, data):
        a, b, spacing = pair
        width = [
            (data.draw(st.integers(0, 4)), data.draw(st.integers(0, 4)))
            for _ in spacing
        ]
        padded = surface_distances(np.pad(a, width), np.pad(b, width), spacing)
        expected = numbers(surface_distances(a, b, spacing))
        assert numbers(padded) == pytest.approx(expected, rel=1e-12)

    @given(pairs())
    def test_axes_may_come_in_any_order(self, pair):
        a, b, spacing = pair
        expected = numbers(surface_distances(a, b, spacing))
        for order in itertools.permutations(range(a.ndim)):
            result = surface_distances(
                a.transpose(order),
                b.transpose(order),
                [spacing[i] for i in order],
            )
            assert numbers(result) == pytest.approx(expected, rel=1e-9)

    @given(pairs())
    def test_zero_only_for_equal_surfaces(self, pair):
        a, b, spacing = pair
        assert numbers(surface_distances(a, a, spacing)) == [0] * 6
        same = np.array_equal(surface(a), surface(b))
        assert (surface_distances(a, b, spacing).hd == 0) == same

    @given(pairs())
    def test_order_of_the_metrics(self, pair):
        result = surface_distances(*pair)
        assert result.hd95 <= result.hd
        assert result.assd <= result.hd
        lowest, highest = sorted([result.asd, result.asd_reverse])
        assert lowest - 1e-12 <= result.assd <= highest + 1e-12


class TestDirection:
    def test_asd_goes_from_the_first_mask_to_the_second(self):
        small, large = np.zeros((2, 30, 30), bool)
        small[10, 10] = large[10, 10] = large[10, 20] = True
        result = surface_distances(small, large)
        assert (result.asd, result.asd_reverse) == (0, 5)
        assert result.assd == pytest.approx(10 / 3)


class TestEmpty:
    spacing = (2.0, 3.0, 6.0)
    shape = (4, 5, 6)
    worst = np.linalg.norm([8, 15, 36])

    def test_both(self):
        nothing = np.zeros(self.shape, bool)
        result = surface_distances(nothing, nothing, self.spacing)
        assert np.isnan(numbers(result)).all()
        assert result.empty == 'both'
        assert result.flagged

    @pytest.mark.parametrize('which', ['a', 'b'])
    def test_one_has_the_diagonal_of_the_volume(self, which):
        masks = np.zeros((2, *self.shape), bool)
        masks['ba'.index(which), 1, 1, 1] = True
        result = surface_distances(*masks, self.spacing)
        assert numbers(result) == pytest.approx([self.worst] * 6)
        assert result.empty == which


class TestInput:
    mask = np.zeros((5, 6), bool)

    def test_numbers_that_are_zero_or_one_are_a_mask(self, make_blob):
        a, b = make_blob(1, (20, 20)), make_blob(2, (20, 20))
        expected = surface_distances(a, b)
        for kind in (np.uint8, np.int64, np.float32):
            given_ = surface_distances(a.astype(kind), b.astype(kind))
            assert given_ == expected

    def test_memory_order_does_not_matter(self, make_blob):
        a, b = make_blob(1, (20, 24, 22)), make_blob(2, (20, 24, 22))
        expected = surface_distances(a, b, (1, 2, 3))
        turned = np.asfortranarray(a), np.asfortranarray(b)
        for first, second in itertools.product((a, turned[0]), (b, turned[1])):
            found = surface_distances(first, second, (1, 2, 3))
            assert numbers(found) == pytest.approx(numbers(expected))
            assert bounding_box(first) == bounding_box(a)

    @pytest.mark.parametrize('bad', [2, -1, 0.5, np.nan, np.inf])
    def test_anything_else_is_refused(self, bad):
        other = self.mask.astype(float)
        other[2, 2] = bad
        for masks in ((other, self.mask), (self.mask, other)):
            with pytest.raises(InputError, match='must be binary'):
                surface_distances(*masks)

    def test_nan_is_named(self):
        with pytest.raises(InputError, match='NaN'):
            surface_distances(np.full((3, 3), np.nan), np.ones((3, 3)))

    @pytest.mark.parametrize('shape', [(6, 5), (5, 6, 1), (5,), (0, 6)])
    def test_shapes(self, shape):
        with pytest.raises(InputError):
            surface_distances(self.mask, np.zeros(shape, bool))

    @pytest.mark.parametrize(
        'spacing', [(1, 0), (1, -1), (1, np.nan), (np.inf, 1), (1, 2, 3), 'mm']
    )
    def test_spacing(self, spacing):
        with pytest.raises(InputError, match='spacing'):
            surface_distances(self.mask, self.mask, spacing)

    def test_text_is_refused(self):
        with pytest.raises(InputError, match='numbers'):
            surface_distances(np.full((3, 3), 'a'), np.full((3, 3), 'a'))

    def test_arguments_stay_as_they_are(self, make_blob):
        masks = [make_blob(i, (15, 15, 15)) for i in range(2)]
        for mask in masks:
            mask.setflags(write=False)
        copies = [mask.copy() for mask in masks]
        surface_distances(*masks)
        assert all(map(np.array_equal, masks, copies))


class TestBoundingBox:
    @given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=3, max_side=6)))
    def test_smallest(self, mask):
        box = bounding_box(mask)
        assert mask[box].sum() == mask.sum()
        if mask.any():
            for axis in range(mask.ndim):
                inside = np.moveaxis(mask[box], axis, 0)
                assert inside[0].any()
                assert inside[-1].any()
        else:
            assert mask[box].size == 0
