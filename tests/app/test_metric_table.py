"""The table of metrics as text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_adacs.app.metric_table import (
    metric_table,
    plain_text,
    remarks,
    save_table,
    tab_separated,
)
from napari_adacs.errors import InputError
from napari_adacs.evaluation.report import Evaluation, evaluate
from napari_adacs.spatial.grid import Grid

GRID = Grid.from_spacing((6, 6, 6), (1, 1, 2))


def blocks(*values: int) -> np.ndarray:
    """Return a volume with one slab per label."""
    labels = np.zeros((6, 6, 6), np.uint8)
    for row, value in enumerate(values):
        labels[row, 1:5, 1:5] = value
    return labels


def evaluation(**more: object) -> Evaluation:
    return evaluate(
        blocks(1, 1, 2, 2),
        blocks(1, 2, 2, 2),
        warped_labels=blocks(1, 2, 2, 2),
        grid=GRID,
        **more,  # type: ignore[arg-type]
    )


def test_cells_are_before_and_after() -> None:
    table = metric_table(evaluation(label_names={1: 'cavity'}))
    assert table.headers == (
        'Label',
        'DSC',
        'HD (mm)',
        'HD95 (mm)',
        'ASD (mm)',
    )
    assert [row[0] for row in table.rows] == ['1 cavity', '2', 'mean']
    # label 1: 32 voxels against 16, 16 of them in common
    assert table.rows[0][1] == '0.667 → 1.000'
    assert table.rows[0][2] == '1.0 → 0.0'
    assert table.notes == ('', '', '')
    assert all(table.meanings)


def test_what_was_not_computed_is_a_dash() -> None:
    found = evaluate(blocks(1), blocks(1))
    table = metric_table(found)
    assert table.headers[2] == 'HD (voxels)'
    assert table.rows[0][1] == '1.000 → –'
    assert remarks(found) == []


def test_the_terminal_gets_aligned_columns() -> None:
    lines = plain_text(evaluation()).splitlines()
    starts = [
        line.index(cell)
        for line, cell in zip(
            lines, ('DSC', '0.667', '0.800', '0.733'), strict=True
        )
    ]
    assert len(set(starts)) == 1


def test_labels_with_doubts_are_named_but_not_all() -> None:
    found = evaluate(blocks(1, 2, 3, 4), blocks(1))
    text = remarks(found, most=2)
    assert text[0].startswith('Label 2: missing in fixed')
    assert text[1].startswith('Label 3: missing in fixed')
    assert text[2] == '1 more labels have notes.'
    assert len(remarks(found)) == 3


def test_spreadsheets_get_all_digits() -> None:
    found = evaluation()
    head, first, *_ = (
        line.split('\t') for line in tab_separated(found).splitlines()
    )
    assert len(head) == len(first)
    value = first[head.index('DSC before')]
    assert float(value) == found.rows[0].dsc_before
    assert first[head.index('folded percent')] == ''


@pytest.mark.parametrize('name', ['a.csv', 'A.CSV', 'a.md'])
def test_tables_are_written_as_their_name_says(
    tmp_path: Path, name: str
) -> None:
    save_table(tmp_path / name, evaluation())
    text = (tmp_path / name).read_text(encoding='utf-8')
    assert text.startswith('| label' if name.endswith('md') else 'label,')


def test_other_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'\.csv or \.md'):
        save_table(tmp_path / 'a.txt', evaluation())
    assert list(tmp_path.iterdir()) == []
