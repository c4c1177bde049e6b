"""Every recipe can be read, and its networks built."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_adacs.models.library import list_models
from napari_adacs.training.config import load_config
from napari_adacs.training.train import new_model

RECIPES = sorted((Path(__file__).parents[2] / 'recipes').glob('*.toml'))


def test_there_are_recipes():
    assert len(RECIPES) >= 4


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_every_recipe_builds_a_model(path):
    config = load_config(path)
    model = new_model(config)
    assert model.header.name == config.name
    assert model.header.ndim == len(config.shape)
    multiple = model.displacement.size_multiple
    assert all(size % multiple == 0 for size in config.shape)
    assert config.info.get('title') and config.info.get('licence')
    assert model.header.licence


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_the_command_at_its_top_names_it(path):
    comment = [
        line.strip('# \\')
        for line in path.read_text().splitlines()
        if line.startswith('#')
    ]
    assert f'--config recipes/{path.name}' in ' '.join(comment)


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_it_treats_its_bundled_model_alike(path):
    """Made again, a model is chosen as often as the one that ships.

    And refining holds on to it as much.
    """
    config = load_config(path)
    for entry in list_models():
        if entry.source == 'bundled' and entry.name == config.name:
            assert config.info.get('preference', 0) == entry.header.preference
            prior = config.info.get('refine_prior', 0)
            assert prior == entry.header.refine_prior
