"""The models that ship: small, described, and as good as they say."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

import napari_adacs as na
from napari_adacs.evaluation.overlap import dice
from napari_adacs.io.images import read_image
from napari_adacs.models.library import find_model, list_models
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.register import register_on_grids
from napari_adacs.training.pairs import MatFolder

BUNDLED = [e for e in list_models() if e.source == 'bundled']
# Least mean Dice of the myocardium on held-out pairs, by network: that of the
# better paper for TransMorph and DiffuseMorph.
LEAST = {
    'echo2d': {
        'pyramid': 0.86,
        'voxelmorph': 0.81,
        'transmorph': 0.804,
        'diffusemorph': 0.7765,
    },
    'cine2d': {
        'pyramid': 0.83,
        'voxelmorph': 0.8073,
        'transmorph': 0.781,
        'diffusemorph': 0.721,
    },
}
SCHEMES = ('adacs', 'heteroscedastic')
ECHO, CINE = (
    [f'{network}-{s}-{domain}' for network in LEAST[domain] for s in SCHEMES]
    for domain in ('echo2d', 'cine2d')
)
# Least Dice of myocardium and cavity on the one real 3D volume.
LEAST_3D = {
    'pyramid': (0.82, 0.88),
    'voxelmorph': (0.80, 0.86),
    'transmorph': (0.77, 0.80),
    'diffusemorph': (0.78, 0.85),
}
ECHO_3D = [f'{n}-{s}-echo3d' for n in LEAST_3D for s in SCHEMES]


def warped_dice(result, moving_labels, fixed_labels, label):
    mask = (moving_labels == label).astype(np.float32)
    warped = result.field.warp_image(mask) >= 0.5
    return dice(warped, fixed_labels == label)


def test_the_promised_models_are_there():
    assert {e.name for e in BUNDLED} >= {*ECHO, *ECHO_3D, *CINE}
    assert sum(e.path.stat().st_size for e in BUNDLED) < 25e6


@pytest.mark.parametrize('entry', BUNDLED, ids=lambda e: e.name)
def test_every_model_has_a_card(entry):
    header = entry.header
    assert header.licence
    assert header.domain
    if entry.from_zero:
        assert entry.path.stat().st_size < 1000
        return
    assert header.training['stages']
    found = [m.get('folded %') for m in header.metrics.values()]
    measured = [m for m in found if isinstance(m, float)]
    assert measured
    assert max(measured) < 0.1
    assert set(header.auxiliaries) == {'scoring', 'variance'}


@pytest.mark.parametrize(
    ('ndim', 'kind'),
    [(2, 'echo'), (2, 'cine'), (2, 'general'), (3, 'echo'), (3, 'general')],
)
def test_there_is_a_model_for_each_kind(ndim, kind):
    chosen = find_model('auto', ndim, kind)
    assert chosen.is_for(kind)
    best = 'voxelmorph' if (ndim, kind) == (3, 'echo') else 'pyramid'
    assert chosen.name.startswith(f'{best}-adacs')


@pytest.mark.parametrize('name', ECHO_3D)
def test_real_3d_echo_never_trained_on(name, shared_data):
    folder = shared_data / 'mitea-034'
    images = [
        nib.load(folder / f'{n}.nii.gz')
        for n in ('ED', 'ES', 'ED_label', 'ES_label')
    ]
    result = na.register(images[0], images[1], name)
    labels = [np.asarray(i.dataobj) for i in images[2:]]
    for label, smallest in enumerate(LEAST_3D[name.split('-')[0]], 1):
        assert warped_dice(result, *labels, label) > smallest
    assert (result.field.jacobian_determinant() <= 0).mean() < 1e-3
    residual = result.field.compose(result.field.inverse()).voxels
    heart = np.linalg.norm(residual, axis=0)[labels[1] > 0]
    assert np.median(heart) < 0.02
    assert np.percentile(heart, 95) < 0.1


def test_refined_3d_echo(shared_data):
    """With the prior that its header asks for."""
    folder = shared_data / 'mitea-034'
    moving, fixed, *labels = (
        read_image(folder / f'{n}.nii.gz')
        for n in ('ED', 'ES', 'ED_label', 'ES_label')
    )
    result = register_on_grids(
        ImageOnGrid(moving.data, moving.grid, 'moving'),
        ImageOnGrid(fixed.data, fixed.grid, 'fixed'),
        RunConfig('pyramid-adacs-echo3d', refine_steps=20),
    )
    assert result.config.refine_prior > 0
    labels = [part.data for part in labels]
    for label, smallest in enumerate((0.84, 0.87), 1):
        assert warped_dice(result, *labels, label) >= smallest


def test_two_brains_with_a_model_that_has_seen_none(shared_data):
    folder = shared_data / 'oasis'
    images = [
        nib.load(folder / name / 'aligned_norm.nii.gz')
        for name in ('0455', '0456')
    ]
    labels = [
        np.asarray(nib.load(folder / name / 'aligned_seg35.nii.gz').dataobj)
        for name in ('0455', '0456')
    ]
    result = na.register(*images, 'pyramid-adacs-general3d')
    warped = result.field.warp_labels(labels[0])
    scores = [dice(warped == i, labels[1] == i) for i in range(1, 36)]
    assert np.mean(scores) > 0.70
    assert (result.field.jacobian_determinant() <= 0).mean() < 1e-3


def least(name):
    network, _, domain = name.split('-')
    return LEAST[domain][network]


@pytest.mark.parametrize('name', ECHO)
def test_held_out_2d_echo(name, shared_data):
    pairs = MatFolder(shared_data / 'camus-128' / 'val')
    model, scores = na.load_model(name), []
    for index in range(0, len(pairs), 2):
        pair = pairs[index]
        result = na.register(pair.moving, pair.fixed, model)
        scores.append(
            warped_dice(result, pair.moving_labels, pair.fixed_labels, 2)
        )
    assert np.mean(scores) > least(name)


@pytest.mark.parametrize('name', ECHO)
def test_2d_echo_in_either_axis_order(name, shared_data):
    pair = MatFolder(shared_data / 'camus-128' / 'val')[0]
    straight = na.register(pair.moving, pair.fixed, name)
    turned = na.register(pair.moving.T, pair.fixed.T, name)
    np.testing.assert_allclose(turned.warped.T, straight.warped, atol=1e-3)


@pytest.mark.parametrize('name', CINE)
def test_held_out_cine(name, shared_data):
    pairs = MatFolder(shared_data / 'acdc-128' / 'val')
    model, scores = na.load_model(name), []
    for index in range(0, len(pairs), 2):
        pair = pairs[index]
        labels = pair.moving_labels, pair.fixed_labels
        if not all((part == 2).any() for part in labels):
            continue  # above the base or below the apex in one frame
        result = na.register(pair.moving, pair.fixed, model)
        scores.append(warped_dice(result, *labels, 2))
    assert len(scores) > 60
    assert np.mean(scores) > least(name)


def test_a_stack_of_cine_slices(shared_data):
    """A whole heart from the file: chosen by itself, slice by slice."""
    folder = shared_data / 'acdc-nifti'
    images = [
        nib.load(folder / f'{n}.nii.gz')
        for n in ('moving', 'fixed', 'moving_gt', 'fixed_gt')
    ]
    result = na.register(images[0], images[1])
    assert result.model_name == 'pyramid-adacs-cine2d'
    labels = [np.asarray(i.dataobj) for i in images[2:]]
    assert warped_dice(result, *labels, 2) > 0.78
