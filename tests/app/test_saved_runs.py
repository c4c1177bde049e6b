"""A registration goes to a folder and comes back the same."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer

from napari_adacs.app import session
from napari_adacs.app.chosen import Chosen
from napari_adacs.app.layer_specs import Role
from napari_adacs.app.prepared import prepare
from napari_adacs.app.readers import read_layers
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.review.identity import identify
from napari_adacs.app.review.ready import make_ready, review_request
from napari_adacs.app.save_run import remember_saved, save_request, save_run
from napari_adacs.app.saved_runs import saved_run
from napari_adacs.cli import main
from napari_adacs.errors import InputError
from napari_adacs.io.nifti import save_volume
from napari_adacs.models.library import FOLDER_VARIABLE
from napari_adacs.spatial.grid import Grid
from tests.app.pairs import SHAPE, add_cine, add_pair, texture
from tests.small_models import save_small_model

CANCEL = threading.Event()


def quiet(fraction, message):
    """Report nothing."""


@pytest.fixture(autouse=True)
def house(tmp_path, monkeypatch):
    """Small models, and a session of our own."""
    folder = tmp_path / 'models'
    folder.mkdir()
    save_small_model(folder, 2)
    save_small_model(folder, 3)
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    monkeypatch.setattr(
        'napari_adacs.models.library._BUNDLED', folder / 'none'
    )
    monkeypatch.setattr(session, '_RUNS', {})


def registered(viewer, **options):
    prepared = prepare(
        Chosen(viewer.layers[0], viewer.layers[1], device='cpu', **options)
    )
    finished = prepared.run(quiet, CANCEL)
    list(prepared.group(viewer, finished).show(finished.specs))
    return prepared.remember(finished)


def saved(viewer, run, folder):
    done = save_run(save_request(viewer, run, folder), quiet, CANCEL)
    remember_saved(done)
    return done


def opened(folder):
    viewer = ViewerModel()
    found = saved_run(folder, viewer)
    finished = found.run(quiet, CANCEL)
    list(found.group(viewer, finished).show(finished.specs))
    return viewer, found.remember(finished)


@pytest.mark.parametrize(
    ('shape', 'options'),
    [
        (SHAPE, {}),
        ((24, 20), {}),
        (SHAPE, {'units': ('pixel',) * 3, 'scale': (1, 1, 1)}),
        (SHAPE, {'rotate': 20, 'translate': (3, -2, 7)}),
    ],
)
def test_a_run_comes_back(tmp_path, viewer_model, shape, options):
    if 'rotate' in options:
        options = {**options, 'rotate': (20, 10, 5)}
    add_pair(viewer_model, shape, **options)
    run = registered(viewer_model)
    kept = saved(viewer_model, run, tmp_path / 'out')
    assert session.recall(run.group_id).folder == (tmp_path / 'out').resolve()
    viewer, again = opened(tmp_path / 'out')
    assert identify(again) == identify(run) == identify(kept)
    assert [x.name for x in viewer.layers][:2] == ['ED', 'ES']
    np.testing.assert_array_equal(again.result.warped, run.result.warped)
    np.testing.assert_allclose(
        again.result.field.voxels, run.result.field.voxels, atol=1e-4
    )
    np.testing.assert_allclose(
        again.result.residual, run.result.residual, atol=1e-5
    )
    layers = ResultGroup(viewer, again.group_id).layers()
    before = ResultGroup(viewer_model, run.group_id).layers()
    assert set(layers) == set(before)
    point = np.arange(len(shape)) + 2
    np.testing.assert_allclose(
        layers[Role.WARPED].data_to_world(point),
        before[Role.WARPED].data_to_world(point),
        atol=1e-4,
    )


def test_files_with_exchanged_axes_come_back(tmp_path, viewer_model):
    affine = np.array(
        [[-1.0, 0, 0, 8], [0, 0, 2, -9], [0, -3, 0, 7], [0, 0, 0, 1]]
    )
    for seed, name in enumerate(('ED.nii', 'ES.nii')):
        image = nib.Nifti1Image(texture(seed=seed), affine)
        nib.save(image, tmp_path / name)
        ((data, options, kind),) = read_layers(str(tmp_path / name))
        viewer_model.add_layer(Layer.create(data, options, kind))
    run = registered(viewer_model)
    saved(viewer_model, run, tmp_path / 'out')
    for name in ('warped', 'displacement', 'input_fixed'):
        file = nib.load(tmp_path / 'out' / f'{name}.nii.gz')
        assert file.shape[:3] == SHAPE
        np.testing.assert_allclose(file.affine, affine)
    _, again = opened(tmp_path / 'out')
    assert identify(again) == identify(run)
    np.testing.assert_array_equal(again.result.warped, run.result.warped)


def test_frames_of_a_cine_are_found_again(tmp_path, viewer_model):
    add_cine(viewer_model)
    cine = viewer_model.layers[0]
    prepared = prepare(
        Chosen(cine, cine, moving_frame=0, fixed_frame=2, device='cpu')
    )
    finished = prepared.run(quiet, CANCEL)
    list(prepared.group(viewer_model, finished).show(finished.specs))
    run = prepared.remember(finished)
    saved(viewer_model, run, tmp_path / 'out')
    found = saved_run(tmp_path / 'out', viewer_model)
    again = found.run(quiet, CANCEL)
    found.group(viewer_model, again)
    reopened = found.remember(again)
    assert (reopened.moving.frame, reopened.fixed.frame) == (0, 2)
    assert reopened.moving.layer_id == str(cine.unique_id)


def test_what_the_command_line_wrote_is_opened(tmp_path, viewer_model):
    add_pair(viewer_model)
    run = registered(viewer_model)
    grid = run.result.field.grid
    for seed, name in enumerate(('ED', 'ES')):
        path = tmp_path / f'{name}.nii.gz'
        save_volume(path, texture(seed=seed), grid, axis_order='zyx')
    files = [str(tmp_path / f'{name}.nii.gz') for name in ('ED', 'ES')]
    out = tmp_path / 'out'
    assert main(['register', *files, '-o', str(out), '--device', 'cpu']) == 0
    viewer, again = opened(out)
    assert [x.name for x in viewer.layers][:2] == ['ED', 'ES']
    # the same images and model, in the window and in the shell
    assert identify(again).key == identify(run).key


def test_open_images_are_not_added_twice(tmp_path, viewer_model):
    add_pair(viewer_model)
    run = registered(viewer_model)
    saved(viewer_model, run, tmp_path / 'out')
    count = len(viewer_model.layers)
    found = saved_run(tmp_path / 'out', viewer_model)
    finished = found.run(quiet, CANCEL)
    list(found.group(viewer_model, finished).show(finished.specs))
    again = found.remember(finished)
    assert again.group_id != run.group_id
    assert len(viewer_model.layers) == count + len(finished.specs)


def test_images_that_changed_are_refused(tmp_path, viewer_model):
    add_pair(viewer_model)
    run = registered(viewer_model)
    path = tmp_path / 'ED.nii.gz'
    grid = run.result.field.grid
    save_volume(path, texture(seed=0), grid, axis_order='zyx')
    inputs = dict(run.record['inputs'])
    inputs['moving'] = {**inputs['moving'], 'path': str(path)}
    run = replace(run, record={**run.record, 'inputs': inputs})
    saved(viewer_model, run, tmp_path / 'out')
    opened(tmp_path / 'out')
    save_volume(path, texture(seed=9), grid, axis_order='zyx')
    with pytest.raises(InputError, match='holds another image now'):
        opened(tmp_path / 'out')
    path.unlink()
    with pytest.raises(InputError, match='was not found'):
        opened(tmp_path / 'out')


@pytest.mark.parametrize('damage', ['no record', 'no field', 'other field'])
def test_folders_without_a_result_are_refused(tmp_path, viewer_model, damage):
    add_pair(viewer_model)
    run = registered(viewer_model)
    folder = tmp_path / 'out'
    saved(viewer_model, run, folder)
    if damage == 'no record':
        (folder / 'run.json').unlink()
    elif damage == 'no field':
        (folder / 'displacement.nii.gz').unlink()
    else:
        (folder / 'displacement.nii.gz').write_bytes(
            (folder / 'warped.nii.gz').read_bytes()
        )
    with pytest.raises(InputError):
        opened(folder)


def test_the_review_of_another_result_is_kept(tmp_path, viewer_model):
    add_pair(viewer_model)
    run = registered(viewer_model)
    folder = tmp_path / 'out'
    folder.mkdir()
    (folder / 'review.json').write_text('{"mine": 1}')
    saved(viewer_model, run, folder)
    assert not (folder / 'review.json').exists()
    assert (folder / 'review-1.json').read_text() == '{"mine": 1}'


def test_cancelling_leaves_nothing(tmp_path, viewer_model):
    add_pair(viewer_model)
    run = registered(viewer_model)
    cancel = threading.Event()
    cancel.set()
    from napari_adacs.errors import CancelledError

    with pytest.raises(CancelledError):
        save_run(
            save_request(viewer_model, run, tmp_path / 'out'), quiet, cancel
        )
    assert not Path(tmp_path / 'out').exists()


def test_labels_of_the_review_come_back(tmp_path, viewer_model):
    """The registration knew no labels; the review compares some."""
    add_pair(viewer_model)
    run = registered(viewer_model)
    data = np.zeros(SHAPE, np.uint8)
    data[4:10, 4:10, 4:10] = 1
    placed = {'scale': (3, 2, 1), 'units': ('mm',) * 3}
    viewer_model.add_labels(data, name='ED_labels', **placed)
    viewer_model.add_labels(data, name='ES_labels', **placed)
    request = review_request(viewer_model, run)
    names = {k: r.name for k, r in request.label_refs.items()}
    assert names == {'moving_labels': 'ED_labels', 'fixed_labels': 'ES_labels'}
    wanted = save_request(
        viewer_model, run, tmp_path / 'out', request.label_refs
    )
    save_run(wanted, quiet, CANCEL)
    viewer, again = opened(tmp_path / 'out')
    assert str(again.labels) == 'ED_labels'
    assert not viewer.layers['ES_labels'].visible
    found = make_ready(review_request(viewer, again), quiet, CANCEL)
    assert [c.name for c in found.figures[0].components][-1] == 'dsc'


def test_frames_of_one_file_are_one_layer(tmp_path, viewer_model):
    grid = Grid.from_spacing(SHAPE, 2.0)
    frames = np.stack([texture(seed=i) for i in range(3)])
    path = tmp_path / 'cine.nii.gz'
    save_volume(path, frames, grid, frame_duration_s=0.1, axis_order='zyx')
    out = tmp_path / 'out'
    options = ['--moving-frame', '0', '--fixed-frame', '2', '--device', 'cpu']
    files = [str(path), str(path), '-o', str(out)]
    assert main(['register', *files, *options]) == 0
    viewer, again = opened(out)
    assert [x.name for x in viewer.layers if x.ndim == 4] == ['cine']
    assert (again.moving.frame, again.fixed.frame) == (0, 2)
    assert again.moving.layer_id == again.fixed.layer_id
