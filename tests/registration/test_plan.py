"""What is said before a registration starts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from napari_adacs.errors import ModelError
from napari_adacs.models.bundle import load_bundle, read_header, save_bundle
from napari_adacs.models.header import ModelHeader, Preprocessing
from napari_adacs.models.model import build_model
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.plan import completed, plan_registration
from napari_adacs.spatial.grid import Grid

NETWORKS = {
    'transmorph': ({'variant': 'tiny'}, 32),
    'voxelmorph2018': ({'encoder': [4, 4], 'decoder': [[4], [4]]}, 4),
    'vxm-pairwise': ({'encoder': [4] * 3, 'decoder': [4] * 3}, 8),
    'voxelmorph': ({'encoder': [4] * 2, 'decoder': [4] * 4, 'max_pool': 3}, 9),
    'identity': ({}, 1),
}


def header(network: str) -> ModelHeader:
    return ModelHeader(
        name='m',
        ndim=2,
        network=network,
        network_options=NETWORKS[network][0],
        scheme='vanilla',
        preprocessing=Preprocessing('pad'),
    )


@pytest.mark.parametrize('network', NETWORKS)
def test_sizes_are_those_of_the_network(tmp_path: Path, network: str) -> None:
    """The header of a bundle says them, without torch and weights."""
    save_bundle(tmp_path / 'm.safetensors', build_model(header(network)))
    said = read_header(tmp_path / 'm.safetensors')
    model = load_bundle(tmp_path / 'm.safetensors')
    grid = Grid.from_spacing((33, 70))
    multiple = model.size_multiple
    shape = plan_registration(grid, grid, said).network_shape
    assert shape == tuple(n + -n % multiple for n in grid.shape)
    exact = plan_registration(grid, grid, said, model.size_multiple)
    assert exact.network_shape == shape
    assert multiple % NETWORKS[network][1] == 0


def test_a_model_with_estimators_fits_all_of_them() -> None:
    three = {'encoder': [4] * 2, 'decoder': [4] * 4, 'max_pool': 3}
    both = dataclasses.replace(
        header('vxm-pairwise'), scheme='adacs', auxiliaries={'scoring': three}
    )
    assert build_model(both).size_multiple == 72


def test_a_bundle_of_before_is_taken_for_voxelmorph() -> None:
    grid = Grid.from_spacing((33, 70))
    plan = plan_registration(grid, grid, header('voxelmorph'))
    assert plan.network_shape == (48, 80)


@pytest.mark.parametrize('multiple', [-1, '16', 2.5, None, True])
def test_a_header_with_a_senseless_size_is_refused(multiple: object) -> None:
    text = header('identity').to_json()
    said = '"size_multiple": 0'
    assert said in text
    values = {-1: '-1', '16': '"16"', 2.5: '2.5', None: 'null', True: 'true'}
    with pytest.raises(ModelError, match='multiple of'):
        ModelHeader.from_json(
            text.replace(said, f'"size_multiple": {values[multiple]}')  # type: ignore[index]
        )


@pytest.mark.parametrize('weight', [0.0, 0.02])
def test_refining_a_guided_model_is_said(weight: float) -> None:
    guided = dataclasses.replace(
        header('voxelmorph'), training={'dice_weight': weight}
    )
    grid = Grid.from_spacing((32, 32))
    config = RunConfig('m', refine_steps=5)
    sentences = plan_registration(grid, grid, guided, None, config).sentences
    said = [s for s in sentences if 'learnt from labels' in s]
    assert len(said) == (weight > 0)
    alone = plan_registration(grid, grid, guided).sentences
    assert not any('learnt from labels' in s for s in alone)


def test_a_model_says_how_much_refining_holds_on_to_it() -> None:
    sure = dataclasses.replace(
        header('voxelmorph'), refine_prior=3.0, training={'dice_weight': 0.1}
    )
    refining, grid = (
        RunConfig('m', refine_steps=5),
        Grid.from_spacing((32, 32)),
    )
    assert completed(refining, sure).refine_prior == 3.0
    free = dataclasses.replace(refining, refine_prior=0.0)
    assert completed(free, sure).refine_prior == 0.0
    for config in (
        RunConfig('m'),
        dataclasses.replace(refining, refine='network'),
    ):
        assert completed(config, sure) == config
    (said,) = (
        s
        for s in plan_registration(grid, grid, sure, None, refining).sentences
        if 'prior 3' in s
    )
    assert 'learnt from labels' not in said
    network = dataclasses.replace(refining, refine='network', refine_prior=1.0)
    for config in (free, network):
        said = plan_registration(grid, grid, sure, None, config).sentences
        assert any('learnt from labels' in s for s in said)


@pytest.mark.parametrize('prior', ['-1', '"3"', 'null', 'NaN', 'Infinity'])
def test_a_header_with_a_senseless_prior_is_refused(prior: str) -> None:
    text = header('identity').to_json()
    said = '"refine_prior": 0.0'
    assert said in text
    with pytest.raises(ModelError, match='refine_prior'):
        ModelHeader.from_json(text.replace(said, f'"refine_prior": {prior}'))
