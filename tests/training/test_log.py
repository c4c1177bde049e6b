"""What a run writes down: figures, events, previews, the time left."""

from __future__ import annotations

import csv
import importlib.util

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.training.log import EVENTS, CsvLog
from napari_adacs.training.pairs import PairList
from napari_adacs.training.preview import FOLDER, typical_pair
from napari_adacs.training.remaining import RemainingTime, readable_time
from napari_adacs.training.train import train
from tests.training.conftest import make_config, make_pairs


def rows(folder):
    with (folder / 'log.csv').open() as file:
        return list(csv.DictReader(file))


def steps_of(folder, name):
    return [int(r['step']) for r in rows(folder) if r['name'] == name]


def test_every_step_has_its_figures_once(tmp_path):
    """Also after a run was killed beyond its last checkpoint."""
    pairs, seen = make_pairs(), []
    train(
        pairs,
        make_config(),
        folder=tmp_path,
        progress=lambda *_: seen.append(1),
        cancel=lambda: len(seen) >= 6,
    )
    with (tmp_path / 'log.csv').open('a') as file:
        file.write('7,0,data,0.5\n8,0,data,0.5\n9,0,da')
    train(pairs, make_config(), folder=tmp_path, resume=True)
    both = sorted(
        steps_of(tmp_path, 'data') + steps_of(tmp_path, 'likelihood')
    )
    assert steps_of(tmp_path, 'data') == [1, 2, 3, *range(7, 13)]
    assert steps_of(tmp_path, 'correspondence') == list(range(4, 13))
    assert set(both) == set(range(1, 13))
    assert steps_of(tmp_path, 'momentum') == list(range(1, 13))


def test_a_new_run_does_not_continue_the_log_of_another(tmp_path):
    log = CsvLog(tmp_path)
    log.write(1, {'data': 1.0})
    log.close()
    again = CsvLog(tmp_path)
    again.write(1, {'data': 2.0})
    again.close()
    assert [row['value'] for row in rows(tmp_path)] == ['2']


def test_events_hold_the_same_figures(tmp_path):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import (
        EventAccumulator,
    )

    pairs, seen = make_pairs(), []
    config = make_config(log={'tensorboard': True})
    train(
        pairs,
        config,
        validation=pairs,
        folder=tmp_path,
        progress=lambda *_: seen.append(1),
        cancel=lambda: len(seen) >= 8,
    )
    train(pairs, config, validation=pairs, folder=tmp_path, resume=True)
    events = EventAccumulator(str(tmp_path / EVENTS))
    events.Reload()
    assert {'training/data', 'validation/val_mse'} <= set(
        events.Tags()['scalars']
    )
    logged = {
        int(r['step']): float(r['value'])
        for r in rows(tmp_path)
        if r['name'] == 'momentum'
    }
    found = {e.step: e.value for e in events.Scalars('training/momentum')}
    assert found == pytest.approx(logged, rel=1e-4)
    assert set(found) == set(range(1, 13))


def test_events_without_the_package_are_refused_at_once(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        'find_spec',
        lambda name, *a: None if name == 'tensorboard' else find(name, *a),
    )
    with pytest.raises(InputError, match=r'napari-adacs\[tensorboard\]'):
        train(
            make_pairs(),
            make_config(log={'tensorboard': True}),
            folder=tmp_path / 'run',
        )
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize(
    ('scheme', 'maps'),
    [
        ('adacs', {'score', 'variance', 'weight'}),
        ('adaframe', {'variance', 'weight'}),
        ('heteroscedastic', {'variance', 'weight'}),
    ],
)
def test_previews_show_one_pair_again_and_again(tmp_path, scheme, maps):
    pairs = make_pairs()
    config = make_config(
        scheme={
            'name': scheme,
            'auxiliary_options': {'encoder': [4, 8], 'decoder': [8, 8, 4]},
            'companions': ['variance'],
        },
        validate_every=2,
        log={'preview_every': 2},
    )
    train(pairs, config, validation=pairs, folder=tmp_path)
    files = sorted((tmp_path / FOLDER).glob('step_*.npz'))
    names = [f'step_{step:07d}.npz' for step in (0, 4, 8, 12)]
    assert [f.name for f in files] == names
    first, last = (dict(np.load(f)) for f in (files[0], files[-1]))
    assert set(first) == {'moving', 'fixed', 'warped', *maps}
    shown = pairs[typical_pair(PairList(pairs))]
    np.testing.assert_allclose(first['fixed'], shown.fixed, atol=1e-3)
    with np.load(tmp_path / FOLDER / 'newest.npz') as newest:
        assert int(newest['step']) == 12
        assert str(newest['name']) == shown.name
        np.testing.assert_array_equal(newest['image_fixed'], last['fixed'])
    assert (first['variance'] != last['variance']).any()


def test_previews_of_volumes_are_slices(tmp_path):
    pairs = make_pairs(2, (16, 16, 16))
    config = make_config(
        shape=[16, 16, 16],
        augment={},
        stages={'displacement': 0, 'auxiliary': 0, 'joint': 1},
    )
    train(pairs, config, validation=pairs, folder=tmp_path)
    files = list((tmp_path / FOLDER).glob('step_*.npz'))
    assert len(files) == 2
    for file in files:
        shapes = {v.shape for v in dict(np.load(file)).values()}
        assert shapes == {(16, 16)}
    with np.load(tmp_path / FOLDER / 'newest.npz') as newest:
        assert newest['image_warped'].shape == (16, 16, 16)


def test_no_previews_on_request(tmp_path):
    pairs, config = make_pairs(), make_config(log={'preview_every': 0})
    train(pairs, config, validation=pairs, folder=tmp_path)
    assert not (tmp_path / FOLDER).exists()


def test_the_time_left_follows_the_last_steps():
    now = 0.0
    remaining = RemainingTime(clock=lambda: now)
    assert remaining(1, 1000) is None
    for step in range(2, 101):
        now += 10.0
        remaining(step, 1000)
    assert remaining(100, 1000) == pytest.approx(9000, rel=0.05)
    for step in range(101, 201):
        now += 1.0
        left = remaining(step, 1000)
    assert left == pytest.approx(800)


@pytest.mark.parametrize(
    ('seconds', 'text'),
    [
        (None, ''),
        (0.4, '0 s'),
        (59.4, '59 s'),
        (119, '2 min'),
        (3599, '1 h 00 min'),
        (7500, '2 h 05 min'),
    ],
)
def test_times_can_be_read(seconds, text):
    assert readable_time(seconds) == text
