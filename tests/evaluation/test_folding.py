"""Folding: known maps, both digital variants, Learn2Reg's number."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.ndimage import correlate1d, gaussian_filter

from napari_adacs.errors import InputError
from napari_adacs.evaluation.folding import (
    folded_strictly,
    folding_statistics,
)


def linear(matrix, shape):
    """Displacement of the map x -> matrix x."""
    matrix = np.asarray(matrix, float) - np.eye(len(shape))
    return np.tensordot(matrix, np.indices(shape), 1)


def rough(seed, shape, amount):
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((len(shape), *shape))
    smooth = np.stack([gaussian_filter(c, 1) for c in noise])
    return (amount * smooth / smooth.std()).astype(np.float32)


def simplices_by_force(displacement):
    """Fold test voxel by voxel, simplex by simplex."""
    shape = displacement.shape[1:]
    ndim = len(shape)
    moved = displacement.astype(float) + np.indices(shape)
    folded = np.zeros(shape, bool)
    for index in np.ndindex(shape):
        corners = []
        for signs in itertools.product((1, -1), repeat=ndim):
            steps = [
                tuple(s * (i == j) for j in range(ndim))
                for i, s in enumerate(signs)
            ]
            corners.append([(0,) * ndim, *steps])
        if ndim == 3:
            corners.append([(0, 0, 0), (1, 1, 0), (0, 1, 1), (1, 0, 1)])
            corners.append([(1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1)])
        for simplex in corners:
            places = np.array(index) + np.array(simplex)
            if (places < 0).any() or (places >= shape).any():
                continue
            at = np.array([moved[(slice(None), *p)] for p in places])
            before = np.linalg.det((places[1:] - places[0]).astype(float))
            after = np.linalg.det(at[1:] - at[0])
            folded[index] |= after * np.sign(before) <= 0
    return folded


@pytest.mark.parametrize('shape', [(12, 14), (9, 8, 10)])
class TestKnownMaps:
    def test_nothing_moves(self, shape):
        result = folding_statistics(np.zeros((len(shape), *shape)))
        assert result.folded_percent == result.folded_percent_strict == 0
        assert result.sd_log_jacobian == 0
        assert (result.lowest, result.highest) == (1, 1)
        assert result.voxels == np.prod(shape)

    def test_linear_map(self, shape):
        ndim = len(shape)
        rng = np.random.default_rng(1)
        matrix = np.eye(ndim) + 0.3 * rng.standard_normal((ndim, ndim))
        result = folding_statistics(linear(matrix, shape))
        determinant = np.linalg.det(matrix)
        assert determinant > 0
        assert result.lowest == pytest.approx(determinant, rel=1e-4)
        assert result.highest == pytest.approx(determinant, rel=1e-4)
        assert result.sd_log_jacobian == pytest.approx(0, abs=1e-4)
        assert result.folded_percent_strict == 0

    def test_mirror(self, shape):
        matrix = np.diag([-1.0, *[1.0] * (len(shape) - 1)])
        result = folding_statistics(linear(matrix, shape))
        assert result.folded_percent == 100
        assert result.folded_percent_strict == 100

    def test_collapse_counts_as_folded(self, shape):
        matrix = np.diag([0.0, *[1.0] * (len(shape) - 1)])
        assert folding_statistics(linear(matrix, shape)).folded_percent == 100

    def test_central_differences_miss_a_zigzag(self, shape):
        zigzag = np.zeros((len(shape), *shape))
        zigzag[0] = np.where(np.indices(shape)[0] % 2, 0.6, -0.6)
        # Only one-sided differences, which the border has anyway, see it.
        planes = shape[0]
        result = folding_statistics(zigzag)
        assert result.folded_percent <= 200 / planes
        assert folded_strictly(zigzag)[1:-1].all()
        assert result.folded_percent_strict >= 100 * (planes - 2) / planes


@pytest.mark.parametrize('shape', [(13, 11), (7, 6, 8), (40, 4, 3)])
@pytest.mark.parametrize('amount', [0.3, 0.6, 1.2])
def test_every_simplex_is_looked_at(shape, amount):
    displacement = rough(3, shape, amount)
    expected = simplices_by_force(displacement)
    np.testing.assert_array_equal(folded_strictly(displacement), expected)


def test_inner_tetrahedra_see_what_corners_do_not():
    """A cube whose corners are all fine and that folds inside."""
    at_corners = [
        [-0.18, -0.44, -0.03],
        [0.59, -0.57, 0.13],
        [0.57, -0.29, -0.20],
        [-0.13, -0.45, -0.46],
        [-0.55, -0.36, 0.12],
        [0.57, -0.06, -0.15],
        [-0.02, 0.59, 0.58],
        [-0.59, 0.36, -0.03],
    ]
    displacement = np.reshape(at_corners, (2, 2, 2, 3)).transpose(3, 0, 1, 2)
    folded = folded_strictly(displacement)
    assert folded[0, 0, 0]
    # The other voxels of the cube see its corners only.
    assert folded.sum() == 1


@pytest.mark.parametrize('seed', range(3))
def test_strict_is_never_below(seed):
    result = folding_statistics(rough(seed, (20, 20, 20), 0.9))
    assert 0 < result.folded_percent <= result.folded_percent_strict < 100


def test_learn2reg_number():
    displacement = rough(5, (16, 18, 14), 0.8).astype(float)
    matrix = np.empty((3, 3, *displacement.shape[1:]))
    for i, j in itertools.product(range(3), repeat=2):
        matrix[i, j] = correlate1d(
            displacement[i], [-0.5, 0, 0.5], axis=j, mode='constant'
        ) + (i == j)
    determinant = np.linalg.det(np.moveaxis(matrix, (0, 1), (-2, -1)))
    inner = determinant[2:-2, 2:-2, 2:-2]
    expected = np.log((inner + 3).clip(1e-9, 1e9)).std()
    result = folding_statistics(displacement)
    assert result.sd_log_jacobian_learn2reg == pytest.approx(
        expected, rel=1e-5
    )
    assert result.sd_log_jacobian > result.sd_log_jacobian_learn2reg


def test_does_not_depend_on_the_order_of_axes():
    displacement = rough(2, (9, 12, 10), 0.8)
    turned = displacement[::-1].transpose(0, 3, 2, 1)
    first, second = map(folding_statistics, (displacement, turned))
    assert first.folded_percent == second.folded_percent
    assert first.sd_log_jacobian == pytest.approx(second.sd_log_jacobian)


def test_one_voxel_thick():
    result = folding_statistics(np.zeros((3, 1, 5, 5)))
    assert result.folded_percent_strict == 0
    assert np.isnan(result.sd_log_jacobian_learn2reg)


@pytest.mark.parametrize(
    'bad',
    [
        np.zeros((5, 5)),
        np.zeros((3, 5, 5)),
        np.zeros((5, 5, 5, 3)),
        np.full((2, 5, 5), np.nan),
        np.zeros((2, 0, 5)),
        np.full((2, 4, 4), 'a'),
    ],
)
def test_refused(bad):
    with pytest.raises(InputError, match='displacement'):
        folding_statistics(bad)
