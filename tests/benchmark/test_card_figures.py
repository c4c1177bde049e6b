"""The figures that go into a model's card."""

from __future__ import annotations

import numpy as np
import pytest

from napari_adacs.benchmark.card_figures import case_figures, overlap_figures
from napari_adacs.models.card import model_card
from napari_adacs.models.header import ModelHeader
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid

SHAPE = (24, 24)


def square(start: int) -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[8:16, start : start + 8] = 2
    return labels


def shifted(by: float) -> DisplacementField:
    voxels = np.zeros((2, *SHAPE), np.float32)
    voxels[1] = by
    return DisplacementField(voxels, Grid.from_spacing(SHAPE, 1.0))


def test_a_case_by_hand() -> None:
    # the moving square lies two voxels to the right of the fixed one
    case = case_figures(shifted(2), square(10), square(8), 'a')
    assert case.before[2]['DSC'] == pytest.approx(0.75)
    assert case.before[2]['HD'] == pytest.approx(2)
    assert case.after[2] == {'DSC': 1, 'HD': 0, 'ASD': 0}
    assert case.folded == 0
    assert case.patient == 'a'


def test_means_intervals_and_the_worst_three() -> None:
    cases = [
        case_figures(shifted(by), square(10), square(8), f'p{i // 2}_{i}', 'x')
        for i, by in enumerate((2, 2, 1, 0, -1, -2))
    ]
    found = overlap_figures(cases)
    assert found['cases'] == 6
    assert found['patients'] == 1
    assert found['DSC before'] == {2: pytest.approx(0.75)}
    wanted = np.mean([1, 1, 0.875, 0.75, 0.625, 0.5])
    assert found['DSC'] == {2: pytest.approx(wanted, abs=1e-3)}
    assert found['HD'][2] == pytest.approx(10 / 6, abs=1e-3)
    assert [f['case'] for f in found['failures']] == ['p2_5', 'p2_4', 'p1_3']
    assert found['failures'][0]['labels'] == {2: 0.5}


def test_labels_that_one_frame_lacks_do_not_count() -> None:
    moving = square(10)
    moving[0, 0] = 7
    case = case_figures(shifted(2), moving, square(8), 'a')
    assert list(case.after) == [2]
    nothing = case_figures(shifted(0), np.zeros_like(moving), square(8), 'b')
    found = overlap_figures([case, nothing])
    assert found['cases'] == 2
    assert [f['case'] for f in found['failures']] == ['a']


def test_the_card_understands_them() -> None:
    found = overlap_figures(
        [case_figures(shifted(1), square(10), square(8), 'worst one')]
    )
    header = ModelHeader(
        name='m', ndim=2, network='pyramid', scheme='x', metrics={'d': found}
    )
    text = model_card(ModelHeader.from_json(header.to_json())).to_text()
    assert 'worst cases: worst one, mean DSC 0.75 -> 0.875' in text
    assert 'HD before' in text
    assert 'distances in voxels' in text
