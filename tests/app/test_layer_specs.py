"""What the layers of a result hold."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from napari_adacs.app.arrows import arrows
from napari_adacs.app.layer_specs import Figures, LayerSpec, Role, layer_specs
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid
from tests.app.results import made_up_result

GRID = Grid.from_spacing((8, 9, 10), (3, 2, 1))


def _specs(voxels: np.ndarray | None = None) -> dict[Role, LayerSpec]:
    specs, _ = layer_specs(made_up_result(GRID, voxels))
    return {spec.role: spec for spec in specs}


def _field(**components: float) -> np.ndarray:
    """Return a displacement that is constant, in voxels."""
    voxels = np.zeros((3, *GRID.shape), np.float32)
    for axis, value in components.items():
        voxels['zyx'.index(axis)] = value
    return voxels


def test_every_map_has_its_layer() -> None:
    assert set(_specs()) == set(Role) - {Role.LABELS}


def test_labels_have_theirs_when_there_are_any() -> None:
    labels = np.ones(GRID.shape, np.uint8)
    specs, _ = layer_specs(made_up_result(GRID), labels)
    assert specs[-1].role is Role.LABELS
    assert specs[-1].data is labels


def test_the_first_view_is_clear() -> None:
    visible = {role for role, spec in _specs().items() if spec.visible}
    assert visible == {Role.WARPED, Role.SCORE}


def test_without_a_score_the_variance_is_shown() -> None:
    result = dataclasses.replace(made_up_result(GRID), score=None)
    specs, _ = layer_specs(result)
    visible = {spec.role for spec in specs if spec.visible}
    assert visible == {Role.WARPED, Role.VARIANCE}


def test_the_magnitude_is_in_mm() -> None:
    spec = _specs(_field(z=2, x=-1))[Role.MAGNITUDE]
    np.testing.assert_allclose(spec.data, np.hypot(6, 1), rtol=1e-6)
    assert spec.limits == pytest.approx((0, np.hypot(6, 1)))


def test_the_jacobian_is_symmetric_about_one() -> None:
    spec = _specs(_field(z=2))[Role.JACOBIAN]
    np.testing.assert_allclose(spec.data, 1)
    low, high = spec.limits or (0, 0)
    assert 1 - low == high - 1


def test_folds_are_found_and_shown() -> None:
    voxels = _field()
    voxels[2, :, :, 4:] = -3  # x runs back where the step is
    specs, figures = layer_specs(made_up_result(GRID, voxels))
    folded = next(s for s in specs if s.role is Role.FOLDED)
    assert folded.visible
    assert set(np.unique(folded.data)) == {0, 1}
    share = 100 * float((folded.data > 0).mean())
    assert figures.folded_percent == pytest.approx(share)
    assert 'folded voxels' in str(figures)


def test_no_folds_are_said_to_be_none() -> None:
    _, figures = layer_specs(made_up_result(GRID, _field(z=2)))
    assert str(figures) == ('no folded voxels, largest displacement 6 mm')
    assert 'voxels' in str(Figures(0, 6, 'voxel')).split(',')[1]


def test_arrows_start_at_voxels_and_end_where_values_came_from() -> None:
    result = made_up_result(GRID)
    data, lengths = arrows(result.field.voxels, result.field.magnitude_mm)
    assert data.shape[1:] == (2, 3)
    start = data[:, 0].astype(int)
    np.testing.assert_array_equal(start, data[:, 0])
    where = tuple(start.T)
    np.testing.assert_array_equal(
        data[:, 1], result.field.voxels[(slice(None), *where)].T
    )
    np.testing.assert_array_equal(lengths, result.field.magnitude_mm[where])


@pytest.mark.parametrize('axis', [0, 1, 2])
def test_every_slice_has_arrows_whichever_way_it_is_cut(axis: int) -> None:
    grid = Grid.from_spacing((64, 64, 64), 1.0)
    field = DisplacementField(np.ones((3, 64, 64, 64), np.float32), grid)
    data, _ = arrows(field.voxels, field.magnitude_mm)
    assert len(data) <= 30_000
    counts = np.bincount(data[:, 0, axis].astype(int), minlength=64)
    assert counts.min() > 100


@pytest.mark.parametrize('shape', [(2, 2), (200, 300), (3, 200, 30)])
def test_arrows_fit_any_shape(shape: tuple[int, ...]) -> None:
    voxels = np.ones((len(shape), *shape), np.float32)
    data, lengths = arrows(voxels, np.ones(shape, np.float32))
    assert 0 < len(data) == len(lengths) <= 30_000
    assert (data[:, 0] < shape).all()


def test_no_motion_leaves_one_arrow() -> None:
    voxels = np.zeros((3, *GRID.shape), np.float32)
    data, _ = arrows(voxels, voxels[0])
    assert len(data) == 1
