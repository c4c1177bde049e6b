"""Configurations: unknown keys are refused with a guess."""

from __future__ import annotations

import pytest

from napari_adacs.errors import AdacsError, InputError
from napari_adacs.training.config import config_from_dict, load_config
from napari_adacs.training.train import new_model


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'batchsize': 4}, "Did you mean 'batch_size'"),
        ({'scheme': {'nam': 'adacs'}}, "Did you mean 'scheme.name'"),
        ({'augment': {'flips': True}}, "Did you mean 'augment.flip'"),
        ({'batch_size': 0}, 'at least 1'),
        ({'batch_size': 1.5}, 'of type int'),
        ({'learning_rate': 'fast'}, 'of type float'),
        ({'learning_rate': -1}, 'positive'),
        ({'shape': [4]}, '2 or 3 numbers'),
        ({'shape': [64, 64], 'model_shape': [96]}, 'needs 2 numbers'),
        (
            {'stages': {'displacement': 0, 'auxiliary': 0, 'joint': 0}},
            'no steps',
        ),
    ],
)
def test_mistakes_are_one_sentence(values, message):
    with pytest.raises(InputError, match=message):
        config_from_dict(values)


def test_unknown_scheme_options_are_refused():
    config = config_from_dict({'scheme': {'options': {'alfa': 1}}})
    with pytest.raises(AdacsError, match="Did you mean 'alpha'"):
        new_model(config)


def test_a_missing_or_broken_file(tmp_path):
    with pytest.raises(InputError, match='cannot be read'):
        load_config(tmp_path / 'none.toml')
    broken = tmp_path / 'broken.toml'
    broken.write_text('name = ')
    with pytest.raises(InputError, match='not valid TOML'):
        load_config(broken)
