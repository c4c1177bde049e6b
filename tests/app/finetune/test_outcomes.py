"""What came out of a run, for people."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_adacs.app.finetune.outcomes import (
    HEADERS,
    meanings,
    offer,
    rows_of,
)
from napari_adacs.models.library import FOLDER_VARIABLE, list_models
from napari_adacs.runs.outcome import Comparison, Outcome
from tests.small_models import save_small_model

NAN = float('nan')
ROWS = (
    Comparison('DSC', '2', '', 0.5, 0.61234, 0.7, 9, 4, 0.0001),
    Comparison('ASD', '2', 'mm', 4.0, 2.5, 2.25, 9, 4, 0.04),
    Comparison('folded %', '', '', NAN, 0.0123, 0.0, 9, 4, NAN),
)


@pytest.fixture
def outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """The model of a run, and an empty model folder."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / 'models'))
    monkeypatch.setattr(
        'napari_adacs.models.library._BUNDLED', tmp_path / 'none'
    )
    run = tmp_path / 'run'
    run.mkdir()
    bundle = save_small_model(run).rename(run / 'model.safetensors')
    return Outcome(bundle, 'small-2d', 'the start', ROWS, 60.0)


def test_the_model_is_offered_once(outcome: Outcome) -> None:
    folder = outcome.bundle.parent
    first = offer(folder, outcome)
    assert first.name == 'small-2d'
    assert first.model == 'small-2d'
    assert 'Offered in the Register dock as small-2d.' in first.sentence
    assert '9 held-out pairs' in first.sentence
    (entry,) = list_models()
    # who removes it does not want it again
    entry.path.unlink()
    assert offer(folder, outcome).name == 'small-2d'
    assert list_models() == []


def test_a_model_folder_that_is_none_is_said(
    outcome: Outcome, tmp_path: Path
) -> None:
    (tmp_path / 'models').touch()
    found = offer(outcome.bundle.parent, outcome)
    assert found.name == ''
    assert found.model == str(outcome.bundle)
    assert str(outcome.bundle) in found.sentence
    assert 'folder' in found.sentence


def test_the_table_has_a_row_per_measure(outcome: Outcome) -> None:
    rows = rows_of(outcome)
    assert rows[0] == (
        'DSC 2',
        '0.500',
        '0.612',
        '0.700',
        '<\N{NO-BREAK SPACE}0.001',
    )
    assert rows[1] == ('ASD 2 (mm)', '4.00', '2.50', '2.25', '0.040')
    assert rows[2] == ('folded %', '–', '0.0123', '0', '–')
    assert len(HEADERS) == len(rows[0]) == len(meanings(outcome))
    assert 'the start' in meanings(outcome)[2]
    assert '4 patients' in meanings(outcome)[4]
