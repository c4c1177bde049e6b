"""The packaged samples are what their recipe makes, small and placed."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import nibabel
import numpy as np
import pytest

import napari_adacs

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / 'recipes' / 'make_sample_data.py'
FOLDER = Path(napari_adacs.__file__).parent / 'sample_data'
ROLES = ('ED', 'ES', 'ED_labels', 'ES_labels')


@cache
def _recipe():
    spec = importlib.util.spec_from_file_location('make_sample_data', RECIPE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _pairs():
    return _recipe().sample_pairs()


@pytest.mark.parametrize('name', ['echo3d', 'echo2d'])
def test_the_recipe_makes_the_packaged_arrays(name):
    made = _recipe().sample_arrays(_pairs()[name])

    assert set(made) == set(ROLES)
    for role, values in made.items():
        stored = nibabel.load(FOLDER / f'{name}_{role}.nii.gz')
        packaged = np.asarray(stored.dataobj).T
        assert packaged.dtype == np.uint8
        assert packaged.shape == values.shape
        # The same bits on the same processor; elsewhere numpy's vectorised
        # exp and log may round the last bit of a float the other way.
        differs = packaged != values
        assert differs.mean() < 1e-4
        if not role.endswith('labels'):
            step = packaged.astype(int) - values
            assert np.abs(step).max() <= 1


@pytest.mark.parametrize('name', ['echo3d', 'echo2d'])
def test_files_lie_in_the_world_as_the_phantom_does(name):
    grid = _pairs()[name].grid
    header = nibabel.load(FOLDER / f'{name}_ED.nii.gz').header
    affine = grid.transposed().ras_affine

    stored = nibabel.load(FOLDER / f'{name}_ES_labels.nii.gz').affine
    keep = [*range(grid.ndim), 3]
    np.testing.assert_allclose(stored[np.ix_(keep, keep)], affine, atol=1e-4)
    assert header.get_xyzt_units()[0] == 'mm'


@pytest.mark.parametrize('name', ['echo3d', 'echo2d'])
def test_a_pair_is_small(name):
    sizes = [
        (FOLDER / f'{name}_{role}.nii.gz').stat().st_size for role in ROLES
    ]

    assert sum(sizes) < 1_500_000


def test_the_3d_sample_has_a_shadow_in_the_fixed_frame_only():
    pair = _pairs()['echo3d']

    assert not pair.moving_nuisance.any()
    assert 0.02 < pair.fixed_nuisance.sum() / pair.sector.sum() < 0.2


def test_the_top_level_folder_is_the_packaged_one():
    assert (ROOT / 'sample_data').resolve() == FOLDER.resolve()
