"""A model before and after: the same pairs, honest averages, fair tests."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from napari_adacs.benchmark.fine_tuning import (
    PairFigures,
    measure_model,
    spread,
)
from napari_adacs.benchmark.paired import compare
from napari_adacs.evaluation.report import evaluate
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid
from napari_adacs.training.pairs import PairList, TrainingPair
from tests.small_models import small_model
from tests.training.conftest import make_pairs

CPU = torch.device('cpu')


def figures(name: str, group: str, before: float, after: float) -> PairFigures:
    return PairFigures(
        name, group, 'mm', {('DSC', '1'): before}, {('DSC', '1'): after}
    )


def test_a_pair_is_measured_as_the_evaluate_dock_does() -> None:
    pair = make_pairs(1, (32, 32))[0]
    held_out = TrainingPair(
        pair.moving,
        pair.fixed,
        pair.moving_labels,
        pair.fixed_labels,
        'p',
        spacing=(0.5, 2.0),
        units='mm',
    )
    model = small_model(2)
    (found,) = measure_model(model, PairList([held_out]), [0], CPU)
    moving, fixed = (
        torch.from_numpy(image)[None, None]
        for image in (pair.moving, pair.fixed)
    )
    with torch.inference_mode():
        field = model.displacement(moving, fixed, inverse=False).displacement
    grid = Grid.from_spacing((32, 32), (0.5, 2.0))
    table = evaluate(
        pair.moving_labels,
        pair.fixed_labels,
        DisplacementField(field[0].numpy(), grid),
        grid=grid,
    )
    (row,) = table.rows
    assert found.registered['DSC', '1'] == row.dsc_after
    assert found.registered['HD', '1'] == row.hd_after
    assert found.registered['ASD', '1'] == row.asd_after
    assert found.unregistered['HD', '1'] == row.hd_before
    assert found.registered['folded %', ''] == table.folded_percent
    assert (found.units, found.group) == ('mm', 'p')
    assert ('MSE', '') not in found.registered


def test_without_labels_images_are_compared() -> None:
    pair = make_pairs(1, (32, 32))[0]
    plain = TrainingPair(pair.moving, pair.fixed)
    (found,) = measure_model(small_model(2), PairList([plain]), [0], CPU)
    assert found.unregistered['MSE', ''] == pytest.approx(
        float(np.square(pair.moving - pair.fixed).mean()), rel=1e-5
    )
    expected = np.corrcoef(pair.moving.ravel(), pair.fixed.ravel())[0, 1]
    assert found.unregistered['NCC', ''] == pytest.approx(expected, rel=1e-5)
    again = PairFigures.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found


def test_slices_of_a_patient_are_no_observations_of_their_own() -> None:
    """Forty slices of two patients say no more than two patients."""
    rng = np.random.default_rng(0)
    gains = rng.uniform(0.01, 0.05, 40)
    before, after = (
        [figures(f'{i}', f'{i % 2}', 0.4, 0.6 + g * k) for i, g in named]
        for k, named in ((0, enumerate(gains)), (1, enumerate(gains)))
    )
    (row,) = compare(before, after)
    assert (row.n, row.patients) == (40, 2)
    assert row.p == pytest.approx(0.5)  # the least that two can show
    assert row.before == pytest.approx(0.6)
    assert row.after == pytest.approx(0.6 + gains.mean())
    assert row.better
    alone = [
        figures(f'{i}', f'{i}', 0.4, 0.6 + g) for i, g in enumerate(gains)
    ]
    (row,) = compare(before, alone)
    assert row.p < 1e-6


def test_a_pair_without_a_value_counts_on_neither_side() -> None:
    before = [figures('a', 'a', 0.4, 0.5), figures('b', 'b', 0.4, 0.9)]
    after = [figures('a', 'a', 0.4, 0.6), figures('b', 'b', 0.4, float('nan'))]
    (row,) = compare(before, after)
    assert (row.before, row.after, row.n) == (0.5, 0.6, 1)
    assert np.isnan(row.p)


def test_without_a_start_model_before_is_no_registration() -> None:
    after = [figures('a', 'a', 0.4, 0.3), figures('b', 'b', 0.6, 0.5)]
    (row,) = compare(None, after)
    assert row.before == row.unregistered == pytest.approx(0.5)
    assert row.better is False


@pytest.mark.parametrize('count', [1, 2, 10, 147])
def test_the_first_pairs_are_spread_over_all(count: int) -> None:
    order = spread(count)
    assert sorted(order) == list(range(count))
    if count == 147:
        gaps = np.diff(sorted(order[:21]))
        assert gaps.max() <= 21
