"""The page of differences names tests, and they exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / 'docs' / 'paper-and-code.md'


def test_every_difference_names_a_test_that_exists():
    rows = [
        line
        for line in PAGE.read_text('utf-8').splitlines()
        if line.startswith('| ') and not line.startswith('| |')
    ]
    assert len(rows) > 30
    code = ''.join(
        path.read_text('utf-8') for path in (ROOT / 'tests').rglob('*.py')
    )
    written = set(re.findall(r'def (test_\w+)', code))
    for row in rows:
        named = set(re.findall(r'`(test_\w+)`', row))
        assert named, row
        assert named <= written, named - written


def test_every_option_is_in_the_guide():
    from dataclasses import fields, is_dataclass

    from napari_adacs.training.config import TrainConfig

    guide = (ROOT / 'docs' / 'training.md').read_text('utf-8')
    config = TrainConfig()
    for item in fields(config):
        value = getattr(config, item.name)
        if not is_dataclass(value):
            names = [item.name] if item.name != 'info' else ['[info]']
        else:
            names = [f'[{item.name}]', *(f.name for f in fields(value))]
        for name in names:
            assert f'`{name}`' in guide, name


def test_the_recipes_of_the_guide_are_recipes():
    import tomllib

    from napari_adacs.training.config import config_from_dict

    guide = (ROOT / 'docs' / 'training.md').read_text('utf-8')
    recipes = re.findall(r'```toml\n(.*?)```', guide, flags=re.DOTALL)
    assert len(recipes) == 2
    for text in recipes:
        assert config_from_dict(tomllib.loads(text)).stages.total > 1000
