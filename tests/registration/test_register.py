"""Registration from images to native grid, and what it refuses."""

from __future__ import annotations

import threading

import nibabel as nib
import numpy as np
import pytest
import torch

from napari_adacs.errors import (
    CancelledError,
    DeviceError,
    InputError,
    ModelError,
)
from napari_adacs.networks.unet import ConvBlock
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.preprocess import prepare
from napari_adacs.registration.register import register, register_on_grids
from napari_adacs.spatial.grid import Grid
from tests.small_models import save_small_model, small_model


def blob(shape, centre=0.5, width=0.2):
    axes = np.meshgrid(*[np.linspace(0, 1, n) for n in shape], indexing='ij')
    squared = sum((a - centre) ** 2 for a in axes)
    return np.exp(-squared / width**2).astype(np.float32)


def pair(shape):
    return blob(shape, 0.45), blob(shape, 0.55)


@pytest.mark.parametrize(
    'shape', [(32, 32), (45, 70), (16, 16, 16), (20, 31, 18)]
)
def test_shapes_and_types_of_the_contract(shape):
    moving, fixed = pair(shape)
    result = register(moving, fixed, small_model(len(shape)))
    assert result.field.voxels.shape == (len(shape), *shape)
    assert result.field.voxels.dtype == np.float32
    for array in (
        result.warped,
        result.residual,
        result.score,
        result.variance,
        result.weight,
        result.field.jacobian_determinant(),
    ):
        assert array.shape == shape
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert 0 <= result.score.min() <= result.score.max() <= 1
    assert result.variance.min() >= 0


def test_everything_derives_from_the_one_field():
    moving, fixed = pair((45, 70))
    result = register(moving * 300 - 20, fixed, small_model())
    again = result.field.warp_image(moving * 300 - 20)
    np.testing.assert_array_equal(result.warped, again)


@pytest.mark.parametrize('grid', ['resize', 'pad'])
def test_the_native_field_is_the_networks_field(grid):
    moving, fixed = pair((30, 41))
    model = small_model(grid=grid, shape=(64, 64) if grid == 'resize' else ())
    result = register(moving, fixed, model)
    mean = result.field.voxels[:, 10:-10, 10:-10].mean((1, 2))
    # The bias of 0.8 network voxels dominates the field.
    scale = (30 / 64, 41 / 64) if grid == 'resize' else (1, 1)
    np.testing.assert_allclose(mean / scale, 0.8, atol=0.5)
    assert np.abs(result.field.voxels).max() > 0.1


def test_a_full_size_pair_runs_without_resampling():
    moving, fixed = pair((32, 32))
    model = small_model()
    result = register(moving, fixed, model)
    with torch.inference_mode():
        unit = [
            torch.from_numpy((a - a.min()) / (a.max() - a.min()))[None, None]
            for a in (moving, fixed)
        ]
        expected = model.displacement(*unit).displacement[0].numpy()
    np.testing.assert_allclose(result.field.voxels, expected, atol=1e-5)


def test_inputs_are_not_changed():
    moving, fixed = pair((32, 32))
    copies = moving.copy(), fixed.copy()
    register(moving, fixed, small_model())
    np.testing.assert_array_equal(moving, copies[0])
    np.testing.assert_array_equal(fixed, copies[1])


def test_integer_and_big_endian_images_are_accepted():
    moving, fixed = pair((32, 32))
    result = register(
        (moving * 255).astype(np.uint8),
        (fixed * 1000).astype('>i2'),
        small_model(),
    )
    assert result.warped.max() > 200


def test_nibabel_images_bring_their_geometry():
    moving, fixed = pair((20, 31, 18))
    affine = np.diag([-1.5, -1.5, 3.0, 1.0])
    affine[:3, 3] = [10, 20, -30]
    result = register(
        nib.Nifti1Image(moving, affine),
        nib.Nifti1Image(fixed, affine),
        small_model(3),
    )
    assert result.field.grid.spacing == pytest.approx((1.5, 1.5, 3.0))
    np.testing.assert_allclose(result.field.grid.ras_affine, affine)
    assert result.warped.shape == (20, 31, 18)


def test_a_moving_image_on_another_grid_is_brought_over():
    """A shifted field of view alone must not look like motion."""
    image = blob((40, 40), 0.5)
    fixed_grid = Grid.from_spacing((40, 40))
    moving_grid = Grid.from_spacing((48, 44), origin=(-4.0, -2.0))
    moving = np.zeros((48, 44), np.float32)
    moving[4:44, 2:42] = image
    model = small_model(flow=0.0)
    with torch.no_grad():
        model.displacement.flow.bias.zero_()
    result = register_on_grids(
        ImageOnGrid(moving, moving_grid, 'moving'),
        ImageOnGrid(image, fixed_grid, 'fixed'),
        RunConfig(),
        model=model,
    )
    np.testing.assert_allclose(result.warped, image, atol=1e-5)


def test_same_images_same_bits():
    moving, fixed = pair((32, 32))
    first = register(moving, fixed, small_model())
    second = register(moving, fixed, small_model())
    np.testing.assert_array_equal(first.field.voxels, second.field.voxels)


def test_a_model_without_estimators_has_no_maps():
    moving, fixed = pair((32, 32))
    model = small_model(scheme='vanilla', auxiliaries=())
    result = register(moving, fixed, model)
    assert result.score is None
    assert result.variance is None
    assert result.maps == {}


def test_the_weight_is_the_schemes_own():
    moving, fixed = pair((32, 32))
    adacs = register(moving, fixed, small_model(scheme='adacs'))
    np.testing.assert_array_equal(adacs.weight, adacs.score)
    snr = register(moving, fixed, small_model(scheme='heteroscedastic'))
    assert snr.weight.min() >= 0.5
    assert snr.score is not None


def test_the_inverse_comes_with_the_result():
    moving, fixed = pair((32, 32))
    result = register(moving, fixed, small_model(flow=0.01))
    residual = result.field.compose(result.field.inverse()).voxels
    size = np.abs(result.field.voxels).max()
    assert size > 0.3
    assert np.abs(residual[:, 4:-4, 4:-4]).max() < 0.05 * size


def test_refinement_lowers_the_residual():
    moving, fixed = pair((32, 32))
    model = small_model(flow=0.001)
    with torch.no_grad():
        model.displacement.flow.bias.zero_()
    plain = register(moving, fixed, model)
    refined = register(moving, fixed, model, refine_steps=40)
    assert refined.residual.mean() < 0.6 * plain.residual.mean()
    assert (refined.field.jacobian_determinant() > 0).all()


def test_progress_rises_to_one():
    moving, fixed = pair((32, 32))
    seen = []
    register(
        moving, fixed, small_model(), progress=lambda f, m: seen.append((f, m))
    )
    fractions = [f for f, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert all(message for _, message in seen)


def test_cancelling_before_the_start():
    event = threading.Event()
    event.set()
    with pytest.raises(CancelledError):
        register(*pair((32, 32)), small_model(), cancel=event)


@pytest.mark.parametrize('backend', ['auto', 'plain'])
def test_cancelling_between_layers(backend):
    """A network that is already running stops before its next part."""
    model = small_model()
    event = threading.Event()
    # The faster way computes a block, convolution and activation, at once.
    layers = [
        m
        for m in model.displacement.modules()
        if (isinstance(m, ConvBlock) or m is model.displacement.flow)
    ]
    calls = []
    layers[2].register_forward_hook(lambda *_: event.set())
    layers[-1].register_forward_hook(lambda *_: calls.append('too late'))
    with pytest.raises(CancelledError):
        register(*pair((32, 32)), model, cancel=event, backend=backend)
    assert event.is_set()
    assert calls == []


def bad_inputs():
    good = pair((32, 32))[0]
    nan = good.copy()
    nan[3, 3] = np.nan
    infinite = good.copy()
    infinite[3, 3] = np.inf
    volume = pair((16, 16, 16))[0]
    yield 'constant', (good, np.ones_like(good)), 'constant'
    yield 'nan', (nan, good), 'NaN'
    yield 'inf', (good, infinite), 'infinite'
    yield '2D and 3D', (good, volume), '2D'
    yield '4D', (volume[None], volume), 'frame'
    yield 'RGB', (np.zeros((32, 32, 3), np.uint8), good), 'RGB'
    yield 'one axis', (good[0], good), '1 axes'
    yield 'shapes', (good, pair((32, 30))[1]), 'different shapes'
    yield 'text', (np.array([['a', 'b'], ['c', 'd']]), good), 'numbers'
    yield 'complex', (good.astype(complex), good), 'complex'
    yield 'thin', (good[:1], good), 'one voxel'


@pytest.mark.parametrize(
    ('images', 'message'),
    [pytest.param(i, m, id=n) for n, i, m in bad_inputs()],
)
def test_bad_images_are_one_sentence(images, message):
    with pytest.raises(InputError, match=message):
        register(*images, small_model())


@pytest.mark.parametrize('spacing', [0, -1, np.nan, (1, 2, 3)])
def test_bad_spacing_is_one_sentence(spacing):
    with pytest.raises(InputError):
        register(*pair((32, 32)), small_model(), spacing=spacing)


def test_images_far_apart_are_refused():
    moving, fixed = pair((32, 32))
    with pytest.raises(InputError, match='hardly overlap'):
        register_on_grids(
            ImageOnGrid(
                moving, Grid.from_spacing((32, 32), origin=(500, 0)), 'moving'
            ),
            ImageOnGrid(fixed, Grid.from_spacing((32, 32)), 'fixed'),
            RunConfig(),
            model=small_model(),
        )


def test_a_model_for_the_wrong_dimension(tmp_path):
    path = save_small_model(tmp_path, 3)
    with pytest.raises(ModelError, match='registers 3D images'):
        register(*pair((32, 32)), path)


def test_an_unknown_model():
    with pytest.raises(ModelError, match='no model called'):
        register(*pair((32, 32)), 'nothing-like-this')


@pytest.mark.parametrize('device', ['tpu', 'cuda:97', 'meta'])
def test_an_unknown_device(device):
    with pytest.raises(DeviceError):
        register(*pair((32, 32)), small_model(), device=device)


@pytest.mark.parametrize(
    'error',
    [
        torch.OutOfMemoryError('CUDA out of memory.'),
        RuntimeError('DefaultCPUAllocator: not enough memory: you tried'),
        MemoryError(),
    ],
)
def test_running_out_of_memory_is_advice(error):
    model = small_model()

    def fail(*_):
        raise error

    model.displacement.flow.register_forward_pre_hook(fail)
    with pytest.raises(DeviceError, match='needs about'):
        register(*pair((32, 32)), model)


def test_other_runtime_errors_are_not_hidden():
    model = small_model()

    def fail(*_):
        raise RuntimeError('a bug')

    model.displacement.flow.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match='a bug'):
        register(*pair((32, 32)), model)


def test_threads_are_restored():
    before = torch.get_num_threads()
    register(*pair((32, 32)), small_model(), threads=before + 1)
    assert torch.get_num_threads() == before


def test_the_summary_is_plain_data():
    import json

    result = register(*pair((32, 32)), small_model(), spacing=(2, 2))
    values = json.loads(json.dumps(result.summary()))
    assert values['model'] == 'small-2d'
    assert values['units'] == 'mm'
    assert values['folded_percent'] >= 0


def test_a_model_of_file_order_sees_the_same_in_napari_and_in_a_file():
    images = pair((16, 20, 24))
    affine = np.diag([-2.0, -2, 3, 1])
    model = small_model(3, grid='pad', orientation='file')
    stored = [nib.Nifti1Image(image, affine) for image in images]
    as_file = register(*stored, model=model)
    grid = Grid.from_ras(images[0].shape, affine).transposed()
    shown = [ImageOnGrid(image.T, grid, 'image') for image in images]
    config = RunConfig('small-3d')
    as_layers = register_on_grids(*shown, config, model=model)
    np.testing.assert_allclose(
        as_layers.field.voxels[::-1].transpose(0, 3, 2, 1),
        as_file.field.voxels,
        atol=1e-4,
    )


def test_an_oriented_model_gives_the_same_motion_for_any_axis_order():
    """Transposed and mirrored storage of one pair is one registration."""
    moving, fixed = pair((32, 32))
    model = small_model(orientation='lps')
    grid = Grid.from_spacing((32, 32), origin=(3.0, -4.0))
    straight = register_on_grids(
        ImageOnGrid(moving, grid, 'moving'),
        ImageOnGrid(fixed, grid, 'fixed'),
        RunConfig(),
        model=model,
    )
    affine = np.array([[0, -1.0, 34], [1.0, 0, -4], [0, 0, 1]])
    turned_grid = Grid((32, 32), affine)  # index (i, j) lies at (31 - j, i)
    turned = register_on_grids(
        ImageOnGrid(moving[::-1].T.copy(), turned_grid, 'moving'),
        ImageOnGrid(fixed[::-1].T.copy(), turned_grid, 'fixed'),
        RunConfig(),
        model=model,
    )
    np.testing.assert_allclose(
        turned.warped, straight.warped[::-1].T, atol=1e-5
    )
    np.testing.assert_allclose(turned.score, straight.score[::-1].T, atol=1e-5)
    np.testing.assert_allclose(
        turned.field.field_world[:, 5, 8],
        straight.field.field_world[:, 31 - 8, 5],
        atol=1e-4,
    )


class TestEmphasis:
    """Refining tries harder where the emphasis is raised."""

    def _residuals(self, scheme, auxiliaries):
        """Mean residual of the marked half, without and with emphasis."""
        shape = (32, 64)
        left, right = blob((32, 32), 0.4), blob((32, 32), 0.6)
        moving = np.concatenate([left, left], axis=1)
        # The right half is brighter on one side: the two halves want
        # fields that a smooth field cannot both give.
        fixed = np.concatenate([right, right[::-1]], axis=1)
        model = small_model(
            grid='pad', shape=(), scheme=scheme, auxiliaries=auxiliaries
        )
        mark = np.zeros(shape, np.float32)
        mark[:, 32:] = 20
        found = [
            register(
                moving,
                fixed,
                model,
                refine_steps=30,
                refine_similarity='mse',
                emphasis=x,
            )
            for x in (None, mark)
        ]
        return [result.residual[:, 32:].mean() for result in found]

    @pytest.mark.parametrize(
        ('scheme', 'auxiliaries'),
        [('adacs', ('scoring',)), ('vanilla', ())],
    )
    def test_the_marked_half_fits_better(self, scheme, auxiliaries):
        plain, marked = self._residuals(scheme, auxiliaries)
        assert marked < 0.98 * plain

    def test_a_map_on_the_native_grid_reaches_the_network_grid(self):
        moving, fixed = pair((45, 70))
        mark = np.zeros((45, 70), np.float32)
        mark[20:30, 20:40] = 5
        grid = Grid.from_spacing((45, 70))
        images = [ImageOnGrid(x, grid, 'x') for x in (moving, fixed)]
        target = grid.resized((32, 32))
        found = prepare(*images, target, mark).emphasis
        assert found.shape == (1, 1, 32, 32)
        assert 4 < found.max() <= 5
        np.testing.assert_allclose(found.mean(), mark.mean(), rtol=0.1)

    @pytest.mark.parametrize(
        ('emphasis', 'steps', 'said'),
        [
            (np.ones((31, 32)), 5, 'does not fit'),
            (-np.ones((32, 32)), 5, 'negative'),
            (np.full((32, 32), np.nan), 5, 'infinite'),
            (np.zeros((32, 32)), 5, 'nothing is marked'),
            (np.ones((32, 32)), 0, 'refinement'),
        ],
    )
    def test_what_cannot_be_used_is_refused(self, emphasis, steps, said):
        moving, fixed = pair((32, 32))
        with pytest.raises(InputError, match=said):
            register(
                moving,
                fixed,
                small_model(),
                refine_steps=steps,
                emphasis=emphasis,
            )
