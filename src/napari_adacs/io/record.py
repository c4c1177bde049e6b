"""The record of a run: enough to know, and to repeat, what was done."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.io.atomic import atomic_path
from napari_adacs.io.json_types import Json, to_json
from napari_adacs.io.memory import check_budget
from napari_adacs.spatial.grid import Grid

SCHEMA_VERSION = 1

_PACKAGES = ('napari-adacs', 'torch', 'numpy', 'scipy', 'nibabel', 'napari')
_LARGEST_RECORD = 64_000_000
_HINT = 'Choose the run.json of a registration.'


def package_versions() -> dict[str, str]:
    """Return the versions of Python, this package and what it computes with.

    Nothing is imported; packages that are not installed are left out.
    """
    versions = {'python': platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def describe_array(
    data: NDArray[Any], grid: Grid | None = None, name: str = ''
) -> dict[str, Json]:
    """Describe an input so that it can be recognised.

    Parameters
    ----------
    data : numpy.ndarray
        The image or segmentation.
    grid : Grid, optional
        Where it lies.
    name : str, default: ''
        Name of the file or layer it came from.

    Returns
    -------
    dict
        Name, shape, type, SHA-256 of the values in C order, and the grid.
    """
    values = np.ascontiguousarray(data)
    digest = hashlib.sha256(values.reshape(-1).view(np.uint8).data)
    return {
        'name': name,
        'shape': [int(n) for n in data.shape],
        'dtype': data.dtype.name,
        'sha256': digest.hexdigest(),
        'grid': None if grid is None else to_json(grid),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec='seconds')


@dataclass(frozen=True, eq=False)
class RunRecord:
    """What was done, with what, on what, and what came out.

    Values may be anything that `to_json` takes; a record that was read from
    a file has plain JSON types.

    Parameters
    ----------
    task : str
        The verb: 'register', 'evaluate', 'train', ...
    config : mapping
        The settings of the run.
    inputs : mapping
        What `describe_array` says of each input, under its role: 'moving',
        'fixed', 'moving_labels', ...
    model : mapping
        Name, sha256, licence and what else is known of the model.
    command, python : str
        The shell line and the Python lines that repeat the run.
    device : str
        Where it was computed.
    timings_s : mapping
        Seconds per step.
    metrics : sequence of mapping
        Rows of the table of metrics.
    notes : sequence of str
        What the user was told.
    created : str
        Date and time, ISO 8601, UTC.
    versions : mapping of str to str
        Versions of Python and of the packages that matter.
    schema : int
        Version of this layout.
    """

    task: str
    config: Mapping[str, object] = field(default_factory=dict)
    inputs: Mapping[str, object] = field(default_factory=dict)
    model: Mapping[str, object] = field(default_factory=dict)
    command: str = ''
    python: str = ''
    device: str = ''
    timings_s: Mapping[str, object] = field(default_factory=dict)
    metrics: Sequence[Mapping[str, object]] = ()
    notes: Sequence[str] = ()
    created: str = field(default_factory=_now)
    versions: Mapping[str, str] = field(default_factory=package_versions)
    schema: int = SCHEMA_VERSION

    def to_dict(self) -> dict[str, Json]:
        """Return the record in plain JSON types, keys in a fixed order."""
        first = ['schema', 'task', 'created', 'versions']
        names = [item.name for item in dataclasses.fields(self)]
        rest = [name for name in names if name not in first]
        return {name: to_json(getattr(self, name)) for name in first + rest}


def save_record(path: str | os.PathLike[str], record: RunRecord) -> None:
    """Write a run record as JSON, atomically.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    text = json.dumps(
        record.to_dict(), indent=2, ensure_ascii=False, allow_nan=False
    )
    with atomic_path(path) as temporary:
        temporary.write_text(f'{text}\n', encoding='utf-8')


def load_record(path: str | os.PathLike[str]) -> RunRecord:
    """Read a run record.

    Raises
    ------
    InputError
        If there is no such file, or it is not a run record of this version
        or an older one.
    """
    file = Path(path).expanduser()
    try:
        check_budget(file.name, file.stat().st_size, _LARGEST_RECORD)
        text = file.read_bytes().decode('utf-8')
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise InputError(f'Cannot read {file}: {reason}.', _HINT) from error
    except UnicodeDecodeError as error:
        raise _not_a_record(file) from error
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _not_a_record(file) from error
    return _from_json(content, file)


def _from_json(content: object, file: Path) -> RunRecord:
    """Check the types of the fields; unknown fields are left out."""
    if not isinstance(content, dict):
        raise _not_a_record(file)
    schema = content.get('schema')
    if type(schema) is int and schema > SCHEMA_VERSION:
        raise InputError(
            f'{file.name} was written by a newer version of napari-adacs.',
            'Update the plugin to read it.',
        )
    if not {'schema', 'task', 'created', 'versions'} <= content.keys():
        raise _not_a_record(file)
    model = RunRecord(task='')
    found: dict[str, Any] = {}
    for item in dataclasses.fields(RunRecord):
        value = content.get(item.name, getattr(model, item.name))
        kind = type(to_json(getattr(model, item.name)))
        if type(to_json(value)) is not kind:
            raise _not_a_record(file)
        found[item.name] = value
    return RunRecord(**found)


def _not_a_record(file: Path) -> InputError:
    return InputError(f'{file.name} is not a run record.', _HINT)
