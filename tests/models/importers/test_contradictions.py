"""States with pieces missing, reshaped or invented: a sentence, always."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from napari_adacs.errors import ModelError
from napari_adacs.models.importers.convert import import_checkpoint
from napari_adacs.models.importers.registry import inspect_checkpoint
from napari_adacs.networks.diffusemorph import DiffuseMorph
from napari_adacs.networks.transmorph import TransMorph
from napari_adacs.networks.voxelmorph import VoxelMorph
from napari_adacs.networks.vxm_pairwise import VxmPairwise

NETWORKS = {
    'voxelmorph': lambda: VoxelMorph(2, [4, 8], [8, 8, 4]),
    'pairwise': lambda: VxmPairwise(2, [4, 6], [8, 5]),
    'transmorph': lambda: TransMorph(
        2, dim=6, depths=(2, 2, 2, 2), heads=(2, 2, 3, 6), window=(2, 3)
    ),
    'diffusemorph': lambda: DiffuseMorph(
        2,
        features=32,
        multipliers=(1, 1),
        encoder=(4, 4, 4, 4, 4),
        decoder=(4, 4, 4, 4, 4),
        steps=10,
    ),
}
SHAPES: list[tuple[int, ...]] = [(), (1,), (0, 2, 3, 3), (4, 4), (1, 1, 1, 1)]


@pytest.mark.parametrize('name', NETWORKS)
def test_whatever_is_changed_it_is_a_model_or_a_sentence(tmp_path, name):
    state = dict(NETWORKS[name]().state_dict())
    random = np.random.default_rng(0)
    path = tmp_path / 'x'
    refused = 0
    for _ in range(20):
        broken = dict(state)
        for key in random.choice(list(state), 3):
            if random.random() < 0.5:
                broken.pop(key, None)
            else:
                shape = SHAPES[random.integers(len(SHAPES))]
                broken[key] = torch.zeros(shape)
        torch.save(broken, path)
        try:
            import_checkpoint(path)
        except ModelError as error:
            assert str(error).endswith('.')
            refused += 1
    assert refused > 15


@pytest.mark.parametrize(
    'config',
    [
        {'int_steps': 10**9, 'int_downsize': 2},
        {'int_steps': -3, 'int_downsize': 2},
        {'int_steps': 7, 'int_downsize': 0},
    ],
)
def test_an_integration_without_end_is_refused(tmp_path, config):
    state = NETWORKS['voxelmorph']().state_dict()
    path = tmp_path / 'x'
    torch.save({'config': config, 'model_state': state}, path)
    with pytest.raises(ModelError, match='squarings'):
        inspect_checkpoint(path)


@pytest.mark.parametrize(
    'config',
    [
        {'inshape': 'all', 'int_steps': '7', 'nb_unet_features': None},
        {'inshape': (0, -1)},
        {'inshape': (64,)},
        ['a', 'list'],
        'text',
        None,
    ],
)
def test_an_odd_config_is_passed_over(tmp_path, config: Any):
    state = NETWORKS['voxelmorph']().state_dict()
    path = tmp_path / 'x'
    torch.save({'config': config, 'model_state': state}, path)
    assert inspect_checkpoint(path).trained_shape == ()
    import_checkpoint(path)


def test_a_config_that_holds_itself_many_times_ends(tmp_path):
    """Unfolded it would have 500 to the sixth values."""
    config: dict[int, Any] = {}
    config.update(dict.fromkeys(range(500), config))
    state = NETWORKS['voxelmorph']().state_dict()
    path = tmp_path / 'x'
    torch.save({'config': config, 'model_state': state}, path)
    import_checkpoint(path)
