"""Minutes become steps that fit, and timing leaves no trace."""

from __future__ import annotations

import pytest
import torch

from napari_adacs.errors import InputError
from napari_adacs.training.budget import Costs, fit_to_time, measure_costs
from napari_adacs.training.pairs import PairList
from napari_adacs.training.train import train
from tests.training.conftest import make_config, make_pairs
from tests.training.test_trainer import assert_same

COSTS = Costs(1.0, 0.5, 2.0, validation=3.0, saving=0.2)
RATIO = {'displacement': 4000, 'auxiliary': 1000, 'joint': 5000}


def taken(config, costs):
    """Return the seconds that a configuration will take."""
    stages = config.stages
    lengths = (stages.displacement, stages.auxiliary, stages.joint)
    steps = sum(n * t for n, t in zip(lengths, costs.steps, strict=True))
    looks = 1 + -(-stages.total // config.validate_every)
    saves = 2 + stages.total // config.save_every
    return steps + looks * costs.validation + saves * costs.saving


@pytest.mark.parametrize('minutes', [5, 10, 60, 600])
@pytest.mark.parametrize('validation', [0.0, 0.01, 3.0, 10.0])
def test_the_whole_run_fits_and_fills_the_time(minutes, validation):
    costs = Costs(1.0, 0.5, 2.0, validation, 0.2)
    config = make_config(stages=RATIO)
    found = fit_to_time(config, costs, 60 * minutes, 20, 10)
    whole = 20 + 10 + taken(found, costs)
    assert 0.9 * 60 * minutes <= whole <= 60 * minutes
    stages = found.stages
    # 4 : 1 : 5, up to a step
    assert stages.displacement == pytest.approx(4 * stages.auxiliary, abs=4)
    assert stages.joint == pytest.approx(5 * stages.auxiliary, abs=5)
    looks = -(-stages.total // found.validate_every)
    assert 1 <= looks <= 25
    if validation:
        assert looks >= 3


def test_a_stage_without_steps_gets_none():
    stages = {'displacement': 0, 'auxiliary': 0, 'joint': 30}
    costs = Costs(0.0, 0.0, 0.1)
    found = fit_to_time(make_config(stages=stages), costs, 60).stages
    assert (found.displacement, found.auxiliary) == (0, 0)
    assert 500 < found.joint < 600


def test_too_little_time_says_how_much_would_do():
    config = make_config(stages=RATIO)
    with pytest.raises(InputError, match='0.5 minutes are too short') as info:
        fit_to_time(config, COSTS, 30)
    hint = info.value.hint
    minutes = float(hint.split()[1])
    # the time that it names is enough indeed, and not by much
    fit_to_time(config, COSTS, 60 * minutes)
    with pytest.raises(InputError):
        fit_to_time(config, COSTS, 60 * (minutes - 1))


def test_timing_leaves_no_trace(pairs):
    config = make_config()
    state = torch.get_rng_state()
    plain = train(pairs, config, validation=pairs)
    held_out = PairList(make_pairs(3))
    costs = measure_costs(
        PairList(pairs), config, held_out, torch.device('cpu'), 1.0
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert min(costs.steps) > 0
    assert costs.validation > 0
    assert costs.saving > 0
    assert_same(train(pairs, config, validation=pairs), plain)
