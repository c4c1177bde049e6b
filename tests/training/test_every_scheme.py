"""Every weighting scheme trains, and registers with what it trained."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
import torch

from napari_adacs.models import model as models
from napari_adacs.models.bundle import load_bundle
from napari_adacs.registration.register import register
from napari_adacs.training.train import new_model, train
from napari_adacs.weighting.registry import SCHEMES
from tests.small_models import small_model
from tests.training.conftest import SMALL, make_config

MAPS = {
    'vanilla': set(),
    'nll': {'variance', 'weight'},
    'beta_nll': {'variance', 'weight'},
    'adareg': {'weight'},
    'adaframe': {'weight'},
    'adacs': {'score', 'weight'},
    'heteroscedastic': {'variance', 'weight'},
}


def scheme_config(name, preset, stages=(0, 0, 2), **options):
    keys = ('displacement', 'auxiliary', 'joint')
    return make_config(
        scheme={
            'name': name,
            'options': {'preset': preset, **options},
            'auxiliary_options': SMALL,
        },
        stages=dict(zip(keys, stages, strict=True)),
        validate_every=1,
    )


def untrained(config):
    torch.manual_seed(config.seed)
    return new_model(config)


def changed(model, start) -> set[str]:
    """Return the roles of the networks that training has changed."""
    return {
        role
        for role, module in model.modules().items()
        if any(
            not torch.equal(a, b)
            for a, b in zip(
                module.state_dict().values(),
                start.modules()[role].state_dict().values(),
                strict=True,
            )
        )
    }


def test_every_scheme_is_listed():
    assert set(MAPS) == set(SCHEMES)


@pytest.mark.parametrize('preset', ['paper', 'code'])
@pytest.mark.parametrize('name', SCHEMES)
def test_two_steps_train_every_estimator(pairs, tmp_path, name, preset):
    config = scheme_config(name, preset)
    model = train(pairs, config, folder=tmp_path)
    assert changed(model, untrained(config)) == set(model.modules())
    with (tmp_path / 'log.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert {row['step'] for row in rows} == {'1', '2'}
    assert all(math.isfinite(float(row['value'])) for row in rows)


@pytest.mark.parametrize('preset', ['paper', 'code'])
@pytest.mark.parametrize('name', SCHEMES)
def test_a_trained_model_registers_and_shows_its_maps(
    pairs, tmp_path, name, preset
):
    train(pairs, scheme_config(name, preset), folder=tmp_path)
    model = load_bundle(tmp_path / 'model.safetensors')
    assert model.scheme.preset == preset
    result = register(pairs[0].moving, pairs[0].fixed, model)
    assert set(result.maps) == MAPS[name]
    for values in result.maps.values():
        assert values.shape == pairs[0].fixed.shape
        assert np.isfinite(values).all()


@pytest.mark.parametrize('name', ['nll', 'beta_nll'])
def test_joint_schemes_pass_through_all_stages(pairs, name):
    first = scheme_config(name, 'paper', (2, 0, 0))
    start = untrained(first)
    assert changed(train(pairs, first), start) == {'displacement'}
    second = scheme_config(name, 'paper', (0, 2, 0))
    assert changed(train(pairs, second), start) == {'variance'}


def test_joint_training_lowers_the_likelihood(pairs):
    values = []
    train(
        pairs,
        scheme_config('nll', 'paper', (0, 0, 60)),
        progress=lambda step, total, losses: values.append(losses['data']),
    )
    assert np.mean(values[-10:]) < np.mean(values[:10]) - 0.1


def test_vanilla_trains_with_local_correlation(pairs):
    config = scheme_config('vanilla', 'paper', (2, 0, 0), similarity='lncc')
    model = train(pairs, config)
    assert changed(model, untrained(config)) == {'displacement'}
    assert model.header.scheme_options['similarity'] == 'lncc'


@pytest.mark.parametrize('name', SCHEMES)
def test_refining_lowers_the_error_under_every_scheme(pairs, name):
    model = untrained(scheme_config(name, 'paper'))
    for module in model.modules().values():
        module.eval()
    moving, fixed = pairs[0].moving, pairs[0].fixed
    errors = [
        np.square(register(moving, fixed, model, **options).residual).mean()
        for options in ({}, {'refine_steps': 15})
    ]
    assert errors[1] < 0.7 * errors[0]


def test_a_likelihood_does_not_outweigh_smoothness_while_refining(pairs):
    """Inverse variances in the hundreds leave the refined field the same."""
    fields = []
    for log_variance in (0.0, -6.0):
        model = untrained(scheme_config('nll', 'paper'))
        head = model.auxiliaries['variance'].log_sigma_I
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.constant_(head.bias, log_variance)
        pair = pairs[0]
        result = register(pair.moving, pair.fixed, model, refine_steps=5)
        fields.append(result.field.voxels)
    np.testing.assert_allclose(fields[1], fields[0], atol=1e-4)


def test_a_joint_scheme_never_reads_a_companion(monkeypatch):
    backwards = dict(reversed(SCHEMES.items()))
    for order in (SCHEMES, backwards):
        monkeypatch.setattr(models, 'SCHEMES', order)
        found = models.companion_schemes(small_model())
        assert found['scoring'].name == 'adacs'
        assert found['variance'].name == 'heteroscedastic'
