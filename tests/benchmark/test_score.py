"""All numbers of a case, as JSON keeps them."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from napari_adacs.benchmark.method import Nothing, Outcome
from napari_adacs.benchmark.score import CURVE_POINTS, score
from napari_adacs.benchmark.sources import open_cases
from napari_adacs.evaluation.report import evaluate
from napari_adacs.spatial.field import DisplacementField


@pytest.fixture(scope='module')
def case():
    return open_cases('phantom:1', 2).load('phantom2d-200000')


@pytest.fixture(scope='module')
def perfect(case):
    """The true field; a variance that knows it, a score that does not."""
    field = DisplacementField(case.truth, case.fixed.grid)
    rng = np.random.default_rng(0)
    residual = rng.normal(0, 0.1, case.fixed.grid.shape)
    maps = {
        'variance': np.full(residual.shape, 0.01, np.float32),
        'score': rng.uniform(0, 1, residual.shape).astype(np.float32),
    }
    return Outcome(field, maps, np.abs(residual).astype(np.float32))


def test_the_true_field(case, perfect):
    found = score(case, perfect)
    assert found['displacement_error']['mean'] == 0
    assert found['units'] == 'mm'
    rows = found['labels']['default']
    assert [r['label'] for r in rows] == [1, 2, 3, 'mean']
    assert all(row['dsc'] > 0.96 for row in rows)
    table = evaluate(case.moving_labels, case.fixed_labels, perfect.field)
    assert rows[0]['hd'] == pytest.approx(table.rows[0].hd_after)
    assert found['labels']['code'][0]['dsc'] < rows[0]['dsc']


def test_maps(case, perfect):
    maps = score(case, perfect)['maps']
    variance = maps['variance']
    assert variance['calibration']['scale'] == pytest.approx(1, abs=0.05)
    assert 'calibration' not in maps['score']
    # a constant map orders nothing
    assert variance['residual']['spearman'] is None
    assert maps['score']['residual']['spearman'] == pytest.approx(0, abs=0.05)
    assert len(variance['residual']['curve']) == CURVE_POINTS
    assert set(variance) == {'residual', 'displacement', 'calibration'}


def test_it_is_json(case, perfect):
    text = json.dumps(score(case, perfect), allow_nan=False)
    assert json.loads(text)['folding']['folded_percent'] == 0


def test_without_labels_and_truth(case):
    bare = dataclasses.replace(
        case, moving_labels=None, fixed_labels=None, truth=None, inside=None
    )
    found = score(bare, Nothing().register(bare, 1))
    assert found['labels'] == {}
    assert 'displacement_error' not in found
    assert found['folding']['sd_log_jacobian'] == 0
    assert bare.region.sum() < bare.fixed.data.size


def test_background_only(case):
    nothing = np.zeros(case.fixed.grid.shape, np.uint8)
    empty = dataclasses.replace(
        case, moving_labels=nothing, fixed_labels=nothing
    )
    assert score(empty, Nothing().register(empty, 1))['labels'] == {}
