"""Sparsification of the maps of a registration."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_adacs.app.layer_specs import Role, layer_specs
from napari_adacs.app.layers import image_of, layer_kwargs
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.session import LayerRef, Run
from napari_adacs.app.trust_curve import (
    Region,
    maps_of,
    shown_map,
    trust_curve,
    trust_request,
)
from napari_adacs.errors import InputError
from napari_adacs.evaluation.sparsification import sparsification
from napari_adacs.spatial.grid import Grid
from tests.app.results import made_up_result

GRID = Grid.from_spacing((8, 9, 10), (1, 2, 3)).transposed()


def no_report(fraction: float, message: str) -> None:
    pass


def run_with(**changes: Any) -> Run:
    rng = np.random.default_rng(1)
    maps = {
        'residual': rng.random(GRID.shape, np.float32),
        'score': rng.random(GRID.shape, np.float32),
        'variance': rng.random(GRID.shape, np.float32),
    }
    result: Any = dataclasses.replace(
        made_up_result(GRID), **{**maps, **changes}
    )
    side = LayerRef('fixed', 'ES')
    return Run('g', 'a → b [m]', side, side, result)


@pytest.mark.parametrize('role', [Role.VARIANCE, Role.SCORE])
def test_the_curve_is_that_of_the_map(
    viewer_model: ViewerModel, role: Role
) -> None:
    run = run_with()
    request = trust_request(viewer_model, run, role, Region.WHOLE, None)
    found = trust_curve(request, no_report, Event())
    doubt = run.result.maps[role.value]
    doubt = 1 - doubt if role is Role.SCORE else doubt
    expected = sparsification(run.result.residual.astype(float) ** 2, doubt)
    assert found.curves.ause == pytest.approx(expected.ause)
    assert found.curves.aurg == pytest.approx(expected.aurg)
    assert f'AUSE {expected.ause:.3g}' in found.sentence()
    assert '720 voxels' in found.sentence()


def test_a_region_is_the_fixed_labels(viewer_model: ViewerModel) -> None:
    run = run_with()
    inside = np.zeros(GRID.shape, np.uint8)
    inside[2:6, 2:6, 2:6] = 3
    labels = image_of(viewer_model.add_labels(inside, **layer_kwargs(GRID)))
    request = trust_request(
        viewer_model, run, Role.VARIANCE, Region.LABELS, labels
    )
    found = trust_curve(request, no_report, Event())
    expected = sparsification(
        run.result.residual.astype(float) ** 2,
        run.result.variance,
        mask=inside > 0,
    )
    assert found.curves.ause == pytest.approx(expected.ause)


def test_a_region_needs_its_layer(viewer_model: ViewerModel) -> None:
    run = run_with()
    for region in (Region.LABELS, Region.SIGNAL):
        with pytest.raises(InputError, match='whole image'):
            trust_request(viewer_model, run, Role.SCORE, region, None)


def test_an_empty_region_is_refused(viewer_model: ViewerModel) -> None:
    run = run_with()
    layer = viewer_model.add_image(
        np.zeros(GRID.shape), **layer_kwargs(run.result.field.grid)
    )
    run = dataclasses.replace(
        run, fixed=LayerRef(str(layer.unique_id), layer.name)
    )
    request = trust_request(viewer_model, run, Role.SCORE, Region.SIGNAL, None)
    with pytest.raises(InputError, match='no voxel'):
        trust_curve(request, no_report, Event())


def test_the_map_that_is_shown_comes_first(viewer_model: ViewerModel) -> None:
    run = run_with()
    group = ResultGroup(viewer_model, 'g', 'a', layer_kwargs(GRID))
    list(group.show(layer_specs(run.result)[0]))
    layers = group.layers()
    layers[Role.SCORE].visible = False
    layers[Role.VARIANCE].visible = True
    assert shown_map(viewer_model, run) is Role.VARIANCE
    layers[Role.VARIANCE].visible = False
    layers[Role.SCORE].visible = True
    assert shown_map(viewer_model, run) is Role.SCORE


def test_a_model_without_maps_has_none(viewer_model: ViewerModel) -> None:
    run = run_with(score=None, variance=None)
    assert maps_of(run) == []
    assert shown_map(viewer_model, run) is None


def test_the_curves_can_be_taken_along(
    viewer_model: ViewerModel, tmp_path: Path
) -> None:
    run = run_with()
    request = trust_request(
        viewer_model, run, Role.VARIANCE, Region.WHOLE, None
    )
    found = trust_curve(request, no_report, Event())
    found.save(str(tmp_path / 'a.csv'))
    rows = list(csv.DictReader((tmp_path / 'a.csv').open(encoding='utf-8')))
    assert len(rows) == 201
    assert float(rows[0]['mean error']) == pytest.approx(found.curves.random)
    assert float(rows[-1]['oracle']) == 0
    assert len(found.text().splitlines()) == 202
    with pytest.raises(InputError):
        found.save(str(tmp_path / 'a.xlsx'))
