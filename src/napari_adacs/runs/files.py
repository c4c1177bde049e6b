"""Small files through which a run and its watchers talk.

They are replaced whole, many times a minute, and nothing is lost with one:
unlike `io.atomic` nobody waits for the disk.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

RUN = 'run.json'
STATUS = 'status.json'
CONTROL = 'control.json'
CONFIG = 'config.toml'
OUTPUT = 'output.txt'
OUTCOME = 'before_after.csv'
KEPT = 'kept.json'

# On Windows a file that is being read cannot be replaced for a moment.
_ATTEMPTS = 20
_PAUSE = 0.01


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Replace a file; the last of two writers wins.

    Raises
    ------
    OSError
        If the folder is gone, full or closed to us.
    """
    temporary = path.with_name(f'.tmp-{secrets.token_hex(4)}-{path.name}')
    try:
        temporary.write_text(json.dumps(values, indent=1) + '\n', 'utf-8')
        _replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _replace(temporary: Path, path: Path) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            os.replace(temporary, path)
        except PermissionError:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_PAUSE)
        else:
            return


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what a file holds; None if there is none that can be read."""
    try:
        values = json.loads(path.read_text('utf-8'))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None
