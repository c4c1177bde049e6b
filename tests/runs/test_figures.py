"""A log is read as it grows, in portions, and anew when it was cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_adacs.runs.figures import FigureReader
from napari_adacs.training.log import CsvLog


def test_a_log_is_read_as_it_grows(tmp_path: Path) -> None:
    reader = FigureReader(tmp_path)
    assert reader.read() == {}
    log = CsvLog(tmp_path)
    log.write(1, {'data': 0.5, 'momentum': 1.0})
    first = reader.read()
    assert first['data'].values.tolist() == [0.5]
    log.write(2, {'data': 0.25})
    log.close()
    with (tmp_path / 'log.csv').open('a') as file:
        file.write('3,0.0,da')
    found = reader.read()
    assert found['data'].steps.tolist() == [1, 2]
    assert found['momentum'].steps.tolist() == [1]
    with (tmp_path / 'log.csv').open('a') as file:
        file.write('ta,0.125\n')
    assert reader.read()['data'].values.tolist() == [0.5, 0.25, 0.125]
    # what was handed out stays as it was
    assert first['data'].values.tolist() == [0.5]


def test_a_resumed_log_is_read_anew(tmp_path: Path) -> None:
    reader, log = FigureReader(tmp_path), CsvLog(tmp_path)
    for step in range(1, 6):
        log.write(step, {'data': 1 / step})
    log.close()
    assert len(reader.read()['data'].steps) == 5
    log = CsvLog(tmp_path, 2)  # killed after its checkpoint of step 2
    for step in range(3, 9):
        log.write(step, {'data': 1 / step})
    log.close()
    steps = reader.read()['data'].steps
    np.testing.assert_array_equal(steps, range(1, 9))


def test_a_long_log_comes_in_portions(tmp_path: Path) -> None:
    log = CsvLog(tmp_path)
    for step in range(100):
        log.write(step, {'data': float(step)})
    log.close()
    reader, counts = FigureReader(tmp_path), []
    for _ in range(100):
        found = reader.read(most_bytes=256)
        counts.append(len(found['data'].steps))
        if counts[-1] == 100:
            break
    assert 1 < len(counts) < 100
    assert counts == sorted(counts)
    np.testing.assert_array_equal(found['data'].values, range(100))
