"""A run keeps to its time on a computer that changes its speed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from napari_adacs.training.budget import Costs, fit_to_time
from napari_adacs.training.deadline import Deadline, Effort, effort_of
from napari_adacs.training.sections import StageConfig
from napari_adacs.training.train import train
from tests.training.conftest import make_config, make_pairs

SECONDS = 600.0
COSTS = Costs(1.0, 0.5, 2.0, saving=0.1)
RATIO = {'displacement': 4000, 'auxiliary': 1000, 'joint': 5000}


class Computer:
    """Takes as long for a step as it is told; its clock is nobody else's."""

    def __init__(self, slowness: Callable[[float], float]) -> None:
        self.now, self._slowness = 0.0, slowness

    def work(self, seconds: float) -> None:
        self.now += seconds * self._slowness(self.now)


def planned(after: float = 0.0) -> tuple[StageConfig, Effort]:
    """Stages that fill the time, as `train --minutes` chooses them."""
    config = fit_to_time(make_config(stages=RATIO), COSTS, SECONDS, 0, after)
    return config.stages, effort_of(config, COSTS, after)


def run(
    computer: Computer, after: float = 0.0, known: bool = True
) -> tuple[list[StageConfig], int]:
    """Work through all steps; return the stages over time, and the steps."""
    stages, effort = planned(after)
    deadline = Deadline(
        SECONDS,
        lambda: computer.now,
        stages,
        effort if known else Effort(after=after),
    )
    seen, step = [stages], 0
    while True:
        stages = deadline(step, stages)
        if stages != seen[-1]:
            seen.append(stages)
        if step >= stages.total:
            return seen, step
        first = stages.displacement
        index = (step >= first) + (step >= first + stages.auxiliary)
        computer.work(effort.steps[index])
        step += 1


def test_nothing_changes_while_the_speed_does_not() -> None:
    computer = Computer(lambda now: 1.0)
    seen, step = run(computer)
    assert len(seen) == 1
    assert step == seen[0].total
    assert 0.9 * SECONDS < computer.now <= SECONDS


@pytest.mark.parametrize('known', [True, False])
@pytest.mark.parametrize('after', [0.0, 30.0])
@pytest.mark.parametrize('since', [0.0, 100.0, 300.0, 500.0])
@pytest.mark.parametrize('slowness', [1.3, 3.0, 10.0])
def test_a_computer_that_slows_down_is_not_waited_for(
    slowness: float, since: float, after: float, known: bool
) -> None:
    computer = Computer(lambda now: slowness if now >= since else 1.0)
    seen, step = run(computer, after, known)
    one_step = 2.2 * slowness
    assert computer.now <= SECONDS - after + one_step
    computer.work(after)
    if known and since <= 100:
        # the time is kept and used, measuring at the end included
        assert 0.95 * SECONDS < computer.now <= SECONDS + one_step
    assert step == seen[-1].total
    # what little is slow at the end may fit into the reserve
    assert step < seen[0].total or (slowness < 2 and since == 500)
    assert seen[-1].joint > 0


def test_what_is_left_of_every_stage_is_shortened_alike() -> None:
    seen, _ = run(Computer(lambda now: 3.0))
    last = seen[-1]
    assert last.total == pytest.approx(seen[0].total / 3, rel=0.1)
    assert last.displacement / last.joint == pytest.approx(0.8, rel=0.15)


def test_a_computer_that_recovers_gets_its_steps_back() -> None:
    computer = Computer(lambda now: 4.0 if 100 < now < 200 else 1.0)
    seen, step = run(computer)
    lengths = [stages.total for stages in seen]
    assert min(lengths) < step < lengths[0]
    assert 0.8 * SECONDS < computer.now <= SECONDS
    # 75 of 600 seconds were lost, and no more than that
    assert step > 0.75 * lengths[0]


def test_stages_never_become_longer_than_planned() -> None:
    seen, step = run(Computer(lambda now: 2.0 if now < 50 else 0.2))
    for stages in seen:
        assert stages.displacement <= seen[0].displacement
        assert stages.joint <= seen[0].joint
    assert step > 0.9 * seen[0].total


def test_training_follows_its_deadline() -> None:
    """With real steps, on a clock that says they take longer and longer."""
    computer, taken = Computer(lambda now: 1.0 + now / 20), []
    config = make_config(
        stages={'displacement': 20, 'auxiliary': 10, 'joint': 20},
        validate_every=10,
    )
    totals = []

    def progress(step: int, total: int, losses: dict[str, float]) -> None:
        computer.work(1.0)
        totals.append(total)
        taken.append(losses)

    pairs = make_pairs()
    deadline = Deadline(50, lambda: computer.now, config.stages, Effort())
    train(pairs, config, validation=pairs, progress=progress, keep_to=deadline)
    assert len(taken) == totals[-1] < 50
    assert computer.now <= 50 + 1 + 50 / 20
    # the last step is known to be the last: it is validated
    assert 'val_dsc' in taken[-1]
    # and no stage was left out
    assert any('correspondence' in found for found in taken)
    assert {'data', 'correspondence'} <= set(taken[-1])
