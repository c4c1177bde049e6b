"""Learning rates over a run."""

from __future__ import annotations

import pytest

from napari_adacs.training.schedule import rates
from tests.training.conftest import make_config

STAGES = {'displacement': 100, 'auxiliary': 0, 'joint': 0}


def config(**optimiser):
    return make_config(
        stages=STAGES,
        learning_rate=1e-3,
        final_learning_rate=1e-4,
        optimiser=optimiser,
    )


def test_the_cosine_is_half_way_in_the_middle():
    assert rates(config(), 0)[0] == pytest.approx(1e-3)
    assert rates(config(), 50)[0] == pytest.approx(5.5e-4)
    assert rates(config(), 100)[0] == pytest.approx(1e-4)


def test_poly_is_that_of_the_published_scripts():
    """``lr (1 - e / E)^0.9`` with a final rate of zero."""
    chosen = make_config(
        stages=STAGES,
        learning_rate=1e-4,
        final_learning_rate=0.0,
        optimiser={'schedule': 'poly'},
    )
    for step in (0, 10, 77, 99):
        expected = 1e-4 * (1 - step / 100) ** 0.9
        assert rates(chosen, step)[0] == pytest.approx(expected)
    assert rates(chosen, 100)[0] == 0


def test_a_constant_rate_stays():
    assert {
        rates(config(schedule='constant'), s)[0] for s in (0, 60, 100)
    } == {1e-3}


def test_the_auxiliary_rate_is_its_own():
    same = config()
    assert rates(same, 30)[0] == rates(same, 30)[1]
    own = config(auxiliary_learning_rate=5e-3)
    assert rates(own, 0)[1] == pytest.approx(5e-3)
    assert rates(own, 100)[1] == pytest.approx(5e-4)
    # published TransMorph scripts: poly for one, constant for the other
    chosen = config(schedule='poly', auxiliary_schedule='constant')
    assert rates(chosen, 100) == pytest.approx((1e-4, 1e-3))
