"""From what a person wants to a configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_adacs.app.finetune.recipe import stages, training_config
from napari_adacs.app.finetune.survey import Survey
from napari_adacs.app.finetune.wishes import (
    SCRATCH,
    Wishes,
    free_name,
    usual_options,
    usual_wishes,
)
from napari_adacs.models.header import Preprocessing
from napari_adacs.models.library import find_model, list_models
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.toml import config_to_toml
from napari_adacs.training.train import new_model
from napari_adacs.weighting.registry import SCHEMES

FOUND = Survey(2, 9, 1, 10, 1, (128, 128))
START = find_model('voxelmorph-adacs-echo2d')


def _config(wishes: Wishes, **changes: object):
    wishes = replace(wishes, **changes)
    header = None if wishes.start == SCRATCH else START.header
    return training_config(wishes, header, str(START.path), FOUND)


def test_fine_tuning_keeps_the_networks_and_goes_slowly() -> None:
    config = _config(usual_wishes(START.header, 2))
    recipe = START.header.training
    assert config.start_from == str(START.path)
    assert config.network.name == START.header.network
    assert config.orientation == START.header.preprocessing.orientation
    assert config.learning_rate < recipe['learning_rate']
    assert config.final_learning_rate < config.learning_rate
    assert config.stages.auxiliary < config.stages.joint
    assert config.scheme.companions == ('variance',)
    assert config.smoothness.on == recipe['smoothness']['on']
    assert config.dice_weight == 0
    assert START.header.licence in config.info['licence']


def test_a_model_goes_on_to_use_its_grid() -> None:
    """It may register on a finer grid than it is trained on."""
    header = replace(
        START.header,
        preprocessing=Preprocessing('fit', (160, 96)),
        refine_prior=2.0,
        training={'shape': [64, 32]},
    )
    wishes = usual_wishes(header, 2)
    assert wishes.shape == (64, 32)

    def made(wishes: Wishes) -> TrainConfig:
        return training_config(wishes, header, str(START.path), FOUND)

    config = made(wishes)
    assert config.shape == (64, 32)
    assert new_model(config).header.preprocessing == replace(
        header.preprocessing, orientation=config.orientation
    )
    assert new_model(config).header.refine_prior == 2.0
    other = made(replace(wishes, shape=(128, 128)))
    prepared = new_model(other).header.preprocessing
    assert (prepared.grid, prepared.shape) == ('fit', (128, 128))


@pytest.mark.parametrize('entry', list_models(), ids=lambda e: e.name)
def test_the_networks_are_those_of_the_start(entry) -> None:
    if entry.from_zero:
        pytest.skip('there is nothing to train')
    header = entry.header
    config = training_config(
        usual_wishes(header, header.ndim), header, str(entry.path), FOUND
    )
    from napari_adacs.models.library import load_entry

    trained = load_entry(entry).modules()
    made = new_model(config).modules()
    assert set(made) == set(trained)
    for role, module in made.items():
        shapes = {k: v.shape for k, v in module.state_dict().items()}
        theirs = trained[role].state_dict()
        assert shapes == {k: v.shape for k, v in theirs.items()}


@pytest.mark.parametrize('scheme', SCHEMES)
@pytest.mark.parametrize('start', [SCRATCH, START.name])
def test_every_scheme_can_be_wished_for(scheme: str, start: str) -> None:
    header = None if start == SCRATCH else START.header
    wishes = replace(
        usual_wishes(header, 2), scheme=scheme, options=usual_options(scheme)
    )
    config = training_config(wishes, header, str(START.path), FOUND)
    # its networks and its options fit each other
    assert new_model(config).scheme.name == scheme
    assert config.stages.total == wishes.steps
    has_estimator = SCHEMES[scheme].auxiliary is not None
    assert bool(config.stages.joint) == has_estimator
    assert config_to_toml(config)


def test_an_estimator_that_is_new_learns_longer_first() -> None:
    known = stages(usual_wishes(START.header, 2), START.header)
    only_score = replace(
        START.header, auxiliaries={'scoring': {}}, scheme='vanilla'
    )
    wishes = replace(usual_wishes(only_score, 2), scheme='heteroscedastic')
    new = stages(wishes, only_score)
    assert new['auxiliary'] > known['auxiliary']


def test_hyperparameters_of_the_start_come_first() -> None:
    header = replace(START.header, scheme_options={'alpha': 0.5, 'old': 1})
    options = usual_options('adacs', header)
    assert options['alpha'] == 0.5
    assert 'old' not in options
    assert usual_options('vanilla', header)['similarity'] == 'mse'
    assert usual_options('nothing') == {}


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert free_name(START.name) == f'{START.name}-2'
    assert free_name('nobody-has-this') == 'nobody-has-this'
