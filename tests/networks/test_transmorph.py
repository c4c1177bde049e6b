"""TransMorph: published numbers, any shape, inverse, gradients."""

from __future__ import annotations

import math

import pytest
import torch

from napari_adacs.errors import ModelError
from napari_adacs.networks.registry import build_displacement
from napari_adacs.networks.swin import PARITIES
from napari_adacs.networks.transmorph import VARIANTS, WINDOWS, TransMorph
from napari_adacs.spatial.operators import warp
from tests.networks.golden_inputs import fill_parameters, image_pair, summary
from tests.networks.published_keys import published_keys

# variant: parameters in 2D and in 3D
PARAMETERS = {
    'base': (31_013_570, 46_771_251),
    'no-conv-skip': (30_990_530, 46_702_131),
    'no-trans-skip': (29_271_746, 41_545_779),
    'no-skip': (29_248_706, 41_476_659),
    'large': (80_319_954, 108_343_907),
    'small': (7_776_650, 11_757_195),
    'tiny': (136_730, 244_527),
}

# mean, std, min, max, then values at positions 0, n/7, n/3, n/2, n-1
DISPLACEMENT_2D = (
    '-0.026283 1.802354 -14.559285 13.533023 -0.152362 -0.907606 0.232474 '
    '0.209545 0.856391'
)
MOVED_2D = (
    '0.496695 0.338588 0.000000 0.999364 0.481016 0.091414 0.622059 '
    '0.735732 0.135416'
)
DISPLACEMENT_3D = (
    '-0.055550 1.257112 -11.189664 12.295197 -1.613398 -0.490608 2.042204 '
    '-0.138056 0.216199'
)


def numbers(line: str) -> list[float]:
    return [float(v) for v in line.split()]


def parameter_count(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def filled(ndim: int, variant: str = 'tiny', **options) -> TransMorph:
    network = TransMorph(ndim, variant, **options).eval()
    fill_parameters(network)
    return network


def on_meta(ndim: int, variant: str, **options) -> TransMorph:
    with torch.device('meta'):
        return TransMorph(ndim, variant, **options)


@pytest.mark.parametrize('variant', VARIANTS)
@pytest.mark.parametrize('ndim', [2, 3])
def test_number_of_parameters(variant, ndim):
    count = parameter_count(on_meta(ndim, variant))
    assert count == PARAMETERS[variant][ndim - 2]


def test_published_number_without_skips_in_2d_has_smaller_windows():
    network = on_meta(2, 'no-skip', window=(5, 6))
    assert parameter_count(network) == 29_240_642


@pytest.mark.parametrize('ndim', [2, 3])
def test_state_dict_has_the_published_names_and_shapes(ndim):
    published = published_keys(f'transmorph_{ndim}d')
    assert len(published) == 166
    del published['spatial_trans.grid']
    state = on_meta(ndim, 'base').state_dict()
    assert {k: tuple(v.shape) for k, v in state.items()} == published
    integers = {k for k, v in state.items() if v.dtype == torch.int64}
    index = {k for k in published if k.endswith('relative_position_index')}
    assert integers == index
    assert len(index) == 10


@pytest.mark.parametrize(
    ('variant', 'inputs'),
    [
        ('no-conv-skip', (1152, 576, 288, 96, 48)),
        ('no-trans-skip', (768, 384, 192, 144, 64)),
        ('no-skip', (768, 384, 192, 96, 48)),
    ],
)
def test_variants_without_skips_keep_the_published_names(variant, inputs):
    state = on_meta(3, variant).state_dict()
    assert set(state) == set(published_keys('transmorph_3d')) - {
        'spatial_trans.grid'
    }
    found = [state[f'up{k}.conv1.0.weight'].shape[1] for k in range(5)]
    assert tuple(found) == inputs


def test_filled_network_gives_the_published_numbers_in_2d():
    # The published run rounded the parameters to float32 first.
    network = filled(2, 'base').double()
    source, target = (x.double() for x in image_pair((128, 128)))
    with torch.inference_mode():
        displacement = network(source, target).displacement
        moved = warp(source, displacement)
    found = summary(displacement)
    assert found == pytest.approx(numbers(DISPLACEMENT_2D), abs=1.5e-6)
    # These were computed in float32: the flow then differs by up to 9e-3.
    assert summary(moved) == pytest.approx(numbers(MOVED_2D), abs=2e-3)


@pytest.mark.slow
def test_filled_network_gives_the_published_numbers_in_3d():
    network = filled(3, 'base')
    with torch.inference_mode():
        motion = network(*image_pair((64, 64, 64)))
    found = summary(motion.displacement)
    assert found == pytest.approx(numbers(DISPLACEMENT_3D), abs=2e-2)


def transposed_state(network: TransMorph, order: tuple[int, ...]) -> dict:
    """Return the weights that see axis ``order[i]`` as their axis i."""
    window = network.config.window
    table_shape = [2 * w - 1 for w in window]
    parities = PARITIES[network.ndim]
    merged = [
        parities.index(tuple(p[order.index(d)] for d in range(len(p))))
        for p in parities
    ]
    state = {}
    for name, value in network.state_dict().items():
        if name.endswith('relative_position_index'):
            continue
        if name.endswith('relative_position_bias_table'):
            table = value.reshape(*table_shape, -1)
            value = table.permute(*order, len(order)).flatten(0, -2)
        elif '.downsample.' in name:
            parts = value.unflatten(-1, (len(parities), -1))
            value = parts[..., merged, :].flatten(-2)
        elif value.ndim == len(order) + 2:
            value = value.permute(0, 1, *(d + 2 for d in order))
        if name.startswith('reg_head'):
            value = value[list(order)]
        state[name] = value
    return state


@pytest.mark.parametrize(
    ('shape', 'order'),
    [
        ((32, 96), (1, 0)),
        ((96, 64), (1, 0)),
        ((32, 64, 32), (1, 2, 0)),
        ((32, 32, 64), (2, 1, 0)),
    ],
)
def test_axes_are_treated_alike_whatever_their_length(shape, order):
    ndim = len(shape)
    network = filled(ndim).double()
    window = tuple(WINDOWS[ndim][d] for d in order)
    turned = TransMorph(ndim, 'tiny', window=window).double().eval()
    turned.load_state_dict(
        {**turned.state_dict(), **transposed_state(network, order)}
    )
    source, target = (x.double() for x in image_pair(shape))
    places = (0, 1, *(d + 2 for d in order))
    with torch.inference_mode():
        straight = network(source, target).displacement
        around = turned(source.permute(places), target.permute(places))
    assert straight.abs().max() > 0.1
    expected = straight[:, list(order)].permute(places)
    torch.testing.assert_close(around.displacement, expected)


def test_a_batch_is_estimated_like_its_samples():
    network = filled(2).double()
    source, target = (x.double() for x in image_pair((64, 96)))
    sources = torch.cat([source, target.flip(-1)])
    targets = torch.cat([target, source.flip(-1)])
    with torch.inference_mode():
        together = network(sources, targets).displacement
        second = network(sources[1:], targets[1:]).displacement
    torch.testing.assert_close(together[1:], second)


@pytest.mark.parametrize('ndim', [2, 3])
def test_gradients_reach_every_parameter_in_use(ndim):
    torch.manual_seed(0)
    network = TransMorph(ndim, 'tiny', drop_path=0.0)
    motion = network(*image_pair((32, 64, 32)[:ndim]))
    motion.displacement.square().sum().backward()
    gradients = [p.grad for p in network.parameters()]
    assert all(g is not None and g.isfinite().all() for g in gradients)
    assert all(g.any() for g in gradients)


def test_stochastic_depth_only_while_training():
    torch.manual_seed(0)
    network = filled(2)
    pair = image_pair((64, 64))
    with torch.no_grad():
        still = [network(*pair).displacement for _ in range(2)]
        network.train()
        varied = [network(*pair).displacement for _ in range(4)]
    torch.testing.assert_close(still[0], still[1], rtol=0, atol=0)
    assert any(not torch.equal(v, varied[0]) for v in varied[1:])


def test_plain_displacement_has_no_exact_inverse():
    motion = filled(2)(*image_pair((32, 64)))
    assert motion.inverse is None
    assert motion.raw_step == 1
    torch.testing.assert_close(motion.raw, motion.displacement)


def test_integrated_output_and_its_inverse_undo_each_other():
    network = filled(2, int_steps=7)
    with torch.inference_mode():
        motion = network(*image_pair((64, 96)))
        motion = network.motion(smooth(motion.raw))
        back = motion.displacement + warp(
            motion.inverse, motion.displacement, padding='border'
        )
    assert motion.raw_step == 2
    assert motion.raw.shape == (1, 2, 32, 48)
    assert motion.displacement.shape == (1, 2, 64, 96)
    largest = motion.displacement.abs().max()
    inner = (..., slice(16, -16), slice(16, -16))
    assert largest > 2
    assert back[inner].abs().max() < 0.03 * largest


def smooth(velocity: torch.Tensor) -> torch.Tensor:
    """Return a velocity of some voxels that varies over many voxels."""
    coarse = torch.nn.functional.adaptive_avg_pool2d(velocity, 4)
    fine = torch.nn.functional.interpolate(
        coarse, size=velocity.shape[2:], mode='bicubic', align_corners=True
    )
    return 3 * fine / fine.abs().max()


def test_is_built_from_plain_data():
    options = {'ndim': 3, 'variant': 'tiny', 'window': [4, 4, 4]}
    network = build_displacement('transmorph', options)
    assert network.size_multiple == 32
    assert network.config.window == (4, 4, 4)
    table = network.state_dict()[
        'transformer.layers.0.blocks.0.attn.relative_position_bias_table'
    ]
    assert len(table) == math.prod([7, 7, 7])


@pytest.mark.parametrize(
    'options', [{'variant': 'huge'}, {'window': [8, 8, 8]}, {'colour': 3}]
)
def test_options_that_do_not_fit_are_refused(options):
    with pytest.raises(ModelError):
        build_displacement('transmorph', {'ndim': 2, **options})
