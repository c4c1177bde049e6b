"""Instance optimisation: a free field, or the network itself."""

from __future__ import annotations

import itertools
from threading import Event

import numpy as np
import pytest
import torch

from napari_adacs.errors import InputError
from napari_adacs.models.library import find_model, load_model
from napari_adacs.objectives.folding import folding_penalty
from napari_adacs.phantom.echo import EchoOptions, echo_pair
from napari_adacs.registration.config import STEPS_FROM_ZERO, RunConfig
from napari_adacs.registration.free_field import (
    FreeFieldOptions,
    fit_free_field,
)
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.plan import completed, plan_registration
from napari_adacs.registration.refine_field import without_folds
from napari_adacs.registration.register import register, register_on_grids
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid
from napari_adacs.spatial.jacobian import jacobian_determinant
from napari_adacs.spatial.smoothing import resize_vectors


def texture(shape, seed=0, sigma=2.0):
    """Smooth noise with structure everywhere, in [0, 1]."""
    from scipy.ndimage import gaussian_filter

    values = gaussian_filter(
        np.random.default_rng(seed).standard_normal(shape), sigma
    ).astype(np.float32)
    return (values - values.min()) / (values.max() - values.min())


def wave(shape, size):
    """A smooth displacement of up to `size` voxels."""
    axes = np.meshgrid(
        *[np.linspace(0, np.pi, n) for n in shape], indexing='ij'
    )
    bump = np.prod([np.sin(a) for a in axes], axis=0)
    return np.stack(
        [size * bump * (-1) ** i for i in range(len(shape))]
    ).astype(np.float32)


def known_pair(shape, size=2.0):
    grid = Grid.from_spacing(shape)
    field = DisplacementField(wave(shape, size), grid)
    moving = texture(shape)
    return moving, field.warp_image(moving, 'border'), field


def inner(values, margin=5):
    return values[(..., *[slice(margin, -margin)] * (values.ndim - 1))]


class TestFromZero:
    @pytest.mark.parametrize(
        ('shape', 'similarity'),
        [
            ((64, 56), 'lncc'),
            ((64, 56), 'mse'),
            ((33, 47), 'lncc'),
            ((32, 28, 30), 'lncc'),
            ((32, 28, 30), 'mse'),
        ],
    )
    def test_a_known_displacement_is_found(self, shape, similarity):
        moving, fixed, field = known_pair(shape)
        result = register(moving, fixed, 'none', refine_similarity=similarity)
        error = np.linalg.norm(result.field.voxels - field.voxels, axis=0)
        before = np.linalg.norm(field.voxels, axis=0)
        margin = tuple([slice(5, -5)] * len(shape))
        assert error[margin].mean() < 0.12 * before[margin].mean()
        assert result.field.jacobian_determinant().min() > 0
        assert result.score is None and result.variance is None

    def test_thick_slices(self):
        """One axis is five times as coarse; the motion is in the others."""
        shape, spacing = (48, 48, 8), (1.0, 1.0, 5.0)
        grid = Grid.from_spacing(shape, spacing)
        truth = wave(shape, 2.0)
        truth[2] = 0
        moving = texture(shape, sigma=(2, 2, 0.7))
        fixed = DisplacementField(truth, grid).warp_image(moving, 'border')
        result = register(moving, fixed, 'none', spacing=spacing)
        error = np.linalg.norm(result.field.voxels - truth, axis=0)
        assert error[5:-5, 5:-5].mean() < 0.3
        assert np.linalg.norm(truth, axis=0)[5:-5, 5:-5].mean() > 0.8

    @pytest.mark.parametrize('shift', [6, 10])
    def test_what_lies_beyond_the_moving_image_draws_nothing(self, shift):
        scene = texture((64, 96), sigma=2.5)
        moving, fixed = scene[:, :64], scene[:, shift : shift + 64]
        result = register(moving, fixed, model='none')
        u = result.field.voxels
        seen = u[1, :, : 60 - shift]
        assert np.abs(seen - shift).mean() < 0.1
        # The strip that the moving image does not show stays near the rest.
        assert np.abs(u[0]).max() < 2.0
        assert 0.5 * shift < u[1].min() <= u[1].max() < shift + 2.0

    def test_contrast_may_differ(self):
        moving, fixed, field = known_pair((64, 64))
        fixed = np.sqrt(fixed) * np.linspace(0.5, 1.5, 64, dtype=np.float32)
        result = register(moving, fixed, 'none')
        error = np.linalg.norm(result.field.voxels - field.voxels, axis=0)
        assert inner(error[None]).mean() < 0.25

    def test_it_is_a_model_among_others(self):
        for ndim in (2, 3):
            entry = find_model('none', ndim)
            assert entry.from_zero and entry.header.ndim == ndim
            assert load_model(entry.name).header.network == 'identity'
            assert not find_model('auto', ndim).from_zero

    def test_no_steps_mean_a_sensible_number(self):
        header = find_model('none', 2).header
        config = completed(RunConfig('none', refine='network'), header)
        assert config.refine_steps == STEPS_FROM_ZERO
        assert config.refine == 'field'
        moving, fixed, _ = known_pair((32, 32))
        result = register(moving, fixed, 'none')
        assert result.config.refine_steps == STEPS_FROM_ZERO
        grid = Grid.from_spacing((32, 32))
        said = ' '.join(plan_registration(grid, grid, header).sentences)
        assert 'network' not in said

    def test_a_moving_image_on_another_grid(self):
        moving, fixed, field = known_pair((64, 64))
        moved = Grid.from_spacing((32, 64), (2.0, 1.0), origin=(0.5, 0.0))
        coarse = (moving[::2] + moving[1::2]) / 2
        result = register_on_grids(
            ImageOnGrid(coarse, moved, 'moving'),
            ImageOnGrid(fixed, field.grid, 'fixed'),
            RunConfig('none'),
        )
        error = np.linalg.norm(result.field.voxels - field.voxels, axis=0)
        assert inner(error[None]).mean() < 0.4


class TestFit:
    def test_weights_say_what_counts(self):
        """Where the weight is zero, nonsense in the image is not matched."""
        moving, fixed, field = known_pair((64, 64))
        fixed = fixed.copy()
        fixed[20:40, 20:40] = texture((20, 20), seed=9)
        weight = np.ones((1, 64, 64), np.float32)
        weight[:, 18:42, 18:42] = 0
        errors = []
        for chosen in (None, torch.from_numpy(weight)):
            *_, last = fit_free_field(
                torch.from_numpy(moving)[None],
                torch.from_numpy(fixed)[None],
                FreeFieldOptions(similarity='mse', smoothness=1.0),
                spacing=(1.0, 1.0),
                weight=chosen,
            )
            found = resize_vectors(last.field, (64, 64)).numpy()
            error = np.linalg.norm(found - field.voxels, axis=0)
            errors.append(error[16:44, 16:44].mean())
        assert errors[1] < 0.5 * errors[0]

    def test_losses_fall_and_the_fraction_rises(self):
        moving, fixed, _ = known_pair((64, 64))
        steps = list(
            fit_free_field(
                torch.from_numpy(moving)[None],
                torch.from_numpy(fixed)[None],
                FreeFieldOptions(similarity='mse', resolutions=1),
                spacing=(1.0, 1.0),
            )
        )
        assert steps[-1].loss < 0.1 * steps[0].loss
        fractions = [s.fraction for s in steps]
        assert all(a < b for a, b in itertools.pairwise(fractions))
        assert fractions[-1] <= 1

    def test_equal_images_move_nothing(self):
        image = torch.from_numpy(texture((40, 40)))[None]
        *_, last = fit_free_field(
            image, image, FreeFieldOptions(), spacing=(1.0, 1.0)
        )
        assert last.field.abs().max() < 1e-3

    def test_a_constant_image_gives_a_finite_field(self):
        image = torch.from_numpy(texture((40, 40)))[None]
        *_, last = fit_free_field(
            image,
            torch.zeros_like(image),
            FreeFieldOptions(),
            spacing=(1.0, 1.0),
        )
        assert torch.isfinite(last.field).all()

    def test_a_start_is_kept_where_the_images_say_nothing(self):
        blank = torch.zeros(1, 40, 40)
        start = torch.from_numpy(wave((40, 40), 3.0))
        *_, last = fit_free_field(
            blank, blank, FreeFieldOptions(), spacing=(1.0, 1.0), start=start
        )
        found = resize_vectors(last.field, (40, 40))
        torch.testing.assert_close(found, start, atol=0.1, rtol=0)

    @pytest.mark.parametrize('ndim', [2, 3])
    def test_a_prior_holds_on_to_the_start(self, ndim):
        moving, fixed, field = known_pair((32, 30, 28)[:ndim])
        truth = torch.from_numpy(field.voxels)
        start = torch.zeros_like(truth)
        start[0] = 0.5
        moved = []
        for prior in (0.0, 0.3, 3.0, 300.0):
            *_, last = fit_free_field(
                torch.from_numpy(moving)[None],
                torch.from_numpy(fixed)[None],
                FreeFieldOptions(prior=prior),
                spacing=(1.0,) * ndim,
                start=start,
            )
            found = resize_vectors(last.field, fixed.shape)
            moved.append(float((found - start).norm()))
        assert moved == sorted(moved, reverse=True)
        assert moved[-1] < 0.02 * moved[0]

    def test_without_a_start_there_is_no_prior(self):
        moving, fixed, _ = known_pair((40, 40))
        fields = []
        for prior in (0.0, 5.0):
            *_, last = fit_free_field(
                torch.from_numpy(moving)[None],
                torch.from_numpy(fixed)[None],
                FreeFieldOptions(steps=4, prior=prior),
                spacing=(1.0, 1.0),
            )
            fields.append(last.field)
        torch.testing.assert_close(*fields)


class TestFolds:
    def test_folds_are_smoothed_and_nothing_else(self):
        voxels = np.zeros((2, 40, 40), np.float32)
        voxels[0, 10:14, 10:14] = [[6.0]]
        voxels[1, 30] = 0.2
        assert (jacobian_determinant(voxels) <= 0).any()
        repaired = without_folds(voxels)
        assert jacobian_determinant(repaired).min() > 0
        np.testing.assert_array_equal(repaired[:, 28:], voxels[:, 28:])

    def test_the_penalty_is_zero_without_folds_and_exact_for_one(self):
        x = torch.arange(6.0)
        flipped = torch.zeros(1, 2, 6, 6)
        flipped[0, 0] = -2 * x[:, None]  # x + u = -x: determinant -1
        assert folding_penalty(flipped, margin=0).item() == pytest.approx(1)
        assert folding_penalty(torch.zeros(1, 3, 4, 4, 4)) == 0


class TestNetwork:
    def test_the_copy_learns_and_the_model_stays(self):
        pair = echo_pair(
            3, 2, (128, 128), options=EchoOptions(nuisance_frame='none')
        )
        model = load_model('voxelmorph-heteroscedastic-echo2d')
        before = {
            k: v.clone() for k, v in model.displacement.state_dict().items()
        }
        plain = register(pair.moving, pair.fixed, model)
        refined = register(
            pair.moving,
            pair.fixed,
            model,
            refine_steps=15,
            refine='network',
            refine_similarity='mse',
            cancel=Event(),  # watched by hooks on the layers
        )
        assert refined.residual.mean() < 0.97 * plain.residual.mean()
        for name, values in model.displacement.state_dict().items():
            assert torch.equal(values, before[name])


class TestWhileItRuns:
    @pytest.mark.parametrize('refine', ['field', 'network'])
    def test_cancelling_keeps_the_field_so_far(self, refine):
        pair = echo_pair(3, 2, (128, 128))
        seen = []

        def stop():
            return any('Refining' in message for message in seen)

        result = register(
            pair.moving,
            pair.fixed,
            refine_steps=1000,
            refine=refine,
            progress=lambda fraction, message: seen.append(message),
            cancel=stop,
        )
        assert any('stopped by hand' in note for note in result.notes)
        assert len([m for m in seen if 'Refining' in m]) <= 2
        assert seen[-1] == 'Done'

    def test_snapshots_show_the_warped_image(self, monkeypatch):
        monkeypatch.setattr(
            'napari_adacs.registration.preview._SHORTEST_PAUSE', 0.0
        )
        moving, fixed, _ = known_pair((64, 64))
        shots = []
        result = register(moving, fixed, 'none', preview=shots.append)
        assert len(shots) > 5
        assert [len(s.losses) for s in shots] == list(range(1, len(shots) + 1))
        first, last = (
            np.abs(inner(s.warped[None] - fixed[None])).mean()
            for s in (shots[0], shots[-1])
        )
        assert last < 0.3 * first
        assert shots[-1].warped.shape == result.warped.shape

    @pytest.mark.parametrize(
        'wrong',
        [
            {'refine': 'all'},
            {'refine_similarity': 'mutual'},
            {'refine_smoothness': 0.0},
            {'refine_smoothness': float('nan')},
            {'refine_prior': -0.1},
            {'refine_prior': float('inf')},
        ],
    )
    def test_settings_are_checked_before_anything_runs(self, wrong):
        with pytest.raises(InputError, match=next(iter(wrong))):
            RunConfig(**wrong)


def test_refining_a_model_brings_it_nearer_to_the_truth():
    pair = echo_pair(5, 2, (128, 128))
    inside = (pair.fixed_labels > 0) & pair.sector
    errors = []
    for steps in (0, 20):
        found = register(pair.moving, pair.fixed, refine_steps=steps).field
        error = np.linalg.norm(found.voxels - pair.displacement, axis=0)
        errors.append(error[inside].mean())
    assert errors[1] < errors[0]


@pytest.mark.parametrize('ndim', [2, 3])
def test_network_and_native_resolution_both_work(ndim):
    shape = (128, 120) if ndim == 2 else (40, 48, 44)
    moving, fixed, _ = known_pair(shape)
    for resolution in ('native', 'network'):
        grid = Grid.from_spacing(shape)
        result = register_on_grids(
            ImageOnGrid(moving, grid, 'moving'),
            ImageOnGrid(fixed, grid, 'fixed'),
            RunConfig(refine_steps=5, refine_resolution=resolution),
        )
        assert result.field.voxels.shape == (ndim, *shape)
        assert result.residual.mean() < np.abs(fixed - moving).mean()


def test_from_zero_finds_as_much_in_a_large_image():
    """What is one voxel in a small image is many in a large one."""
    errors = []
    for size in (128, 512):
        pair = echo_pair(7, 2, (size, size))
        field = register(pair.moving, pair.fixed, 'from-zero-2d').field
        wrong = np.linalg.norm(field.voxels - pair.displacement, axis=0)
        errors.append(wrong[pair.sector].mean() / size)
    assert errors[1] < 1.2 * errors[0]


def test_a_wide_fold_gives_way():
    y, x = np.indices((300, 300), np.float32)
    hill = np.exp(-((y - 150) ** 2 + (x - 150) ** 2) / (2 * 25**2))
    voxels = np.stack([-60 * hill, np.zeros_like(hill)]).astype(np.float32)
    assert (jacobian_determinant(voxels) <= 0).mean() > 0.01
    mended = without_folds(voxels)
    assert jacobian_determinant(mended).min() > 0
    far = hill < 1e-4
    np.testing.assert_array_equal(mended[:, far], voxels[:, far])
