"""What is written as TOML is read as the same configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_adacs.errors import InputError
from napari_adacs.training.config import (
    TrainConfig,
    config_from_dict,
    load_config,
)
from napari_adacs.training.toml import config_to_toml

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / 'recipes').glob('*.toml'))
STRANGE = {
    'name': 'quote " and \\ and ü and \x7f',
    'shape': [96, 80, 64],
    'learning_rate': 1e-300,
    'start_from': 'C:\\models\\new.safetensors',
    'dice_labels': [1, 3],
    'augment': {'flip': [0, 2], 'swap': True},
    'network': {'options': {'encoder': [[1, 2], [3]], 'deep': {'a': 0.5}}},
    'scheme': {'companions': ['variance'], 'options': {'preset': 'code'}},
    'stages': {'displacement': 0, 'auxiliary': 0, 'joint': 7, 'epoch': 50},
    'info': {'licence': 'none\nat all', 'year': 2026},
}


def again(config: TrainConfig, folder: Path) -> TrainConfig:
    path = folder / 'config.toml'
    path.write_text(config_to_toml(config), 'utf-8')
    return load_config(path)


@pytest.mark.parametrize('recipe', RECIPES, ids=lambda path: path.stem)
def test_recipes_come_back(recipe: Path, tmp_path: Path) -> None:
    config = load_config(recipe)
    assert again(config, tmp_path) == config


def test_strange_values_come_back(tmp_path: Path) -> None:
    config = config_from_dict(STRANGE)
    assert again(config, tmp_path) == config


def test_defaults_are_left_out() -> None:
    lines = config_to_toml(TrainConfig()).split()
    assert 'seed' not in lines
    assert '[optimiser]' not in lines
    assert 'name' in lines
    # a number of steps is never a default that one wants to guess
    assert '[stages]' in lines


def test_what_toml_cannot_say_is_refused() -> None:
    config = TrainConfig(info={'nothing': None})
    with pytest.raises(InputError, match='cannot be written as TOML'):
        config_to_toml(config)
