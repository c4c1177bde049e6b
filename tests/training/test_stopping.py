"""Best weights, early stopping, and what is left when a loss diverges."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from napari_adacs.errors import InputError
from napari_adacs.models.bundle import load_bundle
from napari_adacs.training.best import BestWeights
from napari_adacs.training.checkpoint import load_checkpoint
from napari_adacs.training.examination import BEST_NAME
from napari_adacs.training.failure import IMAGES, REPORT
from napari_adacs.training.optimisation import Optimisation
from napari_adacs.training.pairs import PairList, TrainingPair
from napari_adacs.training.processes import Processes
from napari_adacs.training.sections import StoppingConfig
from napari_adacs.training.train import train
from napari_adacs.training.validation import Validation, validate
from tests.training.conftest import SMALL, make_config, make_pairs
from tests.training.test_trainer import assert_same, weights

NAN = float('nan')


def consider(best, dsc=None, mse=0.1, module=None):
    found = Validation({} if dsc is None else {1: dsc}, mse, 0.0)
    return best.consider(found, {'a': module or torch.nn.Linear(1, 1)})


def test_the_best_weights_are_kept_as_they_were():
    module, best = torch.nn.Linear(1, 1), BestWeights(StoppingConfig())
    torch.nn.init.constant_(module.weight, 1.0)
    assert consider(best, 0.8, module=module)
    torch.nn.init.constant_(module.weight, 2.0)
    assert not consider(best, 0.7, module=module)
    best.put_back({'a': module})
    assert module.weight.item() == 1.0


def test_patience_counts_validations_without_improvement():
    best = BestWeights(StoppingConfig(patience=2, smallest=0.01))
    for dsc, exhausted in (
        (0.5, False),
        (0.505, False),  # too small to count
        (0.6, False),
        (NAN, False),
        (0.6, True),
    ):
        consider(best, dsc)
        assert best.exhausted is exhausted
    again = BestWeights(StoppingConfig(patience=2))
    again.load(best.state())
    assert again.exhausted


def test_without_labels_the_residual_counts():
    best = BestWeights(StoppingConfig())
    assert consider(best, mse=0.2)
    assert not consider(best, mse=0.3)
    assert consider(best, mse=0.1)
    by_dice = BestWeights(StoppingConfig(measure='dsc'))
    assert not consider(by_dice, mse=0.1)


def frozen(**changes):
    """A run whose figures cannot improve: the rate is next to nothing."""
    return make_config(
        learning_rate=1e-12,
        final_learning_rate=1e-12,
        validate_every=2,
        stages={'displacement': 3, 'auxiliary': 0, 'joint': 40},
        **changes,
    )


def test_training_stops_early_and_a_resume_does_not_go_on(tmp_path):
    pairs, steps = make_pairs(), []
    config = frozen(stopping={'patience': 3})
    train(
        pairs,
        config,
        validation=pairs,
        folder=tmp_path,
        progress=lambda step, *_: steps.append(step),
    )
    # 4 is the first validation of the joint stage, then three more
    assert steps[-1] == 10
    train(
        pairs,
        config,
        validation=pairs,
        folder=tmp_path,
        resume=True,
        progress=lambda step, *_: steps.append(step),
    )
    assert steps[-1] == 10
    assert load_checkpoint(tmp_path)['step'] == 10


def test_the_best_model_is_there_while_training_goes_on(tmp_path):
    pairs = make_pairs()
    seen = []

    def look(step, *_):
        if step == 9:
            seen.append(load_bundle(tmp_path / BEST_NAME))

    config = make_config(validate_every=2)
    train(pairs, config, validation=pairs, folder=tmp_path, progress=look)
    assert seen[0].header.name == 'small'


def test_the_last_weights_on_request(tmp_path):
    pairs, config = make_pairs(), make_config(stopping={'keep': 'last'})
    last = train(pairs, config, validation=pairs, folder=tmp_path)
    stored = load_checkpoint(tmp_path)['modules']
    for role, module in last.modules().items():
        for name, value in module.state_dict().items():
            assert torch.equal(value, stored[role][name])


def test_a_last_stage_of_auxiliary_estimators_keeps_the_last(tmp_path):
    """The displacement rests there: Dice says nothing about the others."""
    pairs = make_pairs()
    config = make_config(
        stages={'displacement': 2, 'auxiliary': 6, 'joint': 0},
        validate_every=1,
    )
    model = train(pairs, config, validation=pairs, folder=tmp_path)
    stored = load_checkpoint(tmp_path)['modules']['scoring']
    for name, value in model.auxiliaries['scoring'].state_dict().items():
        assert torch.equal(value, stored[name])


def test_shares_of_a_validation_add_up_to_the_whole(monkeypatch):
    model = train(
        make_pairs(),
        make_config(stages={'displacement': 2, 'auxiliary': 0, 'joint': 0}),
    )
    pairs = PairList(make_pairs())
    whole = validate(model.displacement, pairs)
    shares = []
    monkeypatch.setattr(
        Processes, 'collect', lambda self, value: shares.append(value) or []
    )
    for rank in (0, 1):
        with pytest.warns(RuntimeWarning):
            validate(model.displacement, pairs, Processes(rank, 2))
    monkeypatch.setattr(Processes, 'collect', lambda self, value: shares)
    assert validate(model.displacement, pairs, Processes(0, 2)) == whole
    assert [sorted(share) for share in shares] == [[0, 2, 4], [1, 3, 5]]


def poisoned(bad: int):
    pairs = make_pairs()
    pairs[bad].moving[4, 4] = NAN
    return pairs


def test_a_loss_that_is_no_number_stops_and_names_the_pairs(tmp_path):
    config = make_config(augment={}, save_every=1000)
    values = []
    with pytest.raises(InputError, match='pair 3') as caught:
        train(
            poisoned(3),
            config,
            folder=tmp_path,
            progress=lambda step, total, v: values.append(v),
        )
    assert 'became nan' in str(caught.value)
    report = json.loads((tmp_path / REPORT).read_text())
    assert 'pair 3' in report['pairs']
    assert report['step'] == len(values)
    with np.load(tmp_path / IMAGES) as images:
        which = list(images['names']).index('pair 3')
        assert np.isnan(images['moving'][which]).any()
    stored = load_checkpoint(tmp_path)
    assert stored['step'] == len(values)
    for state in stored['modules'].values():
        assert all(torch.isfinite(v).all() for v in state.values())
    # without the bad pair the same checkpoint goes on
    train(make_pairs(), config, folder=tmp_path, resume=True)


def test_a_gradient_that_is_no_number_changes_nothing(tmp_path, monkeypatch):
    """The loss of that step is finite still, the next one would not be."""
    share = Optimisation.share_gradients

    def broken(self):
        share(self)
        if self.displacement.state:  # not at the first step
            parameter = next(iter(self.displacement.param_groups))['params'][0]
            parameter.grad[0] = float('inf')

    stages = {'displacement': 4, 'auxiliary': 0, 'joint': 0}
    one = make_config(stages=stages | {'displacement': 1})
    before = train(make_pairs(), one)
    monkeypatch.setattr(Optimisation, 'share_gradients', broken)
    with pytest.raises(InputError, match="'gradient_displacement' became"):
        train(make_pairs(), make_config(stages=stages), folder=tmp_path)
    stored = load_checkpoint(tmp_path)['modules']['displacement']
    for name, value in before.displacement.state_dict().items():
        torch.testing.assert_close(stored[name], value, rtol=0, atol=1e-4)


def test_a_failed_step_leaves_no_trace_in_the_momentum(tmp_path):
    stages = {'displacement': 50, 'auxiliary': 0, 'joint': 0}
    config = make_config(augment={}, stages=stages, save_every=1000)
    with pytest.raises(InputError):
        train(poisoned(2), config, folder=tmp_path)
    values = load_checkpoint(tmp_path)['scheme']
    assert all(np.isfinite(v) for v in values.values())


@pytest.mark.parametrize('preset', ['paper', 'code'])
@pytest.mark.parametrize(
    ('scheme', 'options'),
    [
        ('heteroscedastic', {'gamma': 0.0}),
        ('heteroscedastic', {}),
        ('adacs', {}),
        ('adaframe', {}),
        ('adareg', {}),
        ('nll', {}),
    ],
)
@pytest.mark.parametrize('level', [0.0, 0.6])
def test_constant_images_and_no_exponent_stay_finite(
    scheme, options, preset, level
):
    """Where the published code divides zero by zero."""
    flat = np.full((16, 16), level, np.float32)
    config = make_config(
        augment={},
        scheme={
            'name': scheme,
            'options': options | {'preset': preset},
            'auxiliary_options': SMALL,
        },
        stages={'displacement': 1, 'auxiliary': 1, 'joint': 3},
    )
    seen = []
    model = train(
        [TrainingPair(flat, flat, name='flat')],
        config,
        progress=lambda step, total, values: seen.append(values),
    )
    assert all(np.isfinite(v) for values in seen for v in values.values())
    assert all(torch.isfinite(v).all() for v in weights(model).values())


def test_the_callers_random_numbers_stay():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first = train(make_pairs(), make_config())
    assert torch.equal(torch.rand(3), expected)
    assert_same(first, train(make_pairs(), make_config()))
