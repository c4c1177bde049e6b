"""Model cards: all that matters, from the header and nothing else."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from napari_adacs.models.card import USE, model_card
from napari_adacs.models.header import ModelHeader, Preprocessing

ROOT = Path(__file__).parents[2]

STAGE = {
    'name': 'first',
    'command': 'napari-adacs train CAMUS --config recipes/a.toml -o RUN',
    'seconds': 3000.0,
}
RUN: dict[str, Any] = {
    'started from': 'first',
    'pairs': {
        'CAMUS': {'trained on': 300, 'held out': 100},
        'shapes:50': {'trained on': 50},
    },
    'split': "the data's own",
    'labels': 'not used for training',
    'steps': 500,
    'seconds': 1200.0,
    'device': 'cpu, x86_64',
    'command': 'napari-adacs train CAMUS --config recipes/b.toml -o RUN',
    'earlier': [STAGE],
}
OVERLAP: dict[str, Any] = {
    'cases': 100,
    'patients': 50,
    'units': 'voxels',
    'folded %': 0.00012,
    'DSC before': {'2': 0.6358},
    'DSC': {'2': 0.8251},
    'DSC 95% CI': {'2': [0.8152, 0.8347]},
    'HD before': {'2': 9.5},
    'HD': {'2': 6.25},
    'HD 95% CI': {'2': [6.0, 6.5]},
    'failures': [
        {
            'case': 'patient0007_4CH',
            'DSC before': 0.4,
            'DSC': 0.51,
            'labels': {'2': 0.51},
            'folded %': 0.2,
        }
    ],
}
HEADER = ModelHeader(
    name='made-up',
    ndim=2,
    network='pyramid',
    scheme='adacs',
    auxiliaries={'scoring': {}},
    preprocessing=Preprocessing('resize', (128, 128)),
    title='Made up',
    description='For a test.',
    domain='2D echo',
    licence='CC BY-NC-SA 4.0',
    training={'run': RUN, 'info': {'limits': 'Without a ventricle.'}},
    metrics={'camus': OVERLAP},
)

WANTED = (
    'Made up',
    'For a test.',
    'CC BY-NC-SA 4.0',
    '2D echo',
    'CAMUS (300 trained on, 100 held out); shapes:50 (50 trained on)',
    "the data's own",
    'not used for training',
    '70 min in 2 stages (50 min + 20 min)',
    'recipes/a.toml',
    'recipes/b.toml',
    '0.825',
    '0.815 to 0.835',
    '6.25',
    '0.00012 %',
    '100 pairs of 50 patients',
    'patient0007_4CH, mean DSC 0.4 -> 0.51 (2 0.51), 0.2 % folded',
    'Without a ventricle.',
    'Not for diagnosis',
)


def joined(text: str) -> str:
    """Undo the line breaks of a terminal."""
    return ' '.join(text.split())


@pytest.mark.parametrize('style', ['to_text', 'to_markdown'])
def test_a_card_says_everything(style: str) -> None:
    text = joined(getattr(model_card(HEADER), style)())
    for wanted in WANTED:
        assert wanted in text, wanted
    assert text.index('recipes/a.toml') < text.index('recipes/b.toml')


def test_lines_fit_a_terminal() -> None:
    text = model_card(HEADER).to_text()
    assert max(map(len, text.splitlines())) < 100
    assert '  label  DSC before  DSC    95 % CI' in text


def test_markdown_has_tables() -> None:
    text = model_card(HEADER).to_markdown()
    assert text.startswith('## Made up\n')
    assert '| label | DSC before | DSC | 95 % CI | HD before |' in text
    assert '| 2 | 0.636 | 0.825 | 0.815 to 0.835 | 9.5 |' in text


def test_what_nobody_has_recorded_is_said() -> None:
    bare = ModelHeader(name='bare', ndim=3, network='voxelmorph', scheme='x')
    text = model_card(bare).to_text()
    assert text.startswith('bare\n')
    for name in ('data', 'split', 'time'):
        assert f'{name:15}not recorded' in text
    assert joined(USE) in joined(text)


def test_no_paths_of_a_computer() -> None:
    training = {'start_from': '/home/someone/first/model.safetensors'}
    text = model_card(replace(HEADER, training=training)).to_text()
    assert '/home' not in text
    assert 'a model of its own' in text


def test_figures_of_a_run_and_of_strangers() -> None:
    metrics = {
        'held-out pairs': {
            'DSC 2': {
                'unregistered': 0.5,
                'before': 0.6,
                'after': 0.7,
                'pairs': 8,
                'p': 0.012,
            },
            'HD 2': {'after': 3.21, 'unit': 'mm'},
        },
        'theirs': {'dsc': 0.8123456, 'more': {'a': 1}},
        'one': 0.5,
    }
    text = model_card(replace(HEADER, metrics=metrics)).to_text()
    assert '  DSC 2      0.5           0.6    0.7    0.012  8' in text
    assert '  HD 2 (mm)' in text
    assert '  dsc: 0.812\n  more, a: 1\n' in text
    assert 'Measured: one\n  0.5\n' in text


def test_old_runs_say_which_labels_guided() -> None:
    for training, wanted in (
        ({'dice_weight': 0.01, 'dice_labels': [1, 2]}, 'Dice of labels 1, 2,'),
        ({'dice_weight': 1.0, 'dice_labels': []}, 'drawn at every step'),
        ({'dice_weight': 0}, 'not used for training'),
    ):
        text = model_card(replace(HEADER, training=training)).to_text()
        assert wanted in text


def test_known_motion_is_said_where_it_taught() -> None:
    for training, said in (({'motion_weight': 0.01}, True), ({}, False)):
        text = model_card(replace(HEADER, training=training)).to_text()
        assert ('of phantoms, weight 0.01' in text) is said


def test_the_page_in_the_manual_is_that_of_the_bundles(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv('NAPARI_ADACS_MODELS', str(tmp_path))
    made = runpy.run_path(str(ROOT / 'recipes' / 'model_cards.py'))
    assert made['PAGE'].read_text('utf-8') == made['cards'](), (
        'run python recipes/model_cards.py'
    )
