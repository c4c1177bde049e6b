"""Records of cases on disk: one small file each, complete or absent."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from napari_adacs.benchmark.task import Record, Task
from napari_adacs.io.atomic import atomic_path

_FOLDER = 'cases'


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
        try:
            text = self.path(task.label, task.case).read_text('utf-8')
            record: Any = json.loads(text)
        except (OSError, ValueError):
            return None
        if not isinstance(record, dict):
            return None
        same = record.get('made_from') == task.made_from
        return record if same and 'status' in record else None


def fingerprint(parts: Iterable[str]) -> str:
    """Return a short checksum of texts."""
    return hashlib.sha256('\n'.join(parts).encode()).hexdigest()[:20]


def _safe(name: str) -> str:
    """Return a file name for any name, distinct for distinct names."""
    plain = re.sub(r'[^A-Za-z0-9._-]', '_', name)
    if plain == name and not name.startswith('.') and len(name) < 100:
        return name
    return f'{plain[:80].lstrip(".")}-{fingerprint([name])[:8]}'
