"""Speckle: it follows the tissue, and has the statistics of echo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_adacs.phantom.beam import make_beam, white
from napari_adacs.phantom.echo import EchoOptions, echo_pair
from napari_adacs.phantom.sector import from_beam, make_sector, to_beam
from napari_adacs.phantom.speckle import Scatterers, display, echo
from tests.phantom.helpers import CLEAN, correlation, warp


def _texture(image):
    """Return an image without its slow part."""
    return image - gaussian_filter(image, 3)


def _follows(pair):
    """Return the speckle correlation in the wall (warped, unregistered)."""
    wall = (pair.fixed_labels == 2) & pair.sector
    fixed = _texture(pair.fixed)
    warped = _texture(warp(pair.moving, pair.displacement))
    return (
        correlation(warped, fixed, wall),
        correlation(_texture(pair.moving), fixed, wall),
    )


@pytest.mark.parametrize('ndim', [2, 3])
def test_speckle_follows_the_motion(ndim):
    after, before = _follows(echo_pair(1, ndim, options=CLEAN))

    assert after > 0.6
    assert after > before + 0.2


@pytest.mark.parametrize(
    ('shape', 'fractions'),
    [((128, 128), (0, 0.2, 0.4, 0.6, 0.8, 1)), ((48, 48, 48), (0, 0.5, 1))],
)
def test_decorrelation_loosens_it_step_by_step(shape, fractions):
    following = [
        _follows(
            echo_pair(
                1,
                len(shape),
                shape,
                options=replace(CLEAN, decorrelation=fraction),
            )
        )[0]
        for fraction in fractions
    ]

    assert np.all(np.diff(following) < -0.02)


def test_blood_speckle_does_not_persist():
    options = replace(CLEAN, blood=-3, papillary=-60)
    pair = echo_pair(1, 2, options=options)
    cavity = (pair.fixed_labels == 1) & pair.sector
    fixed = _texture(pair.fixed)
    warped = _texture(warp(pair.moving, pair.displacement))

    assert correlation(warped, fixed, cavity) < 0.3


@pytest.mark.parametrize('ndim', [2, 3])
def test_tissues_have_their_order_of_grey(ndim):
    pair = echo_pair(0, ndim, options=replace(CLEAN, unevenness=0))
    grey = [
        pair.moving[pair.sector & (pair.moving_labels == label)].mean()
        for label in (1, 2)
    ]

    assert grey[1] == pytest.approx(0.5, abs=0.1)
    assert grey[1] - grey[0] > 0.12


def test_gain_and_dynamic_range_act_as_on_a_machine():
    dark, bright, flat = (
        echo_pair(0, 2, options=replace(CLEAN, **change))
        for change in (
            {'gain': -5},
            {'gain': 5},
            {'dynamic_range': 100},
        )
    )
    middle = dark.sector & (dark.moving > 0.2) & (bright.moving < 0.8)

    step = (bright.moving - dark.moving)[middle].mean()
    assert step == pytest.approx(10 / 52, abs=0.02)
    assert flat.moving[middle].std() < 0.8 * bright.moving[middle].std()


def _beam(ndim, **change):
    shape = (128, 128) if ndim == 2 else (40, 40, 40)
    options = replace(EchoOptions(), **change)
    sector = make_sector(ndim, shape, None, options)
    return sector, make_beam(sector, options)


@pytest.mark.parametrize('ndim', [2, 3])
def test_beam_coordinates_have_an_inverse(ndim):
    sector, _ = _beam(ndim)
    inside = sector.positions[:, sector.mask]

    np.testing.assert_allclose(from_beam(to_beam(inside)), inside, atol=1e-3)


@pytest.mark.parametrize('ndim', [2, 3])
def test_blurred_noise_keeps_its_power_at_every_depth(ndim):
    _, beam = _beam(ndim, defocus=1.0)
    field = beam.noise(np.random.default_rng(0))[0]
    margin = 12 if ndim == 2 else 5
    inner = field[(slice(margin, -margin),) * ndim]
    axes = tuple(range(1, ndim))
    power = (np.abs(inner) ** 2).mean(axis=axes)

    thirds = [part.mean() for part in np.array_split(power, 3)]
    np.testing.assert_allclose(thirds, 1, atol=0.3)


def test_uniform_scatterers_are_fully_developed_speckle():
    # the intensity of developed speckle is exponential: its standard
    # deviation equals its mean (Goodman); looks divide the variance
    ratios = []
    for looks in (1, 4):
        _, beam = _beam(2, scatterers=10, looks=looks, axial=2)
        rng = np.random.default_rng(0)
        dots = Scatterers.draw(rng, beam)
        field = echo(beam, dots.positions, dots.amplitudes)[:, 10:-10, 10:-10]
        power = (np.abs(field) ** 2).mean(axis=0)
        assert power.mean() == pytest.approx(1, abs=0.15)
        ratios.append(power.std() / power.mean())

    assert ratios[0] == pytest.approx(1, abs=0.15)
    assert ratios[1] == pytest.approx(0.5, abs=0.12)


def _grain(image, axis, step):
    """Return the lag in mm at which the autocorrelation halves."""
    image = image - image.mean()
    lags = []
    for lag in range(12):
        count = image.shape[axis] - lag
        a = np.take(image, range(count), axis)
        b = np.take(image, range(lag, lag + count), axis)
        lags.append((a * b).mean())
    relative = np.array(lags) / lags[0]
    return float(np.interp(0.5, relative[::-1], np.arange(12)[::-1])) * step


def test_grains_are_wider_than_long_and_widen_with_depth():
    sector, beam = _beam(2, axial=2, lateral=4, smoothing=0, defocus=0)
    rng = np.random.default_rng(0)
    signal = white(rng, (1, *beam.shape))
    image = display(beam, sector, beam.blur(signal[0])[None])
    middle = slice(50, 78)
    near, far = image[30:50, 56:72], image[90:118, middle]
    down, across = sector.spacing

    assert _grain(far, 1, across) > 1.6 * _grain(far, 0, down)
    assert _grain(far, 1, across) > 1.5 * _grain(near, 1, across)
