"""Ejection fraction from voxels, areas and discs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_adacs.errors import InputError
from napari_adacs.evaluation.ejection import disc_volume, ejection_fraction


def ellipse(half_length, half_width, *, spacing=(1.0, 1.0), angle=0.0):
    """An ellipse whose long axis stands at an angle to the first axis."""
    shape = tuple(int(120 / s) for s in spacing)
    y, x = (
        (np.arange(n) - n / 2)[:, None] * s
        if axis == 0
        else (np.arange(n) - n / 2)[None] * s
        for axis, (n, s) in enumerate(zip(shape, spacing, strict=True))
    )
    a = np.deg2rad(angle)
    u, v = y * np.cos(a) + x * np.sin(a), -y * np.sin(a) + x * np.cos(a)
    return (u / half_length) ** 2 + (v / half_width) ** 2 <= 1


def test_voxels_in_three_dimensions():
    large, small = np.zeros((2, 10, 10, 10), bool)
    large[:8, :5, :5] = True
    small[:4, :5, :4] = True
    found = ejection_fraction(large, small, (2, 5, 5))
    assert found.method == 'voxels'
    assert (found.end_diastolic, found.end_systolic) == (10_000, 4_000)
    assert found.fraction == pytest.approx(0.6)
    assert found.percent == pytest.approx(60)
    assert found.stroke == 6_000
    assert found.millilitres == pytest.approx((10, 4, 6))
    assert found.kind == 'ejection fraction'


def test_each_frame_has_its_own_voxels():
    mask = np.ones((4, 4, 4), bool)
    found = ejection_fraction(mask, mask, 2.0, end_systolic_spacing=1.0)
    assert found.fraction == pytest.approx(1 - 1 / 8)


def test_area_of_one_plane():
    found = ejection_fraction(np.ones((4, 5)), np.eye(4, 5), (0.5, 2))
    assert found.method == 'area'
    assert (found.end_diastolic, found.end_systolic) == (20, 4)
    assert found.kind == 'fractional area change'
    with pytest.raises(InputError, match='no millilitres'):
        _ = found.millilitres


def test_an_empty_ventricle_has_no_fraction():
    nothing = np.zeros((4, 4), bool)
    assert np.isnan(ejection_fraction(nothing, nothing).fraction)
    assert ejection_fraction(np.ones((4, 4)), nothing).fraction == 1
    assert disc_volume(nothing) == 0


@pytest.mark.parametrize('angle', [0, 20, 45, 90])
@pytest.mark.parametrize('spacing', [(1, 1), (0.5, 1.2)])
def test_discs_of_an_ellipse_are_an_ellipsoid(angle, spacing):
    mask = ellipse(45, 22, spacing=spacing, angle=angle)
    true = 4 / 3 * np.pi * 45 * 22**2
    assert disc_volume(mask, spacing) == pytest.approx(true, rel=0.015)


def test_two_planes_of_a_flat_ventricle():
    wide, narrow = ellipse(45, 24), ellipse(45, 16)
    true = 4 / 3 * np.pi * 45 * 24 * 16
    found = disc_volume(wide, second=narrow)
    assert found == pytest.approx(true, rel=0.03)
    assert disc_volume(narrow) < found < disc_volume(wide)


def test_two_planes_are_stacked_from_the_same_end():
    y, x = np.ogrid[:100, :80]
    cone = (y >= 5) & (y < 95) & (np.abs(x - 40) <= 0.3 * (95 - y))
    once = disc_volume(cone)
    assert once == pytest.approx(np.pi * 27**2 * 90 / 3, rel=0.06)
    assert disc_volume(cone, second=cone[::-1]) == pytest.approx(once)
    assert disc_volume(cone, second=cone.T) == pytest.approx(once, rel=1e-3)


def test_the_fraction_of_discs_is_that_of_volumes():
    ed, es = ellipse(45, 24), ellipse(40, 16)
    found = ejection_fraction(ed, es, method='discs')
    assert found.fraction == pytest.approx(
        1 - 40 * 16**2 / (45 * 24**2), abs=0.01
    )
    assert ejection_fraction(ed, es).fraction == pytest.approx(
        1 - 40 * 16 / (45 * 24), abs=0.01
    )


def test_the_long_axis_may_be_given():
    round_one = ellipse(30, 30)
    along = disc_volume(round_one, long_axis=(1, 0))
    assert along == pytest.approx(4 / 3 * np.pi * 30**3, rel=0.015)
    assert disc_volume(round_one, long_axis=(3, 4)) == pytest.approx(
        along, rel=0.01
    )


@given(st.floats(0.2, 5))
def test_volume_grows_with_the_cube_of_the_spacing(size):
    mask = ellipse(45, 22)
    assert disc_volume(mask, size) == pytest.approx(
        size**3 * disc_volume(mask), rel=2e-3
    )


@pytest.mark.parametrize(
    ('shape', 'options', 'message'),
    [
        ((4, 4, 4), {'method': 'discs'}, 'not measured'),
        ((4, 4, 4), {'method': 'area'}, 'not measured'),
        ((4, 4), {'method': 'voxels'}, 'not measured'),
        ((4, 4), {'spacing': 0.0}, 'positive'),
    ],
)
def test_refused(shape, options, message):
    with pytest.raises(InputError, match=message):
        ejection_fraction(np.ones(shape), np.ones(shape), **options)


def test_refused_shapes():
    with pytest.raises(InputError, match='2D mask'):
        ejection_fraction(np.ones((4, 4)), np.ones((4, 4, 4)))
    with pytest.raises(InputError, match='one plane'):
        disc_volume(np.ones((4, 4, 4)))
    with pytest.raises(InputError, match='long axis'):
        disc_volume(np.ones((4, 4)), long_axis=(0, 0))
