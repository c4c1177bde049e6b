"""Records of cases on disk: one small file each, complete or absent."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from napari_adacs.benchmark.method import UNREGISTERED
from napari_adacs.benchmark.task import Record, Task
from napari_adacs.io.atomic import atomic_path

_FOLDER = 'cases'
# What methods were called in runs of earlier versions.
_FORMER = {UNREGISTERED: ('none',)}


class Store:
    """The folder of a benchmark.

    Parameters
    ----------
    folder : Path
        Made if it is missing. Leftovers of a killed run are removed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        root = folder / _FOLDER
        root.mkdir(parents=True, exist_ok=True)
        for leftover in root.glob('*/.tmp-*'):
            leftover.unlink(missing_ok=True)

    def path(self, method: str, case: str) -> Path:
        """Return the file of a record."""
        return self.folder / _FOLDER / _safe(method) / f'{_safe(case)}.json'

    def write(self, record: Record) -> None:
        """Write one record; it appears complete or not at all."""
        target = self.path(record['method'], record['case'])
        target.parent.mkdir(exist_ok=True)
        text = json.dumps(record, allow_nan=False, ensure_ascii=False)
        with atomic_path(target) as temporary:
            temporary.write_text(text, encoding='utf-8')

    def read(self, task: Task) -> Record | None:
        """Return the record of a task; None if there is none that fits.

        A record fits if it was made from the same files by the same version
        of the method. A damaged file counts as none.
        """
        for label in (task.label, *_FORMER.get(task.label, ())):
            record = _read(self.path(label, task.case))
            same = record.get('made_from') == task.made_from
            if same and 'status' in record:
                return {**record, 'method': task.label}
        return None


def _read(path: Path) -> Record:
    """Return what a file holds; nothing if it is no record."""
    try:
        record: Any = json.loads(path.read_text('utf-8'))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def fingerprint(parts: Iterable[str]) -> str:
    """Return a short checksum of texts."""
    return hashlib.sha256('\n'.join(parts).encode()).hexdigest()[:20]


def _safe(name: str) -> str:
    """Return a file name for any name, distinct for distinct names."""
    plain = re.sub(r'[^A-Za-z0-9._-]', '_', name)
    if plain == name and not name.startswith('.') and len(name) < 100:
        return name
    return f'{plain[:80].lstrip(".")}-{fingerprint([name])[:8]}'
