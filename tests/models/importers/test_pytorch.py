"""PyTorch checkpoints of every layout: recognised, and weight for weight."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_adacs.errors import ModelError
from napari_adacs.models.bundle import load_bundle, save_bundle
from napari_adacs.models.header import Preprocessing
from napari_adacs.models.importers.convert import (
    Told,
    checkpoint_header,
    import_checkpoint,
)
from napari_adacs.models.importers.registry import inspect_checkpoint
from napari_adacs.models.importers.transmorph import first_row
from napari_adacs.models.library import find_model, load_model
from napari_adacs.networks.auxiliary import ScoringEstimator, VarianceEstimator
from napari_adacs.networks.diffusemorph import DiffuseMorph
from napari_adacs.networks.transmorph import TransMorph
from napari_adacs.networks.voxelmorph import VoxelMorph
from napari_adacs.networks.voxelmorph2018 import VoxelMorph2018
from napari_adacs.networks.vxm_pairwise import VxmPairwise
from napari_adacs.networks.windows import relative_position_index
from tests.models.importers.files import (
    assert_same_weights,
    fake_config_dict,
    filled,
)

SMALL = {'encoder': [4, 8], 'decoder': [8, 8, 6, 4]}
VXM_CONFIG = {
    'inshape': (64, 64),
    'nb_unet_features': [[4, 8], [8, 8, 6, 4]],
    'int_steps': 5,
    'int_downsize': 2,
    'bidir': True,
    'use_probs': False,
}


def saved(path: Path, content: Any, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


def test_voxelmorph_with_its_config(tmp_path):
    theirs = filled(VoxelMorph(2, **SMALL))
    state = theirs.state_dict() | {'transformer.grid': torch.zeros(1, 2, 4, 4)}
    path = saved(tmp_path / 'x', {'config': VXM_CONFIG, 'model_state': state})
    found = inspect_checkpoint(path)
    assert found.title == 'VoxelMorph 0.2'
    assert found.trained_shape == (64, 64)
    assert '2D' in found.sentences()[0]
    model = import_checkpoint(path)
    assert model.header.network_options['int_steps'] == 5
    assert model.header.preprocessing == Preprocessing('fit', (64, 64), 'file')
    assert model.displacement.int_steps == 5
    assert_same_weights(model.displacement, theirs)


@pytest.mark.parametrize('ndim', [2, 3])
def test_a_bare_state_says_what_was_taken_as_usual(tmp_path, ndim):
    theirs = filled(VoxelMorph(ndim, **SMALL))
    path = saved(tmp_path / 'x', theirs.state_dict())
    found = inspect_checkpoint(path)
    assert found.ndim == ndim
    assert any('taken as usual' in line for line in found.sentences())
    told = Told(options={'int_steps': 0})
    model = import_checkpoint(path, told=told)
    assert model.displacement.int_steps == 0
    assert_same_weights(model.displacement, theirs)


@pytest.mark.parametrize(
    'options',
    [
        {'nb_conv_per_level': 2, 'encoder': [4, 5, 6, 7]},
        {'unet_half_res': True, 'encoder': [4, 8], 'decoder': [8, 6]},
        {'unet_half_res': True, 'encoder': [4, 8], 'decoder': [8, 6, 5, 3]},
    ],
)
def test_other_topologies_are_read_off_the_weights(tmp_path, options):
    theirs = filled(VoxelMorph(2, **options))
    path = saved(tmp_path / 'x', theirs.state_dict())
    ours = import_checkpoint(path).displacement
    assert_same_weights(ours, theirs)
    pair = torch.rand(2, 1, 1, 16, 24).unbind()
    with torch.no_grad():
        expected = theirs(*pair).displacement
        torch.testing.assert_close(ours(*pair).displacement, expected)


def test_data_parallel_and_compiled_prefixes_are_taken_off(tmp_path):
    theirs = filled(VoxelMorph(2, **SMALL))
    state = {
        f'module._orig_mod.{k}': v for k, v in theirs.state_dict().items()
    }
    path = saved(tmp_path / 'x', {'epoch': 3, 'state_dict': state})
    model = import_checkpoint(path)
    assert_same_weights(model.displacement, theirs)


@pytest.mark.parametrize('dtype', ['float16', 'bfloat16', 'float64'])
def test_other_precisions_become_float32(tmp_path, dtype):
    theirs = filled(VoxelMorph(2, **SMALL)).to(getattr(torch, dtype))
    path = saved(tmp_path / 'x', theirs.state_dict())
    model = import_checkpoint(path)
    assert_same_weights(model.displacement, theirs.float())


def test_the_format_of_before_1_6(tmp_path):
    theirs = filled(VoxelMorph(3, **SMALL))
    path = saved(
        tmp_path / 'x',
        {'config': VXM_CONFIG, 'model_state': theirs.state_dict()},
        _use_new_zipfile_serialization=False,
    )
    found = inspect_checkpoint(path)
    assert 'before 1.6' in found.sentences()[0]
    assert_same_weights(import_checkpoint(path).displacement, theirs)


def test_weights_that_share_a_storage_or_are_turned(tmp_path):
    theirs = filled(VoxelMorph(2, **SMALL))
    state = theirs.state_dict()
    block = torch.zeros(1000)
    size = state['flow.bias'].numel()
    block[10 : 10 + size] = state['flow.bias']
    state['flow.bias'] = block[10 : 10 + size]
    for name, value in state.items():
        if value.ndim == 4:
            state[name] = value.to(memory_format=torch.channels_last)
    path = saved(tmp_path / 'x', state)
    assert_same_weights(import_checkpoint(path).displacement, theirs)


def test_scoring_and_variance_come_with_their_network(tmp_path):
    networks = {
        'motion': filled(VoxelMorph(2, **SMALL)),
        'scoring': filled(ScoringEstimator(2, **SMALL)),
        'variance': filled(VarianceEstimator(2, **SMALL)),
    }
    config = {k: v for k, v in VXM_CONFIG.items() if k != 'use_probs'}
    paths = [
        saved(
            tmp_path / f'{name}.pt',
            {'config': config, 'model_state': network.state_dict()},
        )
        for name, network in networks.items()
    ]
    model = import_checkpoint(*reversed(paths))
    assert model.header.name == 'motion'
    assert set(model.auxiliaries) == {'scoring', 'variance'}
    for ours, theirs in (
        (model.displacement, 'motion'),
        (model.auxiliaries['scoring'], 'scoring'),
        (model.auxiliaries['variance'], 'variance'),
    ):
        assert_same_weights(ours, networks[theirs])
    assert import_checkpoint(*paths[:2]).header.scheme == 'adacs'
    both = import_checkpoint(paths[0], paths[2])
    assert both.header.scheme == 'heteroscedastic'
    with pytest.raises(ModelError, match='estimates no displacement'):
        import_checkpoint(paths[1])
    with pytest.raises(ModelError, match='both scoring'):
        import_checkpoint(*paths, paths[1])


def test_entries_of_the_first_heteroscedastic_code_are_left_out(tmp_path):
    theirs = filled(VoxelMorph(2, **SMALL))
    state = theirs.state_dict() | {'log_var.0.weight': torch.zeros(2, 4, 3, 3)}
    path = saved(tmp_path / 'x', {'config': VXM_CONFIG, 'model_state': state})
    assert 'log_var.0.weight' in ' '.join(inspect_checkpoint(path).sentences())
    assert_same_weights(import_checkpoint(path).displacement, theirs)


def test_the_layout_of_2020(tmp_path):
    theirs = filled(
        VoxelMorph2018(
            2,
            [4, 8],
            [[8], [6]],
            [6, 4],
            padding='both',
            int_steps=7,
        )
    )
    state = OrderedDict()
    for name, value in theirs.state_dict().items():
        name = name.replace('.0.main', '.main') if 'decoder' in name else name
        for ours, old in (
            ('encoder', 'unet_model.downarm'),
            ('decoder', 'unet_model.uparm'),
            ('tail', 'unet_model.extras'),
        ):
            name = name.replace(ours, old)
        state[name] = value
    path = saved(tmp_path / 'x', {'config': VXM_CONFIG, 'model_state': state})
    model = import_checkpoint(path)
    assert model.displacement.int_steps == 5
    assert model.displacement.encoder[0].after == []
    assert_same_weights(model.displacement, theirs)


@pytest.mark.parametrize('ndim', [2, 3])
def test_voxelmorph_0_3(tmp_path, ndim):
    theirs = filled(VxmPairwise(ndim, [4, 6], [8, 5]))
    path = saved(tmp_path / 'x', theirs.state_dict())
    model = import_checkpoint(path)
    assert model.displacement.int_steps == 5
    assert_same_weights(model.displacement, theirs)


TINY = {'dim': 6, 'depths': (2, 2, 4, 2), 'heads': (2, 2, 3, 6)}


def test_transmorph_as_its_trainer_writes_it(tmp_path):
    theirs = filled(TransMorph(3, window=(2, 4, 3), **TINY))
    state = theirs.state_dict()
    state['spatial_trans.grid'] = torch.zeros(1, 3, 160, 192, 224)
    optimizer = torch.optim.Adam(theirs.parameters(), amsgrad=True)
    for parameter in theirs.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    path = saved(
        tmp_path / 'dsc0.753.pth.tar',
        {
            'epoch': 500,
            'state_dict': state,
            'best_dsc': np.float64(0.753),
            'optimizer': optimizer.state_dict(),
        },
    )
    found = inspect_checkpoint(path)
    assert found.trained_shape == (160, 192, 224)
    # the axes of a window can be told apart by the index alone
    assert found.options['window'] == (2, 4, 3)
    assert_same_weights(import_checkpoint(path).displacement, theirs)


def test_transmorph_with_the_config_of_adacs(tmp_path):
    theirs = filled(TransMorph(2, window=(8, 8), **TINY, trans_skip=False))
    with fake_config_dict() as config_dict:
        config = config_dict(
            {
                'img_size': (128, 128),
                'window_size': (8, 8),
                'rpe': True,
                'spe': False,
                'nested': config_dict({'a': 1}),
            }
        )
        path = saved(
            tmp_path / 'tsm_ACDC_motion.pt',
            {
                'config': {'config': config, 'bidir': True},
                'model_state': theirs.state_dict(),
            },
        )
    found = inspect_checkpoint(path)
    assert found.trained_shape == (128, 128)
    model = import_checkpoint(path)
    assert model.displacement.config.trans_skip is False
    assert_same_weights(model.displacement, theirs)


@pytest.mark.parametrize('window', [(8, 8), (3, 5), (5, 6, 7), (2, 1, 4)])
def test_the_first_row_of_offsets(window):
    ours = relative_position_index(window)[0].flatten()
    assert np.array_equal(first_row(window), ours.numpy())


@pytest.mark.parametrize(
    ('change', 'sentence'),
    [
        (lambda s: [s.pop(k) for k in list(s) if 'up4' in k], 'OASIS'),
        (
            lambda s: s.update(
                {'transformer.absolute_pos_embed': torch.zeros(1, 6, 5, 5)}
            ),
            'TransMorph-Lrn',
        ),
        (
            lambda s: s.update(
                {'transformer.layers.0.blocks.0.attn.qkv.bias': torch.ones(18)}
            ),
            'biases',
        ),
    ],
)
def test_relatives_of_transmorph_are_told_apart(tmp_path, change, sentence):
    state = TransMorph(2, window=(2, 2), **TINY).state_dict()
    change(state)
    with pytest.raises(ModelError, match=sentence):
        inspect_checkpoint(saved(tmp_path / 'x', state))


@pytest.mark.parametrize('from_adacs', [False, True])
def test_diffusemorph(tmp_path, from_adacs):
    options = {
        'features': 32,
        'multipliers': (1, 2),
        'attention_sizes': (64,),
        'encoder': (4, 6, 6, 6, 6),
        'decoder': (6, 6, 5, 4, 4),
        'steps': 50,
    }
    theirs = filled(DiffuseMorph(2, **options))
    state = theirs.state_dict()
    if from_adacs:
        grid = torch.zeros(1, 2, 128, 128)
        state['field_fn.spatialtransform.grid'] = grid
    path = saved(tmp_path / 'I28000_E300_gen_G.pth', state)
    found = inspect_checkpoint(path)
    assert found.trained_shape == ((128, 128) if from_adacs else ())
    model = import_checkpoint(path)
    ours = model.displacement
    assert (ours.low, ours.high) == ((0, 1) if from_adacs else (-1, 1))
    assert_same_weights(ours, theirs)
    assert torch.equal(ours.get_buffer('betas'), theirs.get_buffer('betas'))
    assert model.header.name == 'i28000-e300-gen-g'


def test_what_is_missing_and_what_is_unknown_is_named(tmp_path):
    state = VoxelMorph(2, **SMALL).state_dict()
    del state['unet_model.remaining.1.main.bias']
    state['unet_model.gate.weight'] = torch.zeros(3)
    path = saved(tmp_path / 'x', state)
    with pytest.raises(ModelError) as refused:
        import_checkpoint(path)
    said = str(refused.value)
    assert "'unet_model.remaining.1.main.bias' is missing from it" in said
    assert "'unet_model.gate.weight' is unknown to that network" in said


def test_a_wrong_shape_is_named(tmp_path):
    state = VoxelMorph(2, **SMALL).state_dict()
    state['flow.weight'] = torch.zeros(2, 5, 3, 3)
    with pytest.raises(ModelError, match=r"'flow.weight' is 2 x 5 x 3 x 3"):
        import_checkpoint(saved(tmp_path / 'x', state))


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_weights_that_are_not_finite_are_refused(tmp_path, value):
    state = VoxelMorph(2, **SMALL).state_dict()
    state['flow.bias'][1] = value
    with pytest.raises(ModelError, match="NaN or infinite weights in 'flow"):
        import_checkpoint(saved(tmp_path / 'x', state))


@pytest.mark.parametrize(
    ('state', 'sentence'),
    [
        ({'layer1.weight': torch.zeros(3, 3)}, 'not of a VoxelMorph'),
        ({'epoch': 3, 'name': 'x'}, 'holds no weights'),
        (
            {
                'model_lvl1.input_encoder_lvl1.0.weight': torch.zeros(2),
                'resblock_group_lvl1.0.conv1.weight': torch.zeros(2),
            },
            'the weights of LapIRN, not of',
        ),
    ],
)
def test_other_files_are_refused_by_what_they_are(tmp_path, state, sentence):
    with pytest.raises(ModelError, match=sentence):
        inspect_checkpoint(saved(tmp_path / 'x', state))


def test_a_network_for_colour_images_is_refused(tmp_path):
    state = VoxelMorph(2, **SMALL).state_dict()
    name = 'unet_model.encoder.0.0.main.weight'
    state[name] = torch.zeros(4, 6, 3, 3)
    with pytest.raises(ModelError, match='takes 6 channels'):
        inspect_checkpoint(saved(tmp_path / 'x', state))


def test_the_library_takes_a_checkpoint_where_it_takes_a_bundle(tmp_path):
    theirs = filled(VoxelMorph(2, **SMALL))
    path = saved(
        tmp_path / 'motion.pt',
        {'config': VXM_CONFIG, 'model_state': theirs.state_dict()},
    )
    entry = find_model(str(path))
    assert entry.source == 'checkpoint'
    assert entry.header.ndim == 2
    assert entry.header == checkpoint_header(path)
    model = load_model(path)
    assert_same_weights(model.displacement, theirs)
    bundle = tmp_path / 'motion.safetensors'
    save_bundle(bundle, model)
    assert_same_weights(load_bundle(bundle).displacement, theirs)
