"""What a run will do, or why it cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_adacs.app.finetune import preflight as module
from napari_adacs.app.finetune.preflight import (
    memory_gb,
    preflight,
    start_of,
)
from napari_adacs.app.finetune.survey import Survey
from napari_adacs.app.finetune.wishes import SCRATCH, usual_wishes
from napari_adacs.errors import AdacsError

FOUND = Survey(2, 9, 1, 10, 1, (128, 128))
NAME = 'voxelmorph-adacs-echo2d'


def _preflight(**changes: object):
    start = start_of(str(changes.get('start', NAME)), FOUND.ndim)
    return preflight(
        replace(usual_wishes(start.header, 2), **changes), start, FOUND
    )


def test_one_line_says_everything() -> None:
    line = ' '.join(_preflight().sentences)
    assert '10 pairs of 10 patients, 1 held out with labels' in line
    assert 'Network voxelmorph on 128 × 128, 10 min on auto' in line
    assert 'GB of memory' in line
    steps = ' '.join(_preflight(minutes=None, steps=70).sentences)
    assert '70 steps on auto' in steps


@pytest.mark.parametrize(
    ('changes', 'sentence'),
    [
        ({'name': ''}, 'cannot be the name of a model'),
        ({'name': '../model'}, 'cannot be the name of a model'),
        ({'name': NAME}, 'There is a model called'),
        ({'dice_weight': 0.1}, 'not said which labels'),
        ({'shape': (16, 16, 16)}, 'network grid has 3 axes'),
        ({'batch_size': 10**6}, 'This training needs about'),
        ({'ema': 1.5}, "'optimiser.ema' must be"),
    ],
)
def test_what_cannot_be_is_said(
    changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(AdacsError, match=sentence):
        _preflight(**changes)


@pytest.mark.parametrize(
    ('value', 'ndim', 'sentence'),
    [
        (NAME, 3, 'is for 2D images; these are 3D'),
        ('from-zero-2d', 2, 'cannot be trained'),
        ('nothing', 2, "no model called 'nothing'"),
    ],
)
def test_a_start_that_does_not_do(
    value: str, ndim: int, sentence: str
) -> None:
    with pytest.raises(AdacsError, match=sentence):
        start_of(value, ndim)


def test_more_voxels_need_more_memory() -> None:
    small = memory_gb(_preflight(batch_size=2).config)
    large = memory_gb(_preflight(batch_size=16).config)
    assert 0.3 < small < large < 2


def test_a_memory_cap_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = module.compute_settings()
    monkeypatch.setattr(
        module,
        'compute_settings',
        lambda: replace(settings, memory_cap_gb=0.2),
    )
    with pytest.raises(AdacsError, match='allowed in the preferences'):
        _preflight()


def test_scratch_has_no_header() -> None:
    assert start_of(SCRATCH, 2).header is None
