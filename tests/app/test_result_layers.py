"""The writer of result layers: add, update, find, remove."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Vectors

from napari_adacs.app.layer_specs import LayerSpec, Role, layer_specs
from napari_adacs.app.layers import grid_of, layer_kwargs
from napari_adacs.app.result_layers import (
    METADATA_KEY,
    ResultGroup,
    groups_in,
    tag,
)
from napari_adacs.spatial.grid import Grid
from tests.app.results import made_up_result

pytestmark = pytest.mark.filterwarnings('ignore:Non-orthogonal:UserWarning')

SHAPE = (8, 9, 10)


@pytest.fixture
def fixed(viewer_model: ViewerModel) -> Image:
    """A layer in mm, turned and shifted, to put results on."""
    return viewer_model.add_image(
        np.random.default_rng(1).random(SHAPE),
        name='ES',
        scale=(3, 2, 1),
        rotate=(0, 10, 20),
        translate=(5, 6, 7),
        units=('mm',) * 3,
        axis_labels=('z', 'y', 'x'),
    )


def _specs(
    shape: tuple[int, ...] = SHAPE, labels: bool = False, scale: float = 0.5
) -> tuple[LayerSpec, ...]:
    grid = Grid.from_spacing(shape, (3, 2, 1)[-len(shape) :])
    voxels = scale * np.sin(np.indices(shape) / 3 + 1)
    warped = np.ones(shape, np.uint8) if labels else None
    return layer_specs(
        made_up_result(grid, voxels.astype(np.float32)), warped
    )[0]


def _group(
    viewer: ViewerModel, fixed: Layer, group: str = 'a', **options: Any
) -> ResultGroup:
    placement = layer_kwargs(fixed)
    return ResultGroup(viewer, group, 'ED → ES [m]', placement, **options)


def _show(group: ResultGroup, specs: tuple[LayerSpec, ...]) -> list[Layer]:
    return list(group.show(specs))


def test_layers_come_one_by_one(
    viewer_model: ViewerModel, fixed: Image
) -> None:
    specs = _specs()
    steps = _group(viewer_model, fixed).show(specs)
    for count, _ in enumerate(steps, start=1):
        assert len(viewer_model.layers) == 1 + count
    assert count == len(specs)


def test_names_and_types(viewer_model: ViewerModel, fixed: Image) -> None:
    group = _group(viewer_model, fixed)
    _show(group, _specs(labels=True))
    layers = group.layers()
    assert set(layers) == set(Role)
    assert layers[Role.WARPED].name == 'ED → ES [m] warped'
    assert isinstance(layers[Role.DISPLACEMENT], Vectors)
    assert isinstance(layers[Role.FOLDED], Labels)
    assert isinstance(layers[Role.LABELS], Labels)
    assert isinstance(layers[Role.JACOBIAN], Image)


def test_every_layer_lies_on_the_fixed_one(
    viewer_model: ViewerModel, fixed: Image
) -> None:
    layers = _show(_group(viewer_model, fixed), _specs(labels=True))
    for layer in layers:
        for index in ((0, 0, 0), (7, 8, 9)):
            np.testing.assert_allclose(
                layer.data_to_world(index), fixed.data_to_world(index)
            )
        assert layer.units == fixed.units
        assert layer.axis_labels == fixed.axis_labels
    assert viewer_model.layers.units is not None


def test_a_result_in_um_beside_mm_keeps_units_consistent(
    viewer_model: ViewerModel, fixed: Image
) -> None:
    micro = viewer_model.add_image(
        np.zeros(SHAPE), scale=(3000, 2000, 1000), units=('um',) * 3
    )
    group = _group(viewer_model, micro)
    layers = _show(group, _specs())
    assert viewer_model.layers.units is not None
    assert grid_of(layers[0]).spacing == pytest.approx((3, 2, 1))


def test_a_frame_of_a_4d_layer(viewer_model: ViewerModel) -> None:
    cine = viewer_model.add_image(
        np.zeros((3, *SHAPE)),
        scale=(0.1, 3, 2, 1),
        units=('s', 'mm', 'mm', 'mm'),
        axis_labels=('t', 'z', 'y', 'x'),
    )
    placement = layer_kwargs(cine, ndim=3)
    group = ResultGroup(viewer_model, 'a', 'cine', placement)
    layers = _show(group, _specs())
    assert viewer_model.layers.units is not None
    assert grid_of(layers[0]).same_space(grid_of(cine, 0))


def test_2d(viewer_model: ViewerModel) -> None:
    fixed = viewer_model.add_image(np.zeros((20, 30)))
    group = _group(viewer_model, fixed)
    _show(group, _specs((20, 30), labels=True))
    assert set(group.layers()) == set(Role)


def test_maps_have_limits_and_colours(
    viewer_model: ViewerModel, fixed: Image
) -> None:
    group = _group(viewer_model, fixed)
    specs = _specs()
    _show(group, specs)
    layers = group.layers()
    assert layers[Role.SCORE].contrast_limits == [0, 1]
    assert layers[Role.JACOBIAN].contrast_limits == [0, 2]
    assert layers[Role.SCORE].colormap.name == 'viridis'
    assert not layers[Role.SCORE].colorbar.visible
    bars = list(group.add_colorbars(specs))
    assert all(layer.colorbar.visible for layer in bars)
    assert set(bars) == {layers[s.role] for s in specs if s.colorbar}
    assert layers[Role.SCORE] in bars


def test_arrows_are_coloured_by_their_length(
    viewer_model: ViewerModel, fixed: Image
) -> None:
    group = _group(viewer_model, fixed)
    _show(group, _specs())
    layer = group.layers()[Role.DISPLACEMENT]
    assert layer.edge_color_mode == 'colormap'
    assert list(layer.features) == ['magnitude_mm']
    longest = layer.features['magnitude_mm'].to_numpy().argmax()
    high = layer.edge_colormap.map(layer.edge_contrast_limits[1])
    value = layer.features['magnitude_mm'][longest]
    share = value / layer.edge_contrast_limits[1]
    np.testing.assert_allclose(
        layer.edge_color[longest], layer.edge_colormap.map(share)[0], atol=0.02
    )
    assert high.shape[-1] == 4


def test_looks_come_from_the_users_layers(
    viewer_model: ViewerModel, fixed: Image
) -> None:
    looks = {Role.WARPED: {'contrast_limits': (0.2, 0.7), 'gamma': 0.5}}
    group = _group(viewer_model, fixed, looks=looks)
    _show(group, _specs())
    warped = group.layers()[Role.WARPED]
    assert warped.contrast_limits == [0.2, 0.7]
    assert warped.gamma == 0.5


class TestAgain:
    def test_the_same_layers_are_updated(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        group = _group(viewer_model, fixed)
        first = _show(group, _specs())
        specs = _specs(scale=0.25)
        second = _show(group, specs)
        assert first == second
        assert len(viewer_model.layers) == 1 + len(specs)
        for layer, spec in zip(second, specs, strict=True):
            np.testing.assert_array_equal(np.asarray(layer.data), spec.data)

    def test_arrows_may_become_more_or_fewer(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        group = _group(viewer_model, fixed)
        for scale in (0.5, 0.0, 0.5):
            specs = _specs(scale=scale)
            _show(group, specs)
            layer = group.layers()[Role.DISPLACEMENT]
            spec = next(s for s in specs if s.role is Role.DISPLACEMENT)
            assert len(layer.data) == len(spec.data)
            assert len(layer.features) == len(spec.data)
            assert len(layer.edge_color) == len(spec.data)

    def test_what_a_person_chose_stays(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        group = _group(viewer_model, fixed)
        _show(group, _specs())
        layers = group.layers()
        layers[Role.WARPED].name = 'my warped'
        layers[Role.SCORE].visible = False
        layers[Role.WEIGHT].visible = True
        layers[Role.MAGNITUDE].contrast_limits = (0, 0.5)
        layers[Role.VARIANCE].colormap = 'gray'
        _show(group, _specs(scale=0.25))
        assert layers[Role.WARPED].name == 'my warped'
        assert not layers[Role.SCORE].visible
        assert layers[Role.WEIGHT].visible
        assert layers[Role.MAGNITUDE].contrast_limits == [0, 0.5]
        assert layers[Role.VARIANCE].colormap.name == 'gray'

    def test_limits_that_nobody_chose_follow_the_data(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        group = _group(viewer_model, fixed)
        _show(group, _specs())
        specs = {s.role: s for s in _specs(scale=0.25)}
        _show(group, tuple(specs.values()))
        layers = group.layers()
        for role, name in (
            (Role.MAGNITUDE, 'contrast_limits'),
            (Role.DISPLACEMENT, 'edge_contrast_limits'),
        ):
            limits = getattr(layers[role], name)
            assert tuple(limits) == pytest.approx(specs[role].limits)

    def test_a_colour_bar_that_was_hidden_stays_hidden(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        group, specs = _group(viewer_model, fixed), _specs()
        _show(group, specs)
        list(group.add_colorbars(specs))
        group.layers()[Role.SCORE].colorbar.visible = False
        _show(group, specs)
        assert list(group.add_colorbars(specs)) == []

    def test_what_a_person_deleted_comes_back(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        group = _group(viewer_model, fixed)
        _show(group, _specs())
        viewer_model.layers.remove(group.layers()[Role.SCORE])
        _show(group, _specs())
        assert Role.SCORE in group.layers()

    def test_roles_that_are_gone_are_removed(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        group = _group(viewer_model, fixed)
        _show(group, _specs(labels=True))
        assert Role.LABELS in group.layers()
        _show(group, _specs(labels=False))
        assert Role.LABELS not in group.layers()

    def test_layers_follow_when_the_fixed_one_moved(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        group = _group(viewer_model, fixed)
        _show(group, _specs())
        fixed.translate = (50, 60, 70)
        fixed.scale = (4, 4, 4)
        _show(_group(viewer_model, fixed), _specs())
        for layer in group.layers().values():
            np.testing.assert_allclose(
                layer.data_to_world((1, 2, 3)), fixed.data_to_world((1, 2, 3))
            )

    def test_another_number_of_axes_makes_new_layers(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        group = _group(viewer_model, fixed)
        _show(group, _specs())
        flat = viewer_model.add_image(np.zeros((8, 9)), scale=(2, 1))
        flat.units = ('mm', 'mm')
        _show(_group(viewer_model, flat), _specs((8, 9)))
        assert {x.ndim for x in group.layers().values()} == {2}

    def test_a_copy_that_a_person_made_is_left_alone(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        group = _group(viewer_model, fixed)
        _show(group, _specs())
        warped = group.layers()[Role.WARPED]
        copy = Layer.create(*warped.as_layer_data_tuple())
        viewer_model.add_layer(copy)
        kept = np.array(copy.data)
        assert tag(copy) is None
        _show(group, _specs(scale=0.25))
        group.remove()
        assert copy in viewer_model.layers
        np.testing.assert_array_equal(copy.data, kept)


class TestGroups:
    def test_two_groups_stand_side_by_side(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        first = _group(viewer_model, fixed, 'a')
        second = _group(viewer_model, fixed, 'b')
        _show(first, _specs())
        _show(second, _specs())
        assert groups_in(viewer_model) == ['a', 'b']
        first.remove()
        assert groups_in(viewer_model) == ['b']
        assert set(second.layers()) == set(Role) - {Role.LABELS}
        assert fixed in viewer_model.layers

    def test_the_selection_is_kept(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        viewer_model.layers.selection = {fixed}
        _show(_group(viewer_model, fixed), _specs())
        assert viewer_model.layers.selection == {fixed}

    def test_the_users_layers_are_not_touched(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        before = fixed.as_layer_data_tuple()
        data = np.array(fixed.data)
        group = _group(viewer_model, fixed)
        _show(group, _specs())
        group.remove()
        after = fixed.as_layer_data_tuple()
        np.testing.assert_array_equal(fixed.data, data)
        assert str(after[1]) == str(before[1])

    def test_metadata_are_plain_json(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        group = _group(viewer_model, fixed, record={'model': 'm', 'n': [1]})
        for layer in _show(group, _specs()):
            about = json.loads(json.dumps(layer.metadata[METADATA_KEY]))
            assert about['group'] == 'a'
            assert about['record'] == {'model': 'm', 'n': [1]}
            assert Role(about['role']).value in layer.name

    def test_a_listener_sees_whose_layer_it_is(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        seen = []
        viewer_model.layers.events.inserted.connect(
            lambda event: seen.append(tag(event.value))
        )
        _show(_group(viewer_model, fixed), _specs())
        assert all(about is not None for about in seen)

    def test_foreign_metadata_are_kept(
        self, viewer_model: ViewerModel, fixed: Image
    ) -> None:
        group = _group(viewer_model, fixed)
        _show(group, _specs())
        warped = group.layers()[Role.WARPED]
        warped.metadata['mine'] = 1
        _show(group, _specs())
        assert warped.metadata['mine'] == 1
