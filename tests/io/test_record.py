from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_adacs.errors import InputError
from napari_adacs.io.json_types import to_json
from napari_adacs.io.record import (
    SCHEMA_VERSION,
    RunRecord,
    describe_array,
    load_record,
    package_versions,
    save_record,
)
from napari_adacs.spatial.grid import Grid


class Scheme(StrEnum):
    ADACS = 'adacs'


@dataclass(frozen=True)
class Config:
    model: str = 'auto'
    scheme: Scheme = Scheme.ADACS
    spacing: tuple[float, ...] = (1.0, 2.0)
    refine_steps: int = 0


def example() -> RunRecord:
    image = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    grid = Grid.from_spacing(image.shape, (3, 2, 1))
    return RunRecord(
        task='register',
        config=asdict(Config()),
        inputs={'fixed': describe_array(image, grid, 'ES.nii.gz')},
        model={'name': 'voxelmorph', 'sha256': 'ab', 'licence': 'MIT'},
        command='napari-adacs register ED.nii.gz ES.nii.gz -o "Größe"',
        python='na.register(moving, fixed)',
        device='cpu',
        timings_s={'network': np.float32(0.25), 'total': 1},
        metrics=[
            {'label': np.int64(1), 'dsc': np.float64(0.75), 'hd': np.nan}
        ],
        notes=['The spacing was 1.'],
    )


def test_round_trip(tmp_path: Path) -> None:
    record = example()
    path = tmp_path / 'run.json'
    save_record(path, record)
    again = load_record(path)
    assert again.to_dict() == record.to_dict()
    assert again.config == {
        'model': 'auto',
        'scheme': 'adacs',
        'spacing': [1.0, 2.0],
        'refine_steps': 0,
    }
    assert again.metrics == [{'label': 1, 'dsc': 0.75, 'hd': None}]
    assert again.timings_s == {'network': 0.25, 'total': 1}
    assert again.schema == SCHEMA_VERSION
    save_record(tmp_path / 'again.json', again)
    assert (tmp_path / 'again.json').read_bytes() == path.read_bytes()


def test_order_of_the_keys(tmp_path: Path) -> None:
    save_record(tmp_path / 'run.json', example())
    text = (tmp_path / 'run.json').read_text('utf-8')
    assert list(json.loads(text))[:4] == [
        'schema',
        'task',
        'created',
        'versions',
    ]
    assert 'Größe' in text and 'NaN' not in text and text.endswith('}\n')


def test_versions_and_date() -> None:
    versions = package_versions()
    assert versions['numpy'] == np.__version__
    assert {'python', 'nibabel'} <= versions.keys()
    record = RunRecord(task='evaluate')
    assert record.versions == versions
    assert record.created.endswith('+00:00')


def test_inputs_are_recognised_by_their_values() -> None:
    data = np.random.default_rng(0).random((4, 5, 6)).astype(np.float32)
    first = describe_array(data)
    assert describe_array(np.asfortranarray(data)) == first
    assert describe_array(data[::-1])['sha256'] != first['sha256']
    changed = data.copy()
    changed[0, 0, 0] += 1e-3
    assert describe_array(changed)['sha256'] != first['sha256']
    for dtype in (bool, np.uint8, np.float64):
        json.dumps(describe_array(data.astype(dtype), name='x'))
    assert first['shape'] == [4, 5, 6] and first['dtype'] == 'float32'


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.int8(-3), -3),
        (np.array([[1, 2]]), [[1, 2]]),
        (float('inf'), None),
        ((1, None, 'x'), [1, None, 'x']),
        ({1: Scheme.ADACS}, {'1': 'adacs'}),
        (Path('a') / 'b', os.path.join('a', 'b')),
        (datetime(2026, 11, 21), '2026-11-21T00:00:00'),
        (Config(), to_json(vars(Config()))),
    ],
)
def test_plain_types(value: object, expected: object) -> None:
    found = to_json(value)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize('value', [object(), {1, 2}, b'x', 1j, Config])
def test_other_types_are_a_mistake(value: object) -> None:
    with pytest.raises(TypeError, match='no place in a run record'):
        to_json({'x': [value]})


def edited(change: dict[str, Any]) -> str:
    content = {**example().to_dict(), **change}
    return json.dumps({k: v for k, v in content.items() if v is not ...})


@pytest.mark.parametrize(
    'text',
    [
        '',
        '[]',
        '{"a": 1}',
        'null',
        '[' * 100_000,
        edited({'schema': '1'}),
        edited({'schema': None}),
        edited({'task': 3}),
        edited({'metrics': {}}),
        edited({'inputs': []}),
    ],
)
def test_other_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / 'run.json'
    path.write_text(text)
    with pytest.raises(InputError, match='run.json is not a run record'):
        load_record(path)


def test_newer_older_and_missing(tmp_path: Path) -> None:
    path = tmp_path / 'run.json'
    path.write_text(edited({'schema': SCHEMA_VERSION + 1, 'new': 1}))
    with pytest.raises(InputError, match='newer version'):
        load_record(path)
    path.write_text(edited({'unknown': 1}))
    assert load_record(path).task == 'register'
    content = example().to_dict()
    del content['notes']
    path.write_text(json.dumps(content))
    assert list(load_record(path).notes) == []
    path.write_bytes(b'\xff\xfe{}')
    with pytest.raises(InputError, match='is not a run record'):
        load_record(path)
    with pytest.raises(InputError, match='Cannot read .*none.json'):
        load_record(tmp_path / 'none.json')
    with pytest.raises(InputError, match='no folder'):
        save_record(tmp_path / 'none' / 'run.json', example())
