"""From two layers to a result, without a window."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Layer

from napari_adacs.app import session
from napari_adacs.app.chosen import Chosen
from napari_adacs.app.layer_specs import Role
from napari_adacs.app.layers import grid_of
from napari_adacs.app.perform import Finished
from napari_adacs.app.prepared import Prepared, prepare
from napari_adacs.app.readers import read_layers
from napari_adacs.app.settings import PLUGIN, ComputeSettings
from napari_adacs.errors import AdacsError, CancelledError, InputError
from napari_adacs.io.nifti import save_volume
from napari_adacs.models.library import FOLDER_VARIABLE
from napari_adacs.spatial.grid import Grid
from tests.app.pairs import MM, add_cine, add_pair, texture
from tests.small_models import save_small_model


@pytest.fixture(scope='module')
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one model for 2D and one for 3D."""
    folder = tmp_path_factory.mktemp('models')
    for ndim in (2, 3):
        save_small_model(folder, ndim)
    return folder


@pytest.fixture(autouse=True)
def _surroundings(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv(FOLDER_VARIABLE, str(model_folder))
    monkeypatch.setattr(
        'napari_adacs.models.library._BUNDLED', model_folder / 'none'
    )
    monkeypatch.setattr(session, '_RUNS', {})
    return


def _ignore(fraction: float, message: str) -> None:
    pass


def _run(prepared: Prepared) -> Finished:
    return prepared.run(_ignore, Event())


def _chosen(viewer: ViewerModel, **options: Any) -> Chosen:
    layers = viewer.layers
    return Chosen(layers['ED'], layers['ES'], device='cpu', **options)


def _refusal(chosen: Chosen) -> str:
    with pytest.raises(AdacsError) as caught:
        chosen.check()
    return str(caught.value)


class TestCheck:
    def test_it_says_what_will_happen(self, viewer_model: ViewerModel) -> None:
        add_pair(viewer_model)
        text = ' '.join(_chosen(viewer_model).check().sentences)
        assert 'small-3d' in text
        assert '3 x 2 x 1 mm' in text
        assert 'MB of memory' in text

    def test_the_same_image_twice(self, viewer_model: ViewerModel) -> None:
        add_pair(viewer_model)
        layer = viewer_model.layers['ED']
        assert 'same image' in _refusal(Chosen(layer, layer))

    def test_two_frames_of_a_layer_are_two_images(
        self, viewer_model: ViewerModel
    ) -> None:
        add_cine(viewer_model)
        cine = viewer_model.layers['cine']
        assert Chosen(cine, cine, 0, 1).check().entry.name == 'small-3d'
        assert 'same image' in _refusal(Chosen(cine, cine, 1, 1))

    def test_2d_with_3d(self, viewer_model: ViewerModel) -> None:
        add_pair(viewer_model)
        flat = viewer_model.add_image(texture((16, 16)))
        text = _refusal(Chosen(viewer_model.layers['ED'], flat))
        assert '3D' in text
        assert '2D' in text

    def test_mm_with_pixels(self, viewer_model: ViewerModel) -> None:
        add_pair(viewer_model)
        other = viewer_model.add_image(texture(seed=3))
        text = _refusal(Chosen(viewer_model.layers['ED'], other))
        assert 'fixed layer has no physical units' in text

    def test_shapes_that_differ_without_units(
        self, viewer_model: ViewerModel
    ) -> None:
        one = viewer_model.add_image(texture())
        other = viewer_model.add_image(texture((16, 16, 18)))
        assert 'different shapes' in _refusal(Chosen(one, other))

    def test_shapes_may_differ_in_mm(self, viewer_model: ViewerModel) -> None:
        add_pair(viewer_model)
        other = viewer_model.add_image(
            texture((10, 30, 20)), scale=(5, 1, 1), units=MM
        )
        ready = Chosen(viewer_model.layers['ED'], other).check()
        assert any('resampled' in text for text in ready.sentences)

    def test_mm_with_um(self, viewer_model: ViewerModel) -> None:
        add_pair(viewer_model)
        other = viewer_model.add_image(
            texture(seed=5), scale=(3000, 2000, 1000), units=('um',) * 3
        )
        ready = Chosen(viewer_model.layers['ED'], other).check()
        assert not any('resampled' in text for text in ready.sentences)

    def test_places_that_do_not_meet(self, viewer_model: ViewerModel) -> None:
        add_pair(viewer_model)
        viewer_model.layers['ES'].translate = (500, 0, 0)
        assert 'overlap' in _refusal(_chosen(viewer_model))

    def test_an_axis_of_one_voxel(self, viewer_model: ViewerModel) -> None:
        add_pair(viewer_model, (16, 16))
        thin = Image(texture((16, 1)), scale=(2, 1), units=MM[:2])
        text = _refusal(Chosen(viewer_model.layers['ED'], thin))
        assert 'one voxel' in text

    def test_a_model_for_other_images(self, viewer_model: ViewerModel) -> None:
        add_pair(viewer_model)
        text = _refusal(_chosen(viewer_model, model='small-2d'))
        assert 'registers 2D images' in text

    def test_labels_that_lie_elsewhere(
        self, viewer_model: ViewerModel
    ) -> None:
        add_pair(viewer_model)
        labels = viewer_model.add_labels(
            np.ones((16, 16, 16), int), units=MM, translate=(900, 0, 0)
        )
        text = _refusal(_chosen(viewer_model, labels=labels))
        assert 'moving labels' in text

    def test_the_memory_cap(
        self, viewer_model: ViewerModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            'napari_adacs.app.request.compute_settings',
            lambda: ComputeSettings(memory_cap_gb=1e-6),
        )
        add_pair(viewer_model)
        assert 'memory cap' in _refusal(_chosen(viewer_model))

    def test_more_memory_than_there_is(
        self, viewer_model: ViewerModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            'napari_adacs.app.request.psutil.virtual_memory',
            lambda: SimpleNamespace(available=1000),
        )
        add_pair(viewer_model)
        assert 'GB are free' in _refusal(_chosen(viewer_model))


class TestRun:
    def test_the_result_lies_on_the_fixed_layer(
        self, viewer_model: ViewerModel
    ) -> None:
        add_pair(viewer_model)
        prepared = prepare(_chosen(viewer_model))
        finished = _run(prepared)
        layers = list(
            prepared.group(viewer_model, finished).show(finished.specs)
        )
        fixed = grid_of(viewer_model.layers['ES'])
        assert finished.result.field.grid.same_space(fixed)
        assert all(grid_of(x).same_space(fixed) for x in layers[:1])
        assert layers[0].name == 'ED → ES [small-3d] warped'

    def test_the_shown_layer_is_the_saved_field_applied_again(
        self, viewer_model: ViewerModel
    ) -> None:
        add_pair(viewer_model, translate=(4, 5, 6))
        finished = _run(prepare(_chosen(viewer_model)))
        moving = viewer_model.layers['ED'].data
        warped = next(s for s in finished.specs if s.role is Role.WARPED)
        np.testing.assert_array_equal(
            finished.result.field.warp_image(moving), warped.data
        )
        assert finished.figures.max_displacement > 0.1

    @pytest.mark.parametrize('shape', [(16, 20), (12, 16, 20)])
    def test_2d_and_3d(
        self, viewer_model: ViewerModel, shape: tuple[int, ...]
    ) -> None:
        add_pair(viewer_model, shape)
        finished = _run(prepare(_chosen(viewer_model)))
        assert finished.result.warped.shape == shape
        assert finished.result.model_name == f'small-{len(shape)}d'

    def test_frames_of_a_lazy_sequence(
        self, viewer_model: ViewerModel
    ) -> None:
        add_cine(viewer_model)
        layer = viewer_model.layers['cine']
        layer.data = da.from_array(
            np.asarray(layer.data), chunks=(1, -1, -1, -1)
        )
        prepared = prepare(Chosen(layer, layer, 0, 2))
        assert prepared.title == 'cine[0] → cine[2] [small-3d]'
        finished = _run(prepared)
        expected = finished.result.field.warp_image(np.asarray(layer.data[0]))
        np.testing.assert_array_equal(finished.result.warped, expected)
        list(prepared.group(viewer_model, finished).show(finished.specs))
        assert viewer_model.layers.units is not None

    def test_labels_are_warped_along(self, viewer_model: ViewerModel) -> None:
        add_pair(viewer_model)
        data = np.zeros((16, 16, 16), np.uint8)
        data[4:12, 4:12, 4:12] = 3
        labels = viewer_model.add_labels(data, scale=(3, 2, 1), units=MM)
        prepared = prepare(_chosen(viewer_model, labels=labels))
        finished = _run(prepared)
        spec = next(s for s in finished.specs if s.role is Role.LABELS)
        expected = finished.result.field.warp_labels(data)
        np.testing.assert_array_equal(spec.data, expected)
        assert set(np.unique(spec.data)) == {0, 3}

    def test_labels_of_a_sequence_follow_the_moving_frame(
        self, viewer_model: ViewerModel
    ) -> None:
        add_cine(viewer_model)
        cine = viewer_model.layers['cine']
        data = np.zeros(cine.data.shape, np.uint8)
        for frame in range(4):
            data[frame, 4:12, 4:12, 4:12] = 1 + frame
        labels = viewer_model.add_labels(
            data, scale=cine.scale, units=cine.units
        )
        prepared = prepare(Chosen(cine, cine, 3, 0, labels))
        spec = next(s for s in _run(prepared).specs if s.role is Role.LABELS)
        assert set(np.unique(spec.data)) == {0, 4}

    @pytest.mark.parametrize(
        ('values', 'said'),
        [(np.nan, 'NaN'), (np.inf, 'infinite'), (0.0, 'constant')],
    )
    def test_bad_voxels_are_found_in_the_worker(
        self, viewer_model: ViewerModel, values: float, said: str
    ) -> None:
        add_pair(viewer_model)
        layer = viewer_model.layers['ED']
        layer.data = np.full_like(layer.data, values)
        prepared = prepare(_chosen(viewer_model))
        with pytest.raises(InputError, match=said):
            _run(prepared)

    def test_empty_labels_are_refused(self, viewer_model: ViewerModel) -> None:
        add_pair(viewer_model)
        labels = viewer_model.add_labels(
            np.zeros((16, 16, 16), int), scale=(3, 2, 1), units=MM
        )
        prepared = prepare(_chosen(viewer_model, labels=labels))
        with pytest.raises(InputError, match='empty'):
            _run(prepared)

    def test_it_can_be_cancelled_before_it_starts(
        self, viewer_model: ViewerModel
    ) -> None:
        add_pair(viewer_model)
        cancel = Event()
        cancel.set()
        with pytest.raises(CancelledError):
            prepare(_chosen(viewer_model)).run(_ignore, cancel)

    def test_its_layers_may_go_while_it_runs(
        self, viewer_model: ViewerModel
    ) -> None:
        add_pair(viewer_model)
        prepared = prepare(_chosen(viewer_model))
        viewer_model.layers.clear()
        finished = _run(prepared)
        list(prepared.group(viewer_model, finished).show(finished.specs))
        assert len(viewer_model.layers) == len(finished.specs)

    def test_the_record_is_plain_json_and_complete(
        self, viewer_model: ViewerModel
    ) -> None:
        add_pair(viewer_model)
        finished = _run(prepare(_chosen(viewer_model)))
        record = json.loads(json.dumps(finished.record))
        assert record['task'] == 'register'
        assert record['config']['model'] == 'small-3d'
        assert set(record['inputs']) == {'moving', 'fixed'}
        assert len(record['model']['sha256']) == 64
        assert 'register' in record['command']
        assert 'register_on_grids' in record['python']

    def test_the_same_pair_and_model_is_the_same_group(
        self, viewer_model: ViewerModel
    ) -> None:
        add_pair(viewer_model)
        first = prepare(_chosen(viewer_model))
        viewer_model.layers['ED'].name = 'renamed'
        layers = viewer_model.layers
        again = prepare(
            Chosen(layers['renamed'], layers['ES'], model='small-3d')
        )
        back = prepare(Chosen(layers['ES'], layers['renamed']))
        assert first.group_id == again.group_id
        assert first.group_id != back.group_id

    def test_it_is_remembered(self, viewer_model: ViewerModel) -> None:
        add_pair(viewer_model)
        prepared = prepare(_chosen(viewer_model))
        finished = _run(prepared)
        list(prepared.group(viewer_model, finished).show(finished.specs))
        run = prepared.remember(finished)
        assert session.latest(viewer_model) is run
        assert run.result is finished.result
        assert run.moving.find(viewer_model) is viewer_model.layers['ED']


def _opened(viewer: ViewerModel, file: Path) -> Layer:
    """Open a file as napari does when this plugin reads it."""
    (data,) = read_layers(str(file))
    layer = Layer.create(*data)
    source = layer.source.model_copy(
        update={'path': str(file), 'reader_plugin': PLUGIN}
    )
    layer._source = source
    viewer.add_layer(layer)
    return layer


class TestReproduce:
    @pytest.fixture
    def files(self, tmp_path: Path) -> list[Path]:
        """Two oblique volumes."""
        affine = np.diag([1.0, 2, 3, 1])[:, [2, 1, 0, 3]]
        affine[:3, 3] = (1, 2, 3)
        grid = Grid((12, 14, 16), affine)
        files = [tmp_path / 'E D.nii.gz', tmp_path / 'ES.nii.gz']
        for seed, file in enumerate(files):
            save_volume(file, texture(grid.shape, seed), grid)
        return files

    def test_the_python_lines_give_the_same_bits(
        self, viewer_model: ViewerModel, files: list[Path]
    ) -> None:
        moving, fixed = (_opened(viewer_model, file) for file in files)
        prepared = prepare(Chosen(moving, fixed, device='cpu'))
        assert 'viewer' not in prepared.python
        names: dict[str, Any] = {}
        exec(prepared.python, names)
        np.testing.assert_array_equal(
            names['result'].field.voxels, _run(prepared).result.field.voxels
        )

    def test_the_command_names_files_and_settings(
        self, viewer_model: ViewerModel, files: list[Path]
    ) -> None:
        moving, fixed = (_opened(viewer_model, file) for file in files)
        chosen = Chosen(moving, fixed, device='cpu', refine_steps=3)
        words = shlex.split(prepare(chosen).command)
        assert words[:4] == [
            'napari-adacs',
            'register',
            *map(str, files),
        ]
        assert words[4:] == [
            *('-o', 'registration', '--model', 'small-3d'),
            *('--device', 'cpu', '--refine', '3'),
        ]

    def test_the_command_gives_the_same_bits(
        self,
        viewer_model: ViewerModel,
        files: list[Path],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        import nibabel

        from napari_adacs.cli import main

        moving, fixed = (_opened(viewer_model, file) for file in files)
        prepared = prepare(Chosen(moving, fixed, device='cpu'))
        monkeypatch.chdir(tmp_path)
        assert main(shlex.split(prepared.command)[1:]) == 0
        warped = nibabel.load(tmp_path / 'registration' / 'warped.nii.gz')
        np.testing.assert_array_equal(
            np.asarray(warped.dataobj).T, _run(prepared).result.warped
        )

    def test_layers_without_a_file_are_taken_from_the_viewer(
        self, viewer_model: ViewerModel
    ) -> None:
        add_cine(viewer_model)
        cine = viewer_model.layers['cine']
        labels = viewer_model.add_labels(
            np.ones(cine.data.shape, np.uint8),
            name="LV's",
            scale=cine.scale,
            units=cine.units,
        )
        prepared = prepare(Chosen(cine, cine, 1, 2, labels, device='cpu'))
        names: dict[str, Any] = {'viewer': viewer_model}
        exec(prepared.python, names)
        finished = _run(prepared)
        np.testing.assert_array_equal(
            names['result'].warped, finished.result.warped
        )
        spec = next(s for s in finished.specs if s.role is Role.LABELS)
        np.testing.assert_array_equal(names['warped_labels'], spec.data)

    def test_the_command_says_what_to_save_first(
        self, viewer_model: ViewerModel
    ) -> None:
        add_cine(viewer_model)
        cine = viewer_model.layers['cine']
        *notes, line = prepare(Chosen(cine, cine, 1, 2)).command.splitlines()
        assert notes == ["# First save the layer 'cine' as cine.nii.gz."]
        assert '--moving-frame 1 --fixed-frame 2' in line

    def test_a_layer_that_was_moved_is_no_longer_its_file(
        self, viewer_model: ViewerModel, files: list[Path]
    ) -> None:
        moving, fixed = (_opened(viewer_model, file) for file in files)
        moving.translate = moving.translate + 5
        prepared = prepare(Chosen(moving, fixed))
        assert prepared.python.count('viewer.layers') == 1
        assert prepared.command.startswith('# First save')

    def test_a_file_that_is_gone_is_no_source(
        self, viewer_model: ViewerModel, files: list[Path]
    ) -> None:
        moving, fixed = (_opened(viewer_model, file) for file in files)
        files[0].unlink()
        assert 'viewer.layers' in prepare(Chosen(moving, fixed)).python
