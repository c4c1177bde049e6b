"""Keras checkpoints: the networks of 2018 and the TensorFlow VoxelMorph."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from napari_adacs.errors import ModelError
from napari_adacs.models.importers.convert import import_checkpoint
from napari_adacs.models.importers.registry import inspect_checkpoint
from napari_adacs.networks.convolution import convolution
from napari_adacs.networks.voxelmorph import VoxelMorph
from napari_adacs.networks.voxelmorph2018 import VoxelMorph2018
from tests.models.importers.files import (
    assert_same_weights,
    filled,
    write_keras,
)

SMALL = {'encoder': [4, 8], 'decoder': [8, 7, 6, 4]}


def convs_of(network, ndim=3):
    kind = convolution(ndim)
    return [m for m in network.modules() if isinstance(m, kind)]


def write_2018(path: Path, network, config=None, extra=None) -> Path:
    """Name the convolutions as Keras does, in the order they were made."""
    *convs, flow = convs_of(network)
    layers = {f'conv3d_{67 + i}': conv for i, conv in enumerate(convs)}
    write_keras(path, {**layers, 'flow': flow, **(extra or {})}, config)
    return path


@pytest.mark.parametrize(
    ('decoder', 'tail', 'title'),
    [
        ([[8], [6, 5]], [7], 'VM-1'),
        ([[8], [6, 5]], [7, 4], 'VM-2'),
    ],
)
def test_the_networks_of_cvpr_2018(tmp_path, decoder, tail, title):
    theirs = filled(VoxelMorph2018(3, [4, 6], decoder, tail))
    path = write_2018(tmp_path / 'x', theirs)
    found = inspect_checkpoint(path)
    assert title in found.title
    model = import_checkpoint(path)
    assert model.displacement.int_steps == 0
    assert model.displacement.encoder[0].after
    assert_same_weights(model.displacement, theirs)


def test_the_number_of_a_layer_counts_not_its_spelling(tmp_path):
    """In a listing by name 'conv3d_10' comes before 'conv3d_9'."""
    theirs = filled(VoxelMorph2018(3, [4, 6], [[8], [6, 5]], [7, 4]))
    *convs, flow = convs_of(theirs)
    named = {f'conv3d_{5 + i}': conv for i, conv in enumerate(convs)}
    path = tmp_path / 'x'
    write_keras(path, dict(sorted({**named, 'flow': flow}.items())))
    assert_same_weights(import_checkpoint(path).displacement, theirs)


def test_the_network_of_miccai_2018(tmp_path):
    theirs = filled(
        VoxelMorph2018(
            3, [4, 6], [[8], [6, 5]], [], int_steps=7, half_res=True
        )
    )
    sigma = torch.nn.Conv3d(5, 3, 3)
    path = write_2018(tmp_path / 'x', theirs, extra={'log_sigma': sigma})
    found = inspect_checkpoint(path)
    assert 'MICCAI' in found.title
    assert 'mean velocity' in ' '.join(found.sentences())
    ours = import_checkpoint(path).displacement
    assert (ours.half_res, ours.int_steps) == (True, 7)
    pair = torch.rand(2, 1, 1, 8, 8, 8).unbind()
    with torch.no_grad():
        expected = theirs(*pair).raw[:, [1, 0, 2]] * 128
        torch.testing.assert_close(ours(*pair).raw, expected)


def test_another_chain_of_convolutions_is_refused(tmp_path):
    theirs = filled(VoxelMorph2018(3, [4, 6], [[8], [6, 5]], [7, 4]))
    theirs.decoder[1][0].main = torch.nn.Conv3d(9, 6, 3)
    path = write_2018(tmp_path / 'x', theirs)
    with pytest.raises(ModelError, match='not connected as in VoxelMorph'):
        inspect_checkpoint(path)


def test_other_strides_are_refused(tmp_path):
    theirs = filled(VoxelMorph2018(3, [4, 6], [[8], [6, 5]], [7, 4]))
    layer = {'name': 'conv3d_67', 'strides': [1, 1, 1]}
    config = {'config': {'layers': [{'config': layer}]}}
    path = write_2018(tmp_path / 'x', theirs, config)
    with pytest.raises(ModelError, match="the stride of 'conv3d_67'"):
        inspect_checkpoint(path)


def dense_layers(network, prefix):
    unet = network.unet_model
    levels = len(unet.encoder)
    layers = {
        f'{prefix}unet_enc_conv_{i}_{j}': block.main
        for i, level in enumerate(unet.encoder)
        for j, block in enumerate(level)
    }
    for i, level in enumerate(unet.decoder):
        for j, block in enumerate(level):
            name = f'{prefix}unet_dec_conv_{levels - 1 - i}_{j}'
            layers[name] = block.main
    for i, block in enumerate(unet.remaining):
        layers[f'{prefix}unet_dec_final_conv_{i}'] = block.main
    return {**layers, f'{prefix}flow': network.flow}


@pytest.mark.parametrize('prefix', ['', 'vxm_dense_'])
@pytest.mark.parametrize('ndim', [2, 3])
def test_the_tensorflow_voxelmorph(tmp_path, prefix, ndim):
    theirs = filled(VoxelMorph(ndim, **SMALL, int_steps=5))
    shape = [64] * ndim
    config = {'inshape': shape, 'int_steps': 5, 'int_downsize': 2}
    path = tmp_path / 'x'
    write_keras(
        path,
        dense_layers(theirs, prefix),
        {'class_name': 'VxmDense', 'config': config},
    )
    found = inspect_checkpoint(path)
    assert found.trained_shape == tuple(shape)
    assert found.ndim == ndim
    model = import_checkpoint(path)
    assert model.displacement.int_steps == 5
    assert_same_weights(model.displacement, theirs)


@pytest.mark.parametrize(
    'options',
    [
        {'nb_conv_per_level': 2, 'encoder': [4, 5, 6, 7]},
        {'unet_half_res': True, 'encoder': [4, 8], 'decoder': [8, 6, 5]},
    ],
)
def test_other_topologies_are_read_off_the_layers(tmp_path, options):
    theirs = filled(VoxelMorph(2, **options))
    path = tmp_path / 'x'
    write_keras(path, dense_layers(theirs, 'vxm_dense_'))
    ours = import_checkpoint(path).displacement
    assert_same_weights(ours, theirs)
    pair = torch.rand(2, 1, 1, 16, 24).unbind()
    with torch.no_grad():
        expected = theirs(*pair).displacement
        torch.testing.assert_close(ours(*pair).displacement, expected)


def test_weights_without_the_model(tmp_path):
    theirs = filled(VoxelMorph(2, **SMALL))
    path = tmp_path / 'x'
    write_keras(path, dense_layers(theirs, ''), weights_only=True)
    assert 'taken as usual' in ' '.join(inspect_checkpoint(path).sentences())
    assert_same_weights(import_checkpoint(path).displacement, theirs)


def test_layers_of_another_network_are_named(tmp_path):
    layers = dense_layers(filled(VoxelMorph(2, **SMALL)), '')
    layers['hyp_dense_0'] = torch.nn.Conv2d(1, 1, 1)
    write_keras(tmp_path / 'x', layers)
    with pytest.raises(ModelError, match='layers called hyp_dense_0'):
        inspect_checkpoint(tmp_path / 'x')


@pytest.fixture
def path(tmp_path):
    """A good file, to be tampered with."""
    network = filled(VoxelMorph(2, **SMALL))
    write_keras(tmp_path / 'x', dense_layers(network, ''))
    return tmp_path / 'x'


def test_links_out_of_the_file_are_not_followed(path, tmp_path):
    other = tmp_path / 'other.h5'
    shutil.copy(path, other)
    with h5py.File(path, 'r+') as file:
        del file['model_weights']['flow']
        file['model_weights']['flow'] = h5py.ExternalLink(
            str(other), '/model_weights/flow'
        )
    with pytest.raises(ModelError, match='leads to another file'):
        inspect_checkpoint(path)


def test_values_outside_the_file_are_not_read(path, tmp_path):
    secret = tmp_path / 'secret'
    secret.write_bytes(bytes(16))
    with h5py.File(path, 'r+') as file:
        group = file['model_weights/flow/flow']
        del group['bias:0']
        group.create_dataset(
            'bias:0', (2,), 'f4', external=[(str(secret), 0, 8)]
        )
    with pytest.raises(ModelError, match='leads to another file'):
        inspect_checkpoint(path)


def test_a_dataset_that_is_only_declared_is_refused(path):
    with h5py.File(path, 'r+') as file:
        group = file['model_weights/flow/flow']
        del group['kernel:0']
        group.create_dataset(
            'kernel:0', (30_000, 30_000, 4, 2), 'f4', chunks=(10, 10, 4, 2)
        )
    with pytest.raises(ModelError, match='next to nothing of it'):
        inspect_checkpoint(path)


def test_a_compressed_bomb_is_refused(path):
    with h5py.File(path, 'r+') as file:
        group = file['model_weights/flow/flow']
        del group['kernel:0']
        group.create_dataset(
            'kernel:0',
            data=np.zeros((1000, 1000, 4, 2), 'f4'),
            compression='gzip',
        )
    with pytest.raises(ModelError, match='next to nothing of it'):
        inspect_checkpoint(path)


def test_other_hdf5_and_damaged_files_are_refused(path, tmp_path):
    table = tmp_path / 'table'
    with h5py.File(table, 'w') as file:
        file['table'] = np.zeros(3)
    with pytest.raises(ModelError, match='not one of Keras weights'):
        inspect_checkpoint(table)
    whole = path.read_bytes()
    for size in (600, len(whole) // 2, len(whole) - 200):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelError, match='damaged'):
            import_checkpoint(path)
