"""Motion: the displacement is the true one, and the heart beats right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_adacs.phantom.anatomy import make_heart
from napari_adacs.phantom.echo import EchoOptions, echo_pair
from napari_adacs.phantom.flow import integrate
from napari_adacs.phantom.motion import make_motion
from tests.phantom.helpers import (
    CLEAN,
    dice,
    jacobian_determinant,
    warped_dice,
)


@pytest.mark.parametrize('ndim', [2, 3])
@pytest.mark.parametrize('label', [1, 2])
def test_the_displacement_carries_the_labels(ndim, label):
    # at 64^3 the linear interpolation of a 4-voxel wall alone costs 5 %
    shape = (128, 128) if ndim == 2 else (88, 88, 88)
    pair = echo_pair(2, ndim, shape, options=EchoOptions())
    before = dice(pair.moving_labels == label, pair.fixed_labels == label)

    assert warped_dice(pair, label) > 0.95
    assert before < 0.8


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('ndim', [2, 3])
def test_random_pairs_are_free_of_folds_and_consistent(ndim, seed):
    shape = (96, 96) if ndim == 2 else (40, 40, 40)
    pair = echo_pair(seed, ndim, shape)

    assert jacobian_determinant(pair.displacement).min() > 0.1
    assert warped_dice(pair, 1) > 0.9


@pytest.mark.parametrize('fraction', [0.25, 0.45, 0.65])
def test_the_ejection_fraction_in_3d_is_that_of_the_volumes(fraction):
    options = replace(
        CLEAN, ejection_fraction=fraction, shortening=fraction * 0.25
    )
    pair = echo_pair(0, 3, options=options)
    volumes = [
        (labels == 1).sum()
        for labels in (pair.moving_labels, pair.fixed_labels)
    ]

    assert 1 - volumes[1] / volumes[0] == pytest.approx(fraction, abs=0.03)


@pytest.mark.parametrize('fraction', [0.3, 0.6])
def test_the_ejection_fraction_in_2d_is_that_of_revolution(fraction):
    # single-plane method of discs: the volume is the sum of squared widths
    options = replace(
        CLEAN,
        ejection_fraction=fraction,
        shortening=fraction * 0.25,
        irregularity=0,
        lumpiness=0,
    )
    pair = echo_pair(0, 2, (256, 256), options=options)
    volumes = [
        ((labels == 1).sum(axis=1).astype(float) ** 2).sum()
        for labels in (pair.moving_labels, pair.fixed_labels)
    ]

    assert 1 - volumes[1] / volumes[0] == pytest.approx(fraction, abs=0.02)


def test_the_wall_thickens_and_keeps_its_volume():
    pair = echo_pair(0, 3, options=CLEAN)
    moving, fixed = (
        (labels == 2) for labels in (pair.moving_labels, pair.fixed_labels)
    )
    middle = int(np.argwhere(pair.moving_labels == 1)[:, 1].mean())
    centre = 32

    assert fixed.sum() / moving.sum() == pytest.approx(1, abs=0.08)
    assert fixed[centre, middle].sum() > 1.15 * moving[centre, middle].sum()


def test_the_long_axis_shortens_by_the_option():
    options = replace(CLEAN, shortening=0.2, lumpiness=0, irregularity=0)
    pair = echo_pair(0, 2, (256, 256), options=options)
    column = 128
    lengths = [
        (labels[:, column - 2 : column + 3] == 1).any(axis=1).sum()
        for labels in (pair.moving_labels, pair.fixed_labels)
    ]

    assert 1 - lengths[1] / lengths[0] == pytest.approx(0.2, abs=0.03)


def _rotation_at(pair, fraction):
    """Return the mean rotation in degrees across the long axis (y)."""
    rows = np.flatnonzero((pair.fixed_labels == 1).any(axis=(0, 2)))
    row = int(rows[0] + fraction * (rows[-1] - rows[0]))
    z, x = np.nonzero(pair.fixed_labels[:, row] == 2)
    size = pair.grid.spacing
    u = pair.displacement[:, z, row, x]
    rows_z, rows_x = (z - 31.5) * size[0], (x - 31.5) * size[2]
    turn = (rows_z * u[2] * size[2] - rows_x * u[0] * size[0]) / (
        rows_z**2 + rows_x**2
    )
    return float(np.rad2deg(turn.mean()))


def test_the_apex_twists_against_the_base():
    still, twisted = (
        echo_pair(
            0,
            3,
            options=replace(
                CLEAN, twist=twist, bulk=0, irregularity=0, lumpiness=0
            ),
        )
        for twist in (0, 15)
    )

    assert abs(_rotation_at(still, 0.2)) < 1
    difference = _rotation_at(twisted, 0.25) - _rotation_at(twisted, 0.9)
    # over 65 % of the cavity and on walls that contract meanwhile
    assert 5 < abs(difference) < 16


def test_displacements_are_of_clinical_size():
    pair = echo_pair(0, 3, options=CLEAN)
    size = np.array(pair.grid.spacing).reshape(3, 1, 1, 1)
    length = np.linalg.norm(pair.displacement * size, axis=0)

    assert 4 < np.median(length[pair.fixed_labels == 2]) < 12
    assert length.max() < 30
    # the chest wall does not follow the heart
    assert np.median(length[~np.isin(pair.fixed_labels, (1, 2, 3))]) < 3


@pytest.mark.parametrize('ndim', [2, 3])
def test_the_flow_agrees_with_a_runge_kutta_path(ndim):
    rng = np.random.default_rng(0)
    heart = make_heart(rng, EchoOptions(), ndim)
    motion = make_motion(rng, heart)
    low = np.array([-70, 0, -70], np.float32)[3 - ndim :]
    high = np.array([70, 130, 70], np.float32)[3 - ndim :]
    step = 2.0 if ndim == 2 else 4.5
    flow = integrate(motion, low, high, step)
    start = rng.uniform(low, high, (400, ndim)).T.astype(np.float32)

    point, h = start.copy(), np.float32(1 / 16)
    for _ in range(16):
        k1 = motion.velocity(point)
        k2 = motion.velocity(point + h / 2 * k1)
        k3 = motion.velocity(point + h / 2 * k2)
        k4 = motion.velocity(point + h * k3)
        point = point + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    error = np.linalg.norm(
        start + flow.at(start, flow.forward, order=3) - point, axis=0
    )
    back = point + flow.at(point, flow.pull_back, order=3)
    round_trip = np.linalg.norm(back - start, axis=0)

    # a tenth of a 3D voxel is 0.2 mm
    assert error.max() < 0.2
    assert round_trip.max() < 0.2
    assert np.median(round_trip) < 0.01
