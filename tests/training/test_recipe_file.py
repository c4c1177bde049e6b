from __future__ import annotations

import pytest

from napari_adacs.errors import InputError
from napari_adacs.training.config import load_config
from napari_adacs.training.recipe_file import read_recipe

BASE = """
name = 'base'
seed = 4
[network]
name = 'pyramid'
[network.options]
channels = 12
[scheme]
name = 'adacs'
[scheme.options]
alpha = 0.5
[augment]
flip = [0]
gamma = 0.2
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'base.toml').write_text(BASE)
    return tmp_path


def write(folder, text):
    path = folder / 'new.toml'
    path.write_text(text)
    return path


def test_takes_over_what_is_not_said_again(folder):
    path = write(folder, "extends = 'base.toml'\nname = 'new'\n")
    config = load_config(path)
    assert (config.name, config.seed) == ('new', 4)
    assert config.network.options == {'channels': 12}


def test_joins_sections_key_by_key(folder):
    text = "extends = 'base.toml'\n[augment]\ngamma = 0.1\n"
    assert read_recipe(write(folder, text))['augment'] == {
        'flip': [0],
        'gamma': 0.1,
    }


def test_options_of_the_same_network_are_joined(folder):
    text = "extends = 'base.toml'\n[network.options]\nlevels = 3\n"
    assert read_recipe(write(folder, text))['network'] == {
        'name': 'pyramid',
        'options': {'channels': 12, 'levels': 3},
    }


def test_another_network_comes_without_the_options_of_the_first(folder):
    text = "extends = 'base.toml'\n[network]\nname = 'voxelmorph'\n"
    config = load_config(write(folder, text))
    assert config.network.name == 'voxelmorph'
    assert not config.network.options


def test_extends_over_several_files(folder):
    (folder / 'mid.toml').write_text("extends = 'base.toml'\nseed = 9\n")
    config = load_config(write(folder, "extends = 'mid.toml'\nname = 'n'\n"))
    assert (config.name, config.seed) == ('n', 9)


def test_a_circle_is_refused(folder):
    (folder / 'base.toml').write_text("extends = 'new.toml'\n")
    with pytest.raises(InputError, match='extends itself'):
        read_recipe(write(folder, "extends = 'base.toml'\n"))


def test_a_missing_base_is_named(folder):
    with pytest.raises(InputError, match='absent.toml'):
        read_recipe(write(folder, "extends = 'absent.toml'\n"))


def test_the_base_must_be_a_name(folder):
    with pytest.raises(InputError, match="'extends' of"):
        read_recipe(write(folder, 'extends = 3\n'))


def test_a_file_that_is_not_text_is_named(folder):
    path = folder / 'new.toml'
    path.write_bytes(b'\xff\xfe\x00')
    with pytest.raises(InputError, match='not valid TOML'):
        read_recipe(path)
