"""Classical methods on a phantom whose displacement is known."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from napari_adacs.benchmark.case import Case
from napari_adacs.benchmark.methods import make_method, method_names
from napari_adacs.benchmark.peers.base import Peer
from napari_adacs.benchmark.peers.registry import PEERS, installed_peers
from napari_adacs.errors import InputError, ModelError
from napari_adacs.evaluation.calibration import endpoint_error
from napari_adacs.models.library import find_model
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.spatial.grid import Grid

AFFINE = np.eye(4)
AFFINE[:3, :3] = np.array(
    [[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, -1]]
) @ np.diag([1.2, 0.9, 1.5])
AFFINE[:3, 3] = 20, -30, 40


def blob_case(ndim):
    """A soft shell that shrinks by a tenth, on an oblique, reversed grid."""
    shape = (32, 36, 30)[:ndim]
    affine = AFFINE if ndim == 3 else AFFINE[np.ix_([0, 1, 3], [0, 1, 3])]
    grid = Grid(shape, affine)
    index = np.stack(np.indices(shape), -1) - (np.array(shape) - 1) / 2
    world = index @ grid.affine[:-1, :-1].T
    images = []
    for scale in (1.0, 0.88):
        radius = np.linalg.norm(world, axis=-1) / scale
        wave = 0.15 * np.sin(world[..., 0] / scale / 2)
        images.append(np.exp(-(((radius - 10) / 3) ** 2)) * (1 + wave))
    truth = np.moveaxis(index * (1 / 0.88 - 1), -1, 0).astype(np.float32)
    moving, fixed = (i.astype(np.float32) for i in images)
    return Case(
        'blob',
        ImageOnGrid(moving, grid, 'moving'),
        ImageOnGrid(fixed, grid, 'fixed'),
        truth=truth,
        inside=fixed > 0.3,
    )


def error(case, outcome):
    found = endpoint_error(
        outcome.field.voxels, case.truth, case.fixed.grid.spacing
    )
    return found[case.inside].mean()


@pytest.mark.parametrize('ndim', [2, 3])
@pytest.mark.parametrize(
    'name',
    [
        pytest.param(name, marks=pytest.mark.slow if peer.family else ())
        for name, peer in PEERS.items()
    ],
)
def test_displacement_points_the_right_way(name, ndim):
    peer = make_method(name)
    if not peer.installed():
        pytest.skip(f'{peer.package} is not installed')
    # Each in a process of its own, as the pool does it: several ITKs in one
    # process may crash.
    with ProcessPoolExecutor(1, mp_context=get_context('spawn')) as pool:
        before, after = pool.submit(measure, name, ndim).result()
    assert before > 1.0
    assert after < 0.6 * before
    assert peer.package in peer.identity()
    assert peer.licence


def measure(name, ndim):
    """Return the error of the displacement before and after."""
    case = blob_case(ndim)
    peer = make_method(name)
    peer.prepare()
    start = error(case, make_method('unregistered').register(case, 1))
    found = peer.register(case, 1)
    assert found.field.grid is case.fixed.grid
    return start, error(case, found)


def test_another_moving_grid():
    """Shift and voxel size of the moving image belong to the geometry."""
    case = blob_case(2)
    source = case.moving.grid
    coarse = Grid((20, 22), source.affine @ np.diag([2, 2, 1]), source.units)
    small = ImageOnGrid(case.moving.data[::2, ::2], coarse, 'moving')
    other = dataclasses.replace(case, moving=small)
    demons = make_method('demons')
    assert demons.register(other, 1).field.moving_grid is coarse
    assert error(case, demons.register(other, 1)) < 1.3


def test_sheared_axes_are_refused():
    case = blob_case(2)
    affine = case.fixed.grid.affine.copy()
    affine[:2, 0] += 0.4 * affine[:2, 1]
    grid = Grid(case.fixed.grid.shape, affine)
    sheared = dataclasses.replace(
        case, fixed=ImageOnGrid(case.fixed.data, grid, 'fixed')
    )
    with pytest.raises(InputError, match='right angles'):
        make_method('demons').register(sheared, 1)


def test_missing_packages_are_named():
    class Absent(Peer):
        module = package = 'no_such_package_anywhere'

    assert not Absent.installed()
    with pytest.raises(InputError, match='no_such_package.*benchmark'):
        Absent('absent').prepare()


def test_names():
    assert method_names([], [], 2) == ['unregistered']
    names = method_names(None, None, 2)
    assert names[0] == 'unregistered'
    # as for register, 'none' is no network: a field is fitted from zero
    found = method_names(['none', 'none+7'], [], 2)
    assert found == ['unregistered', 'from-zero-2d', 'from-zero-2d+7']
    assert make_method(found[1]).name == 'from-zero-2d'
    assert names[-len(installed_peers()) :] == installed_peers()
    assert 'voxelmorph-adacs-echo2d' in names
    assert 'voxelmorph-adacs-echo3d' not in names


@pytest.mark.parametrize(
    ('models', 'peers', 'error', 'message'),
    [
        (['voxelmorph-adacs-echo3d'], [], ModelError, '3D'),
        (['nothing-of-the-kind'], [], ModelError, 'no model'),
        ([], ['demon'], InputError, "mean 'demons'"),
        ([], ['demons', 'demons'], InputError, 'twice'),
    ],
)
def test_refused_names(models, peers, error, message):
    with pytest.raises(error, match=message):
        method_names(models, peers, 2)


def test_a_model_with_steps_is_a_method_of_its_own():
    names = method_names(['from-zero-2d+1', 'from-zero-2d'], [], 2)
    methods = [make_method(name) for name in names]
    assert [m.name for m in methods] == names
    case = blob_case(2)
    few, usual = (
        m.register(case, threads=1).field.voxels for m in methods[1:]
    )
    assert not np.allclose(few, usual, atol=0.1)


def test_a_label_tells_files_of_one_name_apart(tmp_path):
    """Every training leaves a model.safetensors."""
    bundle = find_model('from-zero-2d').path
    paths = [tmp_path / name / 'model.safetensors' for name in 'ab']
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(bundle.read_bytes())
    given = [f'first={paths[0]}', f'second={paths[1]}+3', 'zero=none+2']
    names = method_names(given, [], 2)
    shown = [make_method(name).name for name in names]
    assert shown == ['unregistered', 'first', 'second+3', 'zero+2']
    with pytest.raises(InputError, match='NAME=PATH'):
        method_names([str(path) for path in paths], [], 2)
