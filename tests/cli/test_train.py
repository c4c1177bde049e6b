"""``napari-adacs train``: from a folder or the phantom to a model."""

from __future__ import annotations

import csv
import os
import signal
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from scipy.io import savemat

from napari_adacs.cli.run_report import RunReport
from napari_adacs.cli.train_progress import TrainProgress
from napari_adacs.models.bundle import load_bundle, read_header
from napari_adacs.models.card import model_card
from napari_adacs.runs.files import STATUS, read_json
from napari_adacs.runs.state import State
from napari_adacs.training import budget
from napari_adacs.training.budget import Costs
from napari_adacs.training.checkpoint import load_checkpoint
from napari_adacs.training.config import (
    TrainConfig,
    config_from_dict,
    load_config,
)
from napari_adacs.training.pairs import TrainingPair
from napari_adacs.training.sources import opening
from napari_adacs.training.sources.network_grid import resized
from napari_adacs.training.trainer import Trainer
from tests.cli.conftest import FIXED, Run, heart

RECIPE = """
name = 'made-2d'
shape = [16, 16]
batch_size = 1
validate_every = 2
save_every = 2
[network]
options = {{encoder = [4, 8], decoder = [8, 8, 4]}}
[scheme]
name = 'vanilla'
[stages]
displacement = {steps}
auxiliary = 0
joint = 0
"""

# More pairs per step than one source has: shapes are mixed in a batch.
BATCHED = RECIPE.replace('batch_size = 1', 'batch_size = 4')


def recipe(folder: Path, steps: int = 3, text: str = RECIPE) -> Path:
    path = folder / 'recipe.toml'
    path.write_text(text.format(steps=steps))
    return path


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """A folder with train/ and val/ of the papers' MATLAB files."""
    root = tmp_path / 'pairs'
    for name, count in (('train', 2), ('val', 1)):
        (root / name).mkdir(parents=True)
        for index in range(count):
            ed, ed_labels = heart(FIXED[2])
            es, es_labels = heart(FIXED[2], 0.7 + 0.1 * index)
            savemat(
                root / name / f'{index}.mat',
                {
                    'im_ED': ed,
                    'im_ES': es,
                    'label_ED': ed_labels,
                    'label_ES': es_labels,
                },
            )
    return root


def test_a_model_comes_out(run: Run, pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / 'run'
    ran = run('train', pairs, '--config', recipe(tmp_path), '-o', out)
    assert ran.code == 0, ran.err
    assert read_header(out / 'model.safetensors').name == 'made-2d'
    log = (out / 'log.csv').read_text()
    # validation pairs were found and resampled to the network's grid
    assert 'val_dsc_1' in log
    assert 'made-2d' in ran.out
    assert ran.err == ''


def test_a_run_is_not_overwritten_but_resumed(
    run: Run, pairs: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'run'
    words = ('train', pairs, '--config', recipe(tmp_path), '-o', out)
    assert run(*words).code == 0
    ran = run(*words)
    assert ran.code == 2
    assert '--resume' in ran.err
    longer = recipe(tmp_path, steps=5)
    ran = run('train', pairs, '--config', longer, '-o', out, '--resume')
    assert ran.code == 0, ran.err
    assert load_checkpoint(out)['step'] == 5


def test_the_card_tells_every_stage(
    run: Run, pairs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / 'recipes'
    folder.mkdir()
    words = ('--config', recipe(folder))
    first, second = tmp_path / 'one', tmp_path / 'two'
    assert run('train', pairs, *words, '-o', first).code == 0
    start = first / 'model.safetensors'
    more = ('train', pairs, 'shapes:3', *words, '-o', second)
    assert run(*more, '--start-from', start).code == 0
    command = (
        'napari-adacs train pairs{} --config recipes/recipe.toml{} -o RUN'
    )
    commands = [
        command.format('', ''),
        command.format(' shapes:3', ' --start-from made-2d'),
    ]

    def told() -> list[str]:
        header = read_header(second / 'model.safetensors')
        card = model_card(header)
        assert str(tmp_path) not in header.to_json()
        assert str(tmp_path) not in card.to_markdown()
        found = header.training['run']
        assert found['started from'] == 'made-2d'
        assert found['pairs']['shapes:3'] == {'trained on': 3}
        assert found['labels'] == 'not used for training'
        assert found['seconds'] > 0
        return list(card.commands)

    assert told() == commands
    # a run that goes on has forgotten its start, and its card has not
    recipe(folder, steps=5)
    ran = run(*more, '--resume')
    assert ran.code == 0, ran.err
    assert told() == commands


def test_the_card_says_that_labels_guided(
    run: Run, pairs: Path, tmp_path: Path
) -> None:
    text = 'dice_weight = 0.5\nsimilarity_weight = 0.0\n' + RECIPE
    out = tmp_path / 'run'
    words = ('--config', recipe(tmp_path, text=text), '-o', out)
    assert run('train', pairs, *words).code == 0
    found = read_header(out / 'model.safetensors').training['run']
    assert found['labels'] == (
        'Dice of labels drawn at every step, weight 0.5, without similarity'
    )
    assert ',dice,' in (out / 'log.csv').read_text()


@pytest.mark.parametrize('sent', [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_a_checkpoint(
    run: Run,
    pairs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sent: signal.Signals,
) -> None:
    step = Trainer._train_step

    def interrupted(self: Trainer, batches: object) -> dict[str, float]:
        if self.step == 6:
            os.kill(os.getpid(), sent)
        return step(self, batches)

    monkeypatch.setattr(Trainer, '_train_step', interrupted)
    out, before = tmp_path / 'run', signal.getsignal(sent)
    config = recipe(tmp_path, steps=1000)
    ran = run('train', pairs, '--config', config, '-o', out)
    assert ran.code == 130
    assert 'after step 7 of 1000' in ran.out
    assert load_checkpoint(out)['step'] == 7
    assert signal.getsignal(sent) is before


def test_phantom_pairs_are_made_and_kept(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(opening._PHANTOM_SHAPE, 2, (48, 48))
    out = tmp_path / 'run'
    ran = run(
        *('train', 'phantom:2', '--config', recipe(tmp_path)),
        *('-o', out),
    )
    assert ran.code == 0, ran.err
    kept = {path.name for path in (out / 'phantom').iterdir()}
    assert 'phantom_48x48_90000.npz' in kept
    assert kept & {'phantom_48x48_00000.npz', 'phantom_48x48_00001.npz'}


def test_resampled_labels_stay_where_they_were() -> None:
    image, labels = heart(FIXED[2])
    pair = resized(TrainingPair(image, image, labels, None), (52, 60))
    assert pair.moving.shape == (52, 60)
    assert pair.fixed_labels is None
    again = pair.moving_labels
    assert again is not None
    assert set(np.unique(again)) == {0, 1, 2}
    # twice as many voxels along each axis: every voxel four times
    assert np.array_equal(again[::2, ::2], labels)
    assert np.array_equal(again[1::2, 1::2], labels)


def three_dimensional(folder: Path) -> Path:
    text = RECIPE.replace('[16, 16]', '[16, 16, 16]')
    return recipe(folder, text=text)


def test_pairs_of_another_dimension_are_refused(
    run: Run, pairs: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'run'
    config = three_dimensional(tmp_path)
    ran = run('train', pairs, '--config', config, '-o', out)
    assert ran.code == 2
    assert '2D' in ran.err and '3D' in ran.err
    assert not (out / 'model.safetensors').exists()


@pytest.mark.parametrize(
    ('data', 'words'),
    [
        ('phantom:', 'not a number'),
        ('phantom:many', 'not a number'),
        ('phantom:0', 'not a number'),
        ('phantom:90001', 'from 1 to 90000'),
        ('nowhere', 'no folder or table'),
    ],
)
def test_data_that_is_none(
    run: Run, tmp_path: Path, data: str, words: str
) -> None:
    out = tmp_path / 'run'
    ran = run('train', data, '--config', recipe(tmp_path), '-o', out)
    assert ran.code == 2
    assert words in ran.err
    assert not out.exists()


def test_an_empty_folder_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / 'pairs' / 'train').mkdir(parents=True)
    ran = run(
        *('train', tmp_path / 'pairs', '--config', recipe(tmp_path)),
        *('-o', tmp_path / 'run'),
    )
    assert ran.code == 2
    assert 'no .mat files' in ran.err


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ("nam = 'x'", "'name'"),
        ('name = ', 'not valid TOML'),
        ('batch_size = 0', 'at least 1'),
    ],
)
def test_recipes_with_mistakes(
    run: Run, pairs: Path, tmp_path: Path, text: str, words: str
) -> None:
    config = tmp_path / 'recipe.toml'
    config.write_text(text)
    ran = run('train', pairs, '--config', config, '-o', tmp_path / 'run')
    assert ran.code == 2
    assert words in ran.err
    assert len(ran.err.splitlines()) == 1


def test_resuming_nothing_is_refused(
    run: Run, pairs: Path, tmp_path: Path
) -> None:
    ran = run(
        *('train', pairs, '--config', recipe(tmp_path)),
        *('-o', tmp_path / 'run', '--resume'),
    )
    assert ran.code == 2
    assert 'no checkpoint' in ran.err


@pytest.mark.parametrize('content', [b'not matlab', b''])
def test_a_damaged_pair_is_skipped_and_named(
    run: Run, pairs: Path, tmp_path: Path, content: bytes
) -> None:
    (pairs / 'train' / '0.mat').write_bytes(content)
    out = tmp_path / 'run'
    ran = run('train', pairs, '--config', recipe(tmp_path), '-o', out)
    assert ran.code == 0, ran.err
    assert 'Skipped 0: 0.mat is damaged' in ran.out
    rows = (out / 'data.csv').read_text().splitlines()
    assert f'{pairs},1,train,' in rows
    assert f'{pairs},0,val,' in rows
    assert any(row.startswith(f'{pairs},0,skipped,"0.mat') for row in rows)


def test_pairs_without_images_leave_nothing_to_train_on(
    run: Run, pairs: Path, tmp_path: Path
) -> None:
    for index in range(2):
        path = pairs / 'train' / f'{index}.mat'
        savemat(path, {'something': np.zeros(3)})
    ran = run(
        *('train', pairs, '--config', recipe(tmp_path)),
        *('-o', tmp_path / 'run'),
    )
    assert ran.code == 2
    assert '0.mat' in ran.err
    assert 'im_ED' in ran.err


def test_the_recipe_of_these_tests_is_one() -> None:
    import tomllib

    config = config_from_dict(tomllib.loads(RECIPE.format(steps=3)))
    assert config.stages.total == 3


def test_sources_are_joined_and_the_first_is_validated_on(
    run: Run,
    pairs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(opening._PHANTOM_SHAPE, 2, (40, 48))
    out = tmp_path / 'run'
    ran = run(
        *(
            'train',
            pairs,
            'phantom:2',
            '--config',
            recipe(tmp_path, 8, BATCHED),
        ),
        *('-o', out),
    )
    assert ran.code == 0, ran.err
    kept = {path.name for path in (out / 'phantom').iterdir()}
    assert kept <= {'phantom_40x48_00000.npz', 'phantom_40x48_00001.npz'}
    # labels 1 and 2 are those of the folder; the phantom has 3 as well
    log = (out / 'log.csv').read_text()
    assert 'val_dsc_2' in log
    assert 'val_dsc_3' not in log


def test_a_run_starts_from_a_model(
    run: Run, pairs: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / 'first', tmp_path / 'second'
    config = recipe(tmp_path, 6)
    assert run('train', pairs, '--config', config, '-o', first).code == 0
    bundle = first / 'model.safetensors'
    ran = run(
        *('train', pairs, '--config', recipe(tmp_path, 1), '-o', second),
        *('--start-from', bundle),
    )
    assert ran.code == 0, ran.err
    header = read_header(second / 'model.safetensors')
    # by its name: paths are nobody else's business
    assert header.training['start_from'] == 'made-2d'
    assert str(tmp_path) not in header.to_json()
    weights = [load_bundle(f / 'model.safetensors') for f in (first, second)]
    before, after = (
        model.displacement.state_dict()['flow.weight'] for model in weights
    )
    # one small step away, where chance would start somewhere else
    assert 0 < float((before - after).abs().max()) < 3e-4


@pytest.mark.parametrize(
    ('start', 'words'),
    [
        ('nothing', "no model called 'nothing'"),
        ('small-3d', 'another one than the configuration describes'),
    ],
)
def test_starts_that_do_not_fit(
    run: Run, pairs: Path, tmp_path: Path, start: str, words: str
) -> None:
    ran = run(
        *('train', pairs, '--config', recipe(tmp_path)),
        *('-o', tmp_path / 'run', '--start-from', start),
    )
    assert ran.code == 2
    assert words in ran.err


def test_the_progress_line_says_how_long_it_takes(tmp_path: Path) -> None:
    said: list[str] = []
    shown = TrainProgress(
        lambda fraction, text: said.append(text),
        RunReport(tmp_path / 'run'),
        TrainConfig(),
        Event(),
    )
    for step in range(1, 4):
        shown(step, 100, {'data': 0.5, 'gradient_displacement': 3.0})
    assert said[0] == 'step 1 of 100  data 0.5'
    assert said[2].startswith('step 3 of 100, about 0 s left  data 0.5')
    assert 'gradient' not in said[2]
    assert shown.step == 3


def test_a_device_that_is_not_there(
    run: Run, pairs: Path, tmp_path: Path
) -> None:
    ran = run(
        *('train', pairs, '--config', recipe(tmp_path)),
        *('-o', tmp_path / 'run', '--device', 'cuda:99'),
    )
    assert ran.code == 2
    assert 'cuda:99' in ran.err
    assert not (tmp_path / 'run').exists()


def test_early_stopping_is_said(run: Run, pairs: Path, tmp_path: Path) -> None:
    text = RECIPE + '[stopping]\npatience = 1\nsmallest = 0.9\n'
    config = recipe(tmp_path, 50, text)
    ran = run('train', pairs, '--config', config, '-o', tmp_path / 'run')
    assert ran.code == 0, ran.err
    assert 'Stopped at step 4 of 50: 1 validations' in ran.out


def test_every_data_set_can_be_named() -> None:
    from napari_adacs.cli.parser import make_parser
    from napari_adacs.training.preparation.datasets import DATASETS

    for name in DATASETS:
        chosen = make_parser().parse_args(['prepare', name, 'a', '-o', 'b'])
        assert chosen.dataset == name


def test_a_fine_tuned_model_carries_its_card(
    run: Run, pairs: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / 'first', tmp_path / 'second'
    config = recipe(tmp_path, 6)
    assert run('train', pairs, '--config', config, '-o', first).code == 0
    ran = run(
        *('train', pairs, '--config', recipe(tmp_path, 4), '-o', second),
        *('--start-from', first / 'model.safetensors'),
    )
    assert ran.code == 0, ran.err
    assert 'DSC 1: ' in ran.out
    with (second / 'before_after.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert {row['measure'] for row in rows} == {'DSC', 'HD', 'ASD', 'folded %'}
    assert {row['started from'] for row in rows} == {'made-2d'}
    bundle = second / 'model.safetensors'
    header = read_header(bundle)
    told = header.training['run']
    assert told['started from'] == 'made-2d'
    assert told['pairs'] == {'pairs': {'trained on': 2, 'held out': 1}}
    assert told['steps'] == 4
    assert 'Not for diagnosis' in told['intended use']
    dsc = header.metrics['held-out pairs']['DSC 1']
    assert dsc['pairs'] == 1
    (row,) = (r for r in rows if (r['measure'], r['label']) == ('DSC', '1'))
    assert dsc['after'] == pytest.approx(float(row['after']), rel=1e-5)
    assert str(tmp_path) not in header.to_json()
    shown = run('models', 'show', bundle)
    assert 'held-out pairs' in shown.out
    assert 'started from   made-2d' in shown.out


def test_minutes_become_steps(
    run: Run, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a computer on which a step takes ten seconds."""
    costs = Costs(10.0, 0.0, 0.0, 1.0)
    monkeypatch.setattr(budget, 'measure_costs', lambda *_: costs)
    out, minutes = tmp_path / 'run', 30
    words = ('train', pairs, '--config', recipe(tmp_path, 7), '-o', out)
    ran = run(*words, '--minutes', minutes)
    assert ran.code == 0, ran.err
    config = load_config(out / 'config.toml')
    assert 100 < config.stages.total < 180
    assert load_checkpoint(out)['step'] == config.stages.total
    assert f'30 minutes on cpu: {config.stages.total} steps' in ran.out
    # the same command goes on with the steps that were chosen
    again = run(*words, '--minutes', minutes, '--resume')
    assert again.code == 0, again.err
    assert load_config(out / 'config.toml') == config


def test_minutes_are_kept_by_a_computer_that_slows_down(
    run: Run, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step takes ten seconds when it is timed, and forty later on."""
    now = [0.0]
    take = Trainer._train_step

    def slowly(self: Trainer, batches: object) -> dict[str, float]:
        now[0] += 10.0 if self.step < 40 else 40.0
        return take(self, batches)

    costs = Costs(10.0, 0.0, 0.0, 1.0)
    monkeypatch.setattr(budget, 'measure_costs', lambda *_: costs)
    monkeypatch.setattr(Trainer, '_train_step', slowly)
    monkeypatch.setattr(
        'napari_adacs.cli.train.RunReport',
        lambda folder, writes: RunReport(folder, writes, lambda: now[0]),
    )
    out, minutes = tmp_path / 'run', 30
    words = ('train', pairs, '--config', recipe(tmp_path, 7), '-o', out)
    ran = run(*words, '--minutes', minutes)
    assert ran.code == 0, ran.err
    assert 25 * 60 < now[0] <= 30 * 60
    # 400 seconds of 1800 for forty steps, the rest for slow ones
    config = load_config(out / 'config.toml')
    assert 65 < config.stages.total <= 75
    assert load_checkpoint(out)['step'] == config.stages.total
    assert f'{config.stages.total} steps keep to 30 minutes' in ran.out
    status = read_json(out / STATUS)
    assert status['state'] == State.FINISHED
    assert status['step'] == status['total'] == config.stages.total


def test_too_few_minutes(run: Run, pairs: Path, tmp_path: Path) -> None:
    words = ('train', pairs, '--config', recipe(tmp_path, 7))
    ran = run(*words, '-o', tmp_path / 'run', '--minutes', '0.0001')
    assert ran.code == 2
    assert 'are too short' in ran.err
    assert 'Allow ' in ran.err
