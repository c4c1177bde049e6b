"""Runs small enough to start a dozen processes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scipy.io import savemat

from napari_adacs.runs.launch import start
from napari_adacs.runs.plan import TrainingPlan
from napari_adacs.runs.run import TrainingRun
from napari_adacs.runs.state import State, Status
from napari_adacs.training.config import TrainConfig, config_from_dict
from tests.cli.conftest import FIXED, heart

SMALL = {'encoder': [4, 8], 'decoder': [8, 8, 4]}
# Computers with other things to do need long for starting torch.
PATIENCE = 600.0


def small_config(**changes: object) -> TrainConfig:
    """Return a configuration whose steps take some milliseconds."""
    values = {
        'name': 'made-2d',
        'shape': [16, 16],
        'batch_size': 2,
        'learning_rate': 1e-3,
        'final_learning_rate': 1e-4,
        'validate_every': 4,
        'save_every': 4,
        'network': {'options': SMALL},
        'scheme': {'name': 'adacs', 'auxiliary_options': SMALL},
        'stages': {'displacement': 3, 'auxiliary': 3, 'joint': 6},
    }
    return config_from_dict(values | changes)


def endless(**changes: object) -> TrainConfig:
    """Return a configuration that somebody has to stop."""
    stages = {'displacement': 1_000_000, 'auxiliary': 0, 'joint': 0}
    return small_config(stages=stages, **changes)


@pytest.fixture(scope='session')
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train/ and val/ of the papers' MATLAB files."""
    root = tmp_path_factory.mktemp('study')
    for name, count in (('train', 3), ('val', 3)):
        (root / name).mkdir()
        for index in range(count):
            ed, ed_labels = heart(FIXED[2])
            es, es_labels = heart(FIXED[2], 0.7 + 0.05 * index)
            values = {'im_ED': ed, 'im_ES': es}
            labels = {'label_ED': ed_labels, 'label_ES': es_labels}
            savemat(root / name / f'p{index}.mat', values | labels)
    return root


def until(
    run: TrainingRun,
    reached: Callable[[Status], bool],
    patience: float = PATIENCE,
) -> Status:
    """Wait until the status of a run is as wanted."""
    deadline = time.monotonic() + patience
    while True:
        status = run.status()
        if reached(status):
            return status
        assert not status.state.ended, status
        assert time.monotonic() < deadline, status
        time.sleep(0.05)


def ended(run: TrainingRun) -> Status:
    """Wait until a run has ended, however."""
    return until(run, lambda status: status.state.ended)


def running(run: TrainingRun, step: int = 1) -> Status:
    """Wait until a run has done some steps."""
    return until(run, lambda s: s.state is State.RUNNING and s.step >= step)


Start = Callable[..., TrainingRun]


@pytest.fixture
def begin(study: Path, tmp_path: Path) -> Iterator[Start]:
    """Start runs that are gone after the test."""
    made: list[TrainingRun] = []

    def begin(
        config: TrainConfig | None = None,
        name: str = 'run',
        data: tuple[str, ...] | None = None,
        **more: object,
    ) -> TrainingRun:
        plan = TrainingPlan(
            data or (str(study),),
            config or small_config(),
            tmp_path / name,
            'cpu',
            **more,  # type: ignore[arg-type]
        )
        made.append(start(plan))
        return made[-1]

    yield begin
    for run in made:
        run.kill()
