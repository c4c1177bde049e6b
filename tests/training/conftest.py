"""A small data set and configuration that train in a second."""

from __future__ import annotations

import numpy as np
import pytest

from napari_adacs.training.config import config_from_dict
from napari_adacs.training.pairs import TrainingPair


def disc(shape, centre, radius):
    index = np.indices(shape)
    centre = np.reshape(centre, (-1, *([1] * len(shape))))
    distance = np.sqrt(((index - centre) ** 2).sum(0))
    return (1 / (1 + np.exp(distance - radius))).astype(np.float32)


def make_pairs(count: int = 6, shape=(16, 16)) -> list[TrainingPair]:
    """Return discs that shrink and shift."""
    rng = np.random.default_rng(0)
    middle = np.array(shape) / 2 - 0.5
    out = []
    for index in range(count):
        centre = middle + rng.uniform(-1, 1, len(shape))
        moving = disc(shape, centre, 5)
        fixed = disc(shape, centre + 0.5, 3.5)
        out.append(
            TrainingPair(
                moving,
                fixed,
                (moving > 0.5).astype(np.uint8),
                (fixed > 0.5).astype(np.uint8),
                f'pair {index}',
            )
        )
    return out


SMALL = {'encoder': [4, 8], 'decoder': [8, 8, 4]}


def make_config(**changes):
    """Return a configuration for `make_pairs`."""
    values = {
        'name': 'small',
        'shape': [16, 16],
        'batch_size': 2,
        'learning_rate': 1e-3,
        'final_learning_rate': 1e-3,
        'validate_every': 4,
        'save_every': 4,
        'network': {'options': SMALL},
        'scheme': {
            'name': 'adacs',
            'auxiliary_options': SMALL,
            'companions': ['variance'],
        },
        'stages': {'displacement': 3, 'auxiliary': 3, 'joint': 6},
        'augment': {
            'flip': [0, 1],
            'transpose': [0, 1],
            'swap': True,
            'gamma': 0.2,
            'frame_gamma': 0.1,
            'noise': 0.02,
            'blur': 1.0,
            'warp': 1.0,
            'nuisance': 0.5,
            'invert': 0.1,
        },
    }
    return config_from_dict(values | changes)


def phantom_config(**changes):
    """Return a plain configuration for phantoms of 32 x 32 pixels."""
    values = {
        'shape': [32, 32],
        'batch_size': 4,
        'learning_rate': 2e-3,
        'final_learning_rate': 2e-3,
        'network': {
            'name': 'voxelmorph',
            'options': {'encoder': [8, 8], 'decoder': [8, 8, 8]},
        },
        'scheme': {'name': 'vanilla'},
        'stages': {'displacement': 60, 'auxiliary': 0, 'joint': 0},
        'smoothness': {'weight': 0.001, 'on': 'velocity', 'reduction': 'mean'},
        'validate_every': 1000,
    }
    return config_from_dict(values | changes)


@pytest.fixture
def pairs():
    return make_pairs()
