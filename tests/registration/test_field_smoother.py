"""Smoothing while fitting: what is kept, what counts, what is bridged."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_adacs.registration.field_smoother import (
    FieldSmoother,
    trust_by_fit,
    trust_by_weight,
)
from napari_adacs.registration.free_field import (
    FreeFieldOptions,
    fit_free_field,
)
from napari_adacs.registration.local_motion import gradient_of
from napari_adacs.spatial.operators import warp
from napari_adacs.spatial.smoothing import resize_vectors, smooth

SIGMA = (1.5, 1.5)


def noise(shape: tuple[int, ...], seed: int, sigma: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand(1, *shape, generator=generator)
    values = smooth(values, [sigma] * len(shape)) if sigma else values
    low, high = values.min(), values.max()
    return (values - low) / (high - low)


class TestSmoother:
    def test_what_is_kept_stays_as_it_is(self):
        prior = noise((2, 20, 20), 0)[0]
        same = FieldSmoother(SIGMA, prior)(prior, None)
        torch.testing.assert_close(same, prior)

    def test_what_is_added_is_smoothed(self):
        prior, added = noise((2, 20, 20), 0)[0], noise((2, 20, 20), 1)[0]
        found = FieldSmoother(SIGMA, prior)(prior + added, None)
        torch.testing.assert_close(found, prior + smooth(added, SIGMA))

    def test_full_trust_smooths_as_usual(self):
        field = noise((2, 20, 20), 0)[0]
        found = FieldSmoother(SIGMA, wide=3.0)(field, torch.ones(1, 20, 20))
        torch.testing.assert_close(found, smooth(field, SIGMA))

    @pytest.mark.parametrize('wide', [1.0, 3.0])
    def test_a_place_of_no_trust_takes_over_from_its_neighbours(self, wide):
        field = torch.ones(2, 31, 31)
        field[:, 15, 15] = 50.0
        trust = torch.ones(1, 31, 31)
        trust[:, 15, 15] = 1e-3
        found = FieldSmoother((2.0, 2.0), wide=wide)(field, trust)
        assert found[0, 15, 15] < 1.1
        if wide == 1:
            assert (found - 1).abs().max() < 0.1


class TestTrust:
    def test_by_fit_is_low_where_images_are_flat_or_differ(self):
        fixed = noise((60, 60), 0, sigma=2.0)
        fixed[:, :20] = 0.5
        warped = fixed.clone()
        warped[:, 40:] = noise((20, 60), 1, sigma=2.0)
        gradient = gradient_of((fixed + warped)[0][None] / 2, (1.0, 1.0))
        trust = trust_by_fit(
            gradient,
            fixed - warped,
            torch.ones_like(fixed),
            SIGMA,
            (60, 60),
        )[0]
        flat, fits, differs = trust[3:15], trust[25:35], trust[45:57]
        assert fits.mean() > 0.5
        assert flat.mean() < 0.1
        assert differs.mean() < 0.5 * fits.mean()
        assert trust.min() > 0
        assert trust.max() <= 1

    def test_by_fit_of_constant_images_is_finite(self):
        blank = torch.zeros(1, 16, 16)
        trust = trust_by_fit(
            torch.zeros(2, 16, 16), blank, blank, SIGMA, (8, 8)
        )
        assert torch.isfinite(trust).all()
        assert trust.shape == (1, 8, 8)

    def test_by_weight_is_never_zero(self):
        weight = torch.ones(1, 16, 16)
        weight[:, :8] = 0
        trust = trust_by_weight(weight, (8, 8))
        assert trust.min() > 0
        assert trust[0, 0, 0] < 0.05 * trust[0, 7, 7]


class TestFromZero:
    def motion(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return images that differ by a wave, and the wave."""
        z = torch.linspace(0, np.pi, n)
        field = torch.zeros(3, n, n, n)
        field[0] = (
            2.5 * torch.sin(z).view(1, 1, n) * torch.sin(z).view(1, n, 1)
        )
        moving = noise((n, n, n), 0, sigma=1.5)
        return moving, warp(moving[None], field[None])[0], field

    def error(self, *, options: FreeFieldOptions) -> float:
        """Return the error inside of a block in shadow."""
        n = 40
        moving, fixed, field = self.motion(n)
        block = slice(12, 28)
        fixed[:, block, block, block] = 0
        *_, last = fit_free_field(moving, fixed, options, spacing=(1.0,) * 3)
        found = resize_vectors(last.field, (n, n, n))
        error = torch.linalg.vector_norm(found - field, dim=0)
        return float(error[block, block, block].mean())

    def test_bridging_carries_the_field_over_a_shadow(self):
        plain = FreeFieldOptions(kept=1)
        bridged = dataclasses.replace(plain, bridging=3.0)
        assert self.error(options=bridged) < 0.5 * self.error(options=plain)

    def test_what_coarse_resolutions_found_is_kept(self):
        """However smooth the addition, the motion of before stays."""
        moving, fixed, field = self.motion(40)
        errors = []
        for options in (
            FreeFieldOptions(smoothness=8.0),
            FreeFieldOptions(kept=1, added_smoothness=16.0),
        ):
            *_, last = fit_free_field(
                moving, fixed, options, spacing=(1.0,) * 3
            )
            found = resize_vectors(last.field, (40, 40, 40))
            errors.append(float((found - field).abs().mean()))
        assert errors[1] < 0.7 * errors[0]
