"""The published code's missing stop-gradient, on request."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.errors import InputError
from napari_adacs.models.model import companion_schemes
from napari_adacs.training.config import config_from_dict
from napari_adacs.training.optimisation import Optimisation
from napari_adacs.training.processes import Processes
from napari_adacs.training.step import Active
from napari_adacs.training.train import train
from napari_adacs.training.update import Update
from napari_adacs.weighting.base import SchemeState
from tests.training.conftest import SMALL, make_config, make_pairs
from tests.training.test_step import (
    filled_model,
    golden_batch,
    gradient_norm,
    losses,
)
from tests.training.test_trainer import assert_same

LEAKY = {'name': 'adacs', 'stop_gradient': False}
BOTH = Active(displacement=True, auxiliary=True)
AUXILIARY = Active(displacement=False, auxiliary=True)


def test_the_published_leak_has_its_published_size():
    model = filled_model(alpha=0.02, beta=1.5)
    found = losses(model, scheme=LEAKY)
    sum(found.auxiliary.values()).backward()
    assert gradient_norm(model.displacement) == pytest.approx(
        0.0485723, rel=1e-4
    )


def test_the_variance_leaks_through_its_input_only():
    """Its loss takes the warped image as given, its network does not."""
    model = filled_model('heteroscedastic', 'code', 'variance')
    scheme = {'name': 'heteroscedastic', 'stop_gradient': False}
    found = losses(model, scheme=scheme)
    sum(found.auxiliary.values()).backward()
    leak = gradient_norm(model.displacement)
    assert leak > 0
    for parameter in model.auxiliaries['variance'].parameters():
        torch.nn.init.zeros_(parameter)
    model.displacement.zero_grad()
    # A network that does not look at its input passes nothing on, though
    # the residual still depends on the displacement.
    sum(losses(model, scheme=scheme).auxiliary.values()).backward()
    assert gradient_norm(model.displacement) == 0


def step_of(model, **changes):
    config = make_config(
        shape=[64, 64],
        smoothness={'weight': 0.0},
        **changes,
    )
    optimisation = Optimisation(
        model, config, Processes(), torch.device('cpu')
    )
    update = Update(model, companion_schemes(model), config, optimisation)

    def step(active):
        update([golden_batch()], active, SchemeState())
        grads = [p.grad for p in model.displacement.parameters()]
        return None if grads[0] is None else [g.clone() for g in grads]

    return step


def test_what_leaks_is_consumed_one_step_later():
    """Weights stand still here, so that each step has the same gradients."""
    plain = step_of(filled_model())(BOTH)
    step = step_of(filled_model(), scheme=LEAKY)
    first, second, third = step(BOTH), step(BOTH), step(BOTH)
    for a, b, c, d in zip(plain, first, second, third, strict=True):
        torch.testing.assert_close(b, a)
        torch.testing.assert_close(c, 2 * a, rtol=1e-3, atol=1e-6)
        torch.testing.assert_close(d, c)


def test_leaks_pile_up_while_the_displacement_rests():
    plain = step_of(filled_model())(BOTH)
    step = step_of(filled_model(), scheme=LEAKY)
    assert step(AUXILIARY) is None
    assert step(AUXILIARY) is None
    for a, b in zip(plain, step(BOTH), strict=True):
        torch.testing.assert_close(b, 3 * a, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize('accumulation', [1, 2])
def test_a_leaky_run_resumes_exactly(tmp_path, accumulation):
    config = make_config(
        scheme=LEAKY | {'auxiliary_options': SMALL},
        optimiser={'accumulation': accumulation},
    )
    pairs, steps = make_pairs(), []
    whole = train(pairs, config)
    train(
        pairs,
        config,
        folder=tmp_path,
        progress=lambda *_: steps.append(1),
        cancel=lambda: len(steps) >= 5,
    )
    resumed = train(pairs, config, folder=tmp_path, resume=True)
    assert_same(whole, resumed)
    stopped = train(
        pairs,
        make_config(scheme={'name': 'adacs', 'auxiliary_options': SMALL}),
    )
    changed = (
        stopped.displacement.flow.weight != whole.displacement.flow.weight
    )
    assert changed.any()


def test_scaled_gradients_cannot_wait_for_the_next_step():
    with pytest.raises(InputError, match='stop_gradient'):
        config_from_dict(
            {'scheme': LEAKY, 'optimiser': {'precision': 'float16'}}
        )
