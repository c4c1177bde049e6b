"""Training learns, stops, resumes exactly and survives being killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from napari_adacs.errors import InputError
from napari_adacs.models.bundle import load_bundle, save_bundle
from napari_adacs.models.model import Model
from napari_adacs.training.checkpoint import FILE_NAME, load_checkpoint
from napari_adacs.training.pairs import PairList
from napari_adacs.training.train import train
from napari_adacs.training.trainer import Trainer
from napari_adacs.training.validation import validate
from napari_adacs.weighting.adacs import AdaCS
from tests.training.conftest import SMALL, make_config, make_pairs


def weights(model: Model) -> dict[str, torch.Tensor]:
    return {
        f'{role}.{name}': value
        for role, module in model.modules().items()
        for name, value in module.state_dict().items()
    }


def assert_same(first: Model, second: Model) -> None:
    other = weights(second)
    for name, value in weights(first).items():
        assert torch.equal(value, other[name]), name


def test_training_learns_to_register(pairs):
    config = make_config(
        scheme={'name': 'vanilla'},
        stages={'displacement': 150, 'auxiliary': 0, 'joint': 0},
        learning_rate=3e-3,
        final_learning_rate=1e-3,
        smoothness={'weight': 0.01, 'on': 'velocity', 'reduction': 'mean'},
        augment={},
        validate_every=1000,
    )
    before = validate(
        train(
            pairs,
            make_config(
                stages={'displacement': 1, 'auxiliary': 0, 'joint': 0}
            ),
        ).displacement,
        PairList(pairs),
    )
    after = validate(train(pairs, config).displacement, PairList(pairs))
    assert after.mse < 0.5 * before.mse
    assert after.mean_dsc > before.mean_dsc + 0.05


def test_all_estimators_are_trained_and_saved(pairs, tmp_path):
    config = make_config()
    fresh = weights(
        train(
            pairs,
            make_config(
                stages={'displacement': 1, 'auxiliary': 0, 'joint': 0}
            ),
        )
    )
    model = train(pairs, config, validation=pairs, folder=tmp_path)
    trained = weights(model)
    for role in ('displacement', 'scoring', 'variance'):
        changed = [
            name
            for name in trained
            if name.startswith(role)
            and not torch.equal(trained[name], fresh[name])
        ]
        assert changed, role
    again = load_bundle(tmp_path / 'model.safetensors')
    assert_same(model, again)
    log = (tmp_path / 'log.csv').read_text()
    for name in (
        'data',
        'correspondence',
        'likelihood',
        'momentum',
        'val_dsc_1',
    ):
        assert f',{name},' in log


def test_stages_follow_the_algorithm(pairs):
    trainer = Trainer(
        train(
            pairs,
            make_config(
                stages={'displacement': 1, 'auxiliary': 0, 'joint': 0}
            ),
        ),
        make_config(),
        PairList(pairs),
    )
    seen = []
    for step in (0, 2, 3, 5, 6, 11):
        trainer.step = step
        active = trainer.active()
        seen.append((active.displacement, active.auxiliary))
    only_displacement, only_auxiliary, both = (
        (True, False),
        (False, True),
        (True, True),
    )
    assert seen == [only_displacement] * 2 + [only_auxiliary] * 2 + [both] * 2


@pytest.mark.parametrize(
    ('length', 'epochs'),
    [(0, [0, 0, 0, 1, 1, 1, 2]), (2, [0, 0, 1, 1, 2, 2, 3])],
)
def test_an_epoch_has_the_length_that_is_asked_for(
    pairs, monkeypatch, length, epochs
):
    """By default a pass over the pairs: six of them, two per step."""
    seen = []
    update = AdaCS.update_momentum
    monkeypatch.setattr(
        AdaCS,
        'update_momentum',
        lambda self, mean, state: (
            seen.append(state.epoch) or update(self, mean, state)
        ),
    )
    stages = {'displacement': 7, 'auxiliary': 0, 'joint': 0}
    train(pairs, make_config(stages=stages | {'epoch': length}))
    assert seen == epochs


def test_the_same_seed_gives_the_same_weights(pairs):
    assert_same(train(pairs, make_config()), train(pairs, make_config()))


@pytest.mark.parametrize('stop', [4, 8])
def test_resuming_equals_not_stopping(pairs, tmp_path, stop):
    whole = train(pairs, make_config(), validation=pairs)
    steps = []
    train(
        pairs,
        make_config(),
        validation=pairs,
        folder=tmp_path,
        progress=lambda step, *_: steps.append(step),
        cancel=lambda: len(steps) >= stop,
    )
    assert steps[-1] == stop
    resumed = train(
        pairs, make_config(), validation=pairs, folder=tmp_path, resume=True
    )
    assert_same(whole, resumed)


def test_a_network_with_chance_of_its_own_resumes_exactly(tmp_path):
    """TransMorph drops paths at random while it trains."""
    pairs, steps = make_pairs(4, (32, 32)), []
    config = make_config(
        shape=[32, 32],
        network={'name': 'transmorph', 'options': {'variant': 'tiny'}},
        scheme={'name': 'vanilla'},
        stages={'displacement': 4, 'auxiliary': 0, 'joint': 0},
        smoothness={'weight': 0.01},
    )
    whole = train(pairs, config)
    train(
        pairs,
        config,
        folder=tmp_path,
        progress=lambda *_: steps.append(1),
        cancel=lambda: len(steps) >= 2,
    )
    assert_same(whole, train(pairs, config, folder=tmp_path, resume=True))


def test_cancelling_keeps_what_is_trained(pairs, tmp_path):
    calls = []
    model = train(
        pairs,
        make_config(),
        folder=tmp_path,
        progress=lambda *_: calls.append(1),
        cancel=lambda: len(calls) >= 2,
    )
    assert len(calls) == 2
    assert load_checkpoint(tmp_path)['step'] == 2
    assert_same(model, load_bundle(tmp_path / 'model.safetensors'))


def test_starting_from_another_model(pairs, tmp_path):
    start = train(pairs, make_config())
    path = tmp_path / 'start.safetensors'
    save_bundle(path, start)
    frozen = make_config(
        start_from=str(path),
        stages={'displacement': 0, 'auxiliary': 2, 'joint': 0},
    )
    model = train(pairs, frozen)
    for name, value in start.displacement.state_dict().items():
        assert torch.equal(value, model.displacement.state_dict()[name])


def test_a_diverging_loss_stops_with_a_sentence(pairs, tmp_path):
    broken = make_pairs(2)
    broken[0].moving[:] = float('nan')
    broken[1].moving[:] = float('nan')
    with pytest.raises(InputError, match=r'pair 0.*Lower the learning rate'):
        train(broken, make_config(augment={}), folder=tmp_path)


def test_resuming_nothing_or_something_else(pairs, tmp_path):
    with pytest.raises(InputError, match='no checkpoint'):
        train(pairs, make_config(), folder=tmp_path, resume=True)
    train(pairs, make_config(), folder=tmp_path)
    other = make_config(
        network={'options': {'encoder': [2, 4], 'decoder': [4, 4, 2]}}
    )
    with pytest.raises(InputError, match='another configuration'):
        train(pairs, other, folder=tmp_path, resume=True)


def test_a_checkpoint_that_is_a_malicious_pickle_is_not_executed(tmp_path):
    import pickle

    marker = tmp_path / 'executed'

    class Evil:
        def __reduce__(self):
            return open, (str(marker), 'w')

    (tmp_path / FILE_NAME).write_bytes(pickle.dumps(Evil()))
    with pytest.raises(InputError, match='cannot be read safely'):
        load_checkpoint(tmp_path)
    assert not marker.exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == 'nt', reason='needs SIGKILL')
def test_a_killed_process_leaves_a_checkpoint_that_resumes(tmp_path):
    """Kill at a random moment: never a broken file, and training goes on."""
    root = Path(__file__).parents[2]
    script = (
        'from tests.training.conftest import make_config, make_pairs\n'
        'from napari_adacs.training.train import train\n'
        "stages = {'displacement': 100000, 'auxiliary': 0, 'joint': 0}\n"
        'config = make_config(stages=stages, save_every=1,'
        ' validate_every=1000)\n'
        f'train(make_pairs(), config, folder={str(tmp_path)!r})\n'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', script],
        cwd=root,
        env=os.environ | {'PYTHONPATH': f'{root / "src"}:{root}'},
    )
    try:
        deadline = time.monotonic() + 120
        while not (tmp_path / FILE_NAME).exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(0.4)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    step = load_checkpoint(tmp_path)['step']
    assert step >= 1
    stages = {'displacement': step + 2, 'auxiliary': 0, 'joint': 0}
    trained = train(
        make_pairs(),
        make_config(stages=stages, save_every=1, validate_every=1000),
        folder=tmp_path,
        resume=True,
    )
    assert load_checkpoint(tmp_path)['step'] == step + 2
    assert trained.header.network_options == SMALL
