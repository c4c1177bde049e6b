"""Slices that are bad are the suspicious ones, along any axis."""

from __future__ import annotations

import numpy as np
import pytest

from napari_adacs.evaluation.overlap import dice
from napari_adacs.evaluation.slice_sums import SliceInputs
from napari_adacs.evaluation.slices import SliceFigures, slice_figures
from napari_adacs.spatial.jacobian import jacobian_determinant

SHAPE = (20, 18, 16)


def volume(**changes):
    rng = np.random.default_rng(1)
    noise = rng.uniform(0, 0.02, SHAPE).astype(np.float32)
    values = {
        'displacement': np.zeros((3, *SHAPE), np.float32),
        'residual': 0.05 + noise,
        'images': (np.ones(SHAPE) + noise, np.ones(SHAPE) + noise),
        'score': 0.9 + noise,
    }
    # a flat image has no object: give it a dark corner
    for image in values['images']:
        image[:, :3, :3] = 0
    return SliceInputs(**{**values, **changes})


def component(figures: SliceFigures, name: str):
    return next(c for c in figures.components if c.name == name)


@pytest.mark.parametrize('axis', [0, 1, 2])
@pytest.mark.parametrize('name', ['score', 'residual'])
def test_the_worst_slice_stands_out(name, axis):
    inputs = volume()
    where = [slice(None)] * 3
    where[axis] = 7
    values = getattr(inputs, name)
    values[tuple(where)] += -0.4 if name == 'score' else 0.4
    figures = slice_figures(inputs)[axis]
    assert len(figures) == SHAPE[axis]
    assert figures.worst_first()[0] == 7
    assert figures.suspicion[7] > 0.9
    assert np.delete(figures.suspicion, 7).max() < 0.5
    assert component(figures, name).deviations[7] > 5


def test_means_are_those_of_the_object():
    inputs = volume()
    inside = (inputs.images[0] > 0.1) | (inputs.images[1] > 0.1)
    for axis, figures in enumerate(slice_figures(inputs)):
        others = tuple({0, 1, 2} - {axis})
        expected = (inputs.score * inside).sum(others) / inside.sum(others)
        found = component(figures, 'score').values
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_folding_counts_what_the_jacobian_says():
    rng = np.random.default_rng(0)
    field = rng.normal(0, 0.6, (3, *SHAPE)).astype(np.float32)
    folded = jacobian_determinant(field) <= 0
    assert folded.any()
    for axis, figures in enumerate(slice_figures(volume(displacement=field))):
        others = tuple({0, 1, 2} - {axis})
        found = component(figures, 'folding').values
        np.testing.assert_allclose(found, 100 * folded.mean(others))


def test_half_a_percent_of_folding_is_one_deviation():
    field = np.zeros((3, *SHAPE), np.float32)
    field[2, 5, 5, 8] = 3
    figures = slice_figures(volume(displacement=field))[0]
    folding = component(figures, 'folding')
    np.testing.assert_allclose(folding.deviations, folding.values / 0.5)
    total = sum(c.deviations for c in figures.components)
    np.testing.assert_allclose(figures.suspicion, 1 - np.exp(-total / 3))


class TestLabels:
    def _labels(self):
        fixed = np.zeros(SHAPE, np.uint8)
        fixed[:, 4:12, 4:12] = 1
        fixed[:, 6:10, 6:10] = 2
        return fixed

    def test_overlap_is_that_of_all_labels(self):
        fixed, warped = self._labels(), np.roll(self._labels(), 1, axis=1)
        inputs = volume(fixed_labels=fixed, warped_labels=warped)
        found = component(slice_figures(inputs)[0], 'dsc').values
        same = ((fixed == warped) & (fixed > 0))[3].sum()
        expected = 2 * same / ((fixed > 0)[3].sum() + (warped > 0)[3].sum())
        np.testing.assert_allclose(found, expected)
        single = volume(
            fixed_labels=(fixed > 0).astype(int),
            warped_labels=(warped > 0).astype(int),
        )
        found = component(slice_figures(single)[0], 'dsc').values
        np.testing.assert_allclose(found[3], dice(fixed[3] > 0, warped[3] > 0))

    def test_a_slice_that_got_worse_is_suspicious(self):
        fixed = self._labels()
        warped = fixed.copy()
        warped[9] = np.roll(fixed[9], 3, axis=1)
        inputs = volume(
            fixed_labels=fixed, warped_labels=warped, moving_labels=fixed
        )
        figures = slice_figures(inputs)[0]
        assert figures.worst_first()[0] == 9
        loss = 1 - component(figures, 'dsc').values[9]
        assert component(figures, 'dsc').deviations[9] >= loss / 0.05 - 1e-6

    def test_slices_without_labels_have_no_overlap(self):
        fixed = self._labels()
        fixed[:4] = 0
        inputs = volume(fixed_labels=fixed, warped_labels=fixed)
        dsc = component(slice_figures(inputs)[0], 'dsc')
        assert np.isnan(dsc.values[:4]).all()
        assert (dsc.deviations == 0).all()


def test_empty_slices_have_no_means_and_no_suspicion():
    inputs = volume()
    for image in inputs.images:
        image[:5] = 0
    inputs.score[:5] = 0
    inputs.residual[:5] = 1
    figures = slice_figures(inputs)[0]
    assert np.isnan(component(figures, 'residual').values[:5]).all()
    assert (figures.suspicion[:5] == 0).all()


def test_without_a_score_the_variance_counts():
    variance = np.full(SHAPE, 0.01, np.float32)
    variance[4] = 0.2
    figures = slice_figures(volume(score=None, variance=variance))[0]
    assert [c.name for c in figures.components][0] == 'variance'
    assert figures.worst_first()[0] == 4


def test_an_even_volume_raises_no_suspicion():
    for figures in slice_figures(volume()):
        assert figures.suspicion.max() < 0.35


def test_a_2d_image_is_one_slice():
    field = np.zeros((2, 18, 16), np.float32)
    residual = np.full((18, 16), 0.1, np.float32)
    (figures,) = slice_figures(SliceInputs(field, residual))
    assert len(figures) == 1
    assert figures.suspicion[0] == 0
    field[0, 8, 8] = 5
    (figures,) = slice_figures(SliceInputs(field, residual))
    assert 0 < figures.suspicion[0] < 1


def test_the_next_worst_goes_through_all():
    inputs = volume()
    for index, amount in ((3, 0.5), (11, 0.4), (6, 0.3)):
        inputs.residual[index] += amount
    figures = slice_figures(inputs)[0]
    assert figures.next_worst(0) == 3
    assert figures.next_worst(3) == 11
    assert figures.next_worst(11, {3}) == 6
    assert figures.next_worst(6, {3, 11}) not in {3, 11, 6}
    done = set(range(20))
    assert figures.next_worst(3, done) == 11
    last = figures.worst_first()[-1]
    assert figures.next_worst(int(last), done) == 3
