"""Accumulation, precision, clipping, averages: what they promise."""

from __future__ import annotations

import copy

import pytest
import torch

from napari_adacs.errors import DeviceError, InputError
from napari_adacs.networks.registry import build_displacement
from napari_adacs.training.config import config_from_dict
from napari_adacs.training.moving_average import MovingAverage
from napari_adacs.training.optimisation import Optimisation
from napari_adacs.training.pairs import PairList
from napari_adacs.training.processes import Processes
from napari_adacs.training.train import new_model, train
from napari_adacs.training.trainer import Trainer
from tests.training.conftest import SMALL, make_config, make_pairs
from tests.training.test_trainer import assert_same, weights

CPU = torch.device('cpu')


def curve(scheme='adacs', **changes):
    """Train for a few steps and return every figure of every step."""
    config = make_config(
        batch_size=4,
        scheme={
            'name': scheme,
            'auxiliary_options': SMALL,
            'companions': ['variance'],
        },
        **changes,
    )
    figures = []
    model = train(
        make_pairs(),
        config,
        progress=lambda step, total, values: figures.append(values),
    )
    return model, figures


def assert_same_curve(first, second, tolerance=2e-4):
    for one, other in zip(first, second, strict=True):
        assert set(one) == set(other)
        for name, value in one.items():
            assert other[name] == pytest.approx(
                value, rel=tolerance, abs=1e-7
            ), name


@pytest.mark.parametrize('scheme', ['adacs', 'heteroscedastic', 'nll'])
@pytest.mark.parametrize('parts', [2, 4])
def test_parts_of_a_batch_learn_as_the_whole(scheme, parts):
    """Also the momentum, which needs the residuals of the whole batch."""
    model, whole = curve(scheme)
    other, divided = curve(scheme, optimiser={'accumulation': parts})
    assert_same_curve(whole, divided)
    theirs = weights(other)
    for name, value in weights(model).items():
        torch.testing.assert_close(theirs[name], value, rtol=1e-3, atol=2e-5)


def test_the_published_sum_of_parts_is_that_many_times_the_mean():
    def gradient(**optimiser):
        stages = {'displacement': 1, 'auxiliary': 0, 'joint': 0}
        config = make_config(batch_size=4, optimiser=optimiser, stages=stages)
        seen = {}
        train(make_pairs(), config, progress=lambda s, t, v: seen.update(v))
        return seen['gradient_displacement']

    mean = gradient(accumulation=2)
    assert gradient(accumulation=2, accumulation_sum=True) == pytest.approx(
        2 * mean, rel=1e-4
    )
    assert gradient(accumulation=1) == pytest.approx(mean, rel=1e-4)


def test_half_precision_of_layers_leaves_displacements_exact():
    _, exact = curve()
    model, rounded = curve(optimiser={'precision': 'bfloat16'})
    for one, other in zip(exact, rounded, strict=True):
        for name in set(one) & {'data', 'momentum', 'correspondence'}:
            assert other[name] == pytest.approx(one[name], rel=0.05, abs=1e-3)
    assert exact[-1] != rounded[-1]
    assert {v.dtype for v in weights(model).values()} == {torch.float32}


@pytest.mark.parametrize('name', ['voxelmorph', 'transmorph'])
def test_a_displacement_is_float32_under_autocast(name):
    network = build_displacement(name, {'ndim': 2})
    images = torch.rand(2, 1, 1, 64, 64)
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        motion = network(images[0], images[1])
    assert motion.raw.dtype == torch.float32
    assert motion.displacement.dtype == torch.float32


def test_float16_needs_cuda():
    with pytest.raises(DeviceError, match='bfloat16 or float32'):
        curve(optimiser={'precision': 'float16'})


def test_gradients_are_clipped_and_their_norm_is_told():
    config = make_config(optimiser={'clip': 1e-3})
    model = new_model(config)
    optimisation = Optimisation(model, config, Processes(), CPU)
    optimisation.backward(
        sum(p.square().sum() for p in model.displacement.parameters())
    )
    norms = optimisation.clip()
    assert set(norms) == {'gradient_displacement'}
    assert norms['gradient_displacement'] > 1
    squares = [p.grad.square().sum() for p in model.displacement.parameters()]
    assert torch.stack(squares).sum().sqrt() == pytest.approx(1e-3, rel=1e-3)


def test_auxiliary_estimators_have_optimisers_of_their_own():
    config = make_config(
        optimiser={
            'betas': [0.5, 0.99],
            'auxiliary_betas': [0.8, 0.9],
            'amsgrad': True,
            'auxiliary_learning_rate': 0.02,
        }
    )
    chosen = Optimisation(new_model(config), config, Processes(), CPU)
    chosen.set_rates(0)
    (first,) = chosen.displacement.param_groups
    (second,) = chosen.auxiliary.param_groups
    assert (first['betas'], second['betas']) == ((0.5, 0.99), (0.8, 0.9))
    assert (first['amsgrad'], second['amsgrad']) == (True, False)
    assert (first['lr'], second['lr']) == (1e-3, 0.02)


def test_an_average_follows_its_formula():
    module = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(module.weight, 0.0)
    average = MovingAverage({'a': module}, 0.9)
    expected = 0.0
    for step in range(1, 60):
        torch.nn.init.constant_(module.weight, float(step))
        average.update()
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    with average.in_place():
        assert module.weight.item() == pytest.approx(expected)
    assert module.weight.item() == 59.0


def test_the_average_is_what_is_kept_and_resumed(tmp_path):
    chosen = {
        'optimiser': {'ema': 0.5},
        'stopping': {'keep': 'last'},
    }
    pairs = make_pairs()
    whole = train(pairs, make_config(**chosen), validation=pairs)
    plain = train(
        pairs, make_config(stopping={'keep': 'last'}), validation=pairs
    )
    assert any(
        not torch.equal(a, b)
        for a, b in zip(
            weights(whole).values(), weights(plain).values(), strict=True
        )
    )
    steps = []
    train(
        pairs,
        make_config(**chosen),
        validation=pairs,
        folder=tmp_path,
        progress=lambda *_: steps.append(1),
        cancel=lambda: len(steps) >= 7,
    )
    resumed = train(
        pairs,
        make_config(**chosen),
        validation=pairs,
        folder=tmp_path,
        resume=True,
    )
    assert_same(whole, resumed)


def test_averaging_does_not_change_what_is_trained():
    """Validating with the average leaves no trace in the weights."""
    pairs = PairList(make_pairs())
    found = []
    for ema in (0.0, 0.9):
        config = make_config(optimiser={'ema': ema}, validate_every=1)
        torch.manual_seed(0)
        trainer = Trainer(new_model(config), config, pairs, pairs)
        trainer.run()
        found.append(copy.deepcopy(weights(trainer.model)))
    for name, value in found[0].items():
        assert torch.equal(value, found[1][name])


@pytest.mark.parametrize(
    ('section', 'values', 'message'),
    [
        ('optimiser', {'schedule': 'linear'}, "'cosine', 'poly', 'constant'"),
        ('optimiser', {'ema': 1.0}, 'below 1'),
        ('optimiser', {'accumulation': 0}, 'at least 1'),
        ('optimiser', {'accumulation': 3}, '3 equal parts'),
        ('optimiser', {'clip': -1.0}, 'not be negative'),
        ('optimiser', {'betas': [0.9]}, 'two numbers'),
        ('optimiser', {'betas': [0.9, 1.5]}, 'two numbers'),
        ('optimiser', {'betas': 0.9}, 'must be a list'),
        ('optimiser', {'amsgrad': 1}, 'of type bool'),
        ('optimiser', {'acumulation': 2}, "'optimiser.accumulation'"),
        ('optimiser', 3, 'must be a section'),
        ('stopping', {'patience': -1}, 'not be negative'),
        ('stopping', {'measure': 'hd'}, "'auto', 'dsc', 'mse'"),
        ('stages', {'joint': -1}, 'less than 0'),
        ('data', {'held_out': 1.0}, 'below 1'),
        ('data', {'workers': -1}, 'not be negative'),
        ('log', {'preview_every': -2}, 'not be negative'),
        ('smoothness', {'on': 'speed'}, "'displacement', 'velocity'"),
    ],
)
def test_mistakes_are_one_sentence(section, values, message):
    with pytest.raises(InputError, match=message):
        config_from_dict({section: values})
