"""Reviews as files: JSON, written at once and whole."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_adacs.app.review.identity import Identity
from napari_adacs.app.review.verdicts import Judgement, Place, Verdict
from napari_adacs.errors import InputError
from napari_adacs.io.atomic import atomic_path
from napari_adacs.io.json_types import to_json
from napari_adacs.io.memory import check_budget

SCHEMA_VERSION = 1
_LARGEST = 64_000_000
_HINT = 'Move the file elsewhere to start a new review.'

Points = list[list[float]]


@dataclass(frozen=True)
class Saved:
    """What a review file holds.

    Parameters
    ----------
    identity : Identity
        The result it belongs to.
    judgements : mapping of (axis, index) to Judgement
        The verdicts and notes.
    landmarks : mapping of str to list of list of float
        World positions in the unit of the fixed grid, LPS (x, y[, z]),
        under 'moving' and 'fixed'.
    """

    identity: Identity
    judgements: Mapping[Place, Judgement] = field(default_factory=dict)
    landmarks: Mapping[str, Points] = field(default_factory=dict)


def save_review(path: Path, saved: Saved) -> None:
    """Write a review, atomically; missing folders are made.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    text = json.dumps(_to_dict(saved), indent=1, ensure_ascii=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f'Cannot make the folder {path.parent}.',
            'Choose a folder you may write to.',
        ) from error
    with atomic_path(path) as temporary:
        temporary.write_text(f'{text}\n', encoding='utf-8')


def load_review(path: Path, identity: Identity) -> Saved | None:
    """Read the review of a result; None if there is no file.

    Raises
    ------
    InputError
        If it is no review, belongs to another result, or was written by a
        newer version.
    """
    try:
        check_budget(path.name, path.stat().st_size, _LARGEST)
        content = json.loads(path.read_bytes().decode('utf-8'))
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise InputError(f'Cannot read {path}: {reason}.', _HINT) from error
    except (ValueError, RecursionError) as error:
        raise _no_review(path) from error
    saved = _from_dict(content, path)
    if saved.identity.key != identity.key:
        raise InputError(
            f'{path} is the review of another result, {saved.identity}.',
            _HINT,
        )
    if saved.identity.shape != identity.shape:
        raise _no_review(path)
    return saved


class Saver:
    """Writes the latest state of a review in a thread of its own.

    Every state is written at once, unless a newer one comes meanwhile: slow
    disks never hold up the window, and a crash loses what was said in the
    last milliseconds.

    Parameters
    ----------
    path : Path
        The file.
    on_error : callable
        Called from the thread with a sentence if writing fails.
    """

    def __init__(self, path: Path, on_error: Callable[[str], None]) -> None:
        self.path = path
        self._on_error = on_error
        self._waiting: Saved | None = None
        self._writing = False
        self._closed = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(
            target=self._write_all, name='review-saver', daemon=True
        )
        self._thread.start()

    def save(self, saved: Saved) -> None:
        """Write a state as soon as possible; returns at once."""
        with self._condition:
            self._waiting = saved
            self._condition.notify_all()

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Wait until everything is written; return whether it is."""
        with self._condition:
            return self._condition.wait_for(
                lambda: self._waiting is None and not self._writing, timeout_s
            )

    def close(self) -> None:
        """Write what is waiting and end the thread."""
        self.flush()
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._thread.join(10.0)

    def _write_all(self) -> None:
        while True:
            with self._condition:
                self._writing = False
                self._condition.notify_all()
                self._condition.wait_for(
                    lambda: self._closed or self._waiting is not None
                )
                if self._waiting is None:
                    return
                saved, self._waiting = self._waiting, None
                self._writing = True
            try:
                save_review(self.path, saved)
            except (InputError, OSError) as error:
                self._on_error(f'The review was not saved. {error}')


def _to_dict(saved: Saved) -> dict[str, Any]:
    identity = saved.identity
    axes: dict[str, dict[str, Any]] = {}
    for (axis, index), judgement in sorted(saved.judgements.items()):
        axes.setdefault(str(axis), {})[str(index)] = {
            'verdict': judgement.verdict,
            'note': judgement.note,
            'at': judgement.at,
        }
    return {
        'schema': SCHEMA_VERSION,
        'task': 'review',
        'result': to_json(identity),
        'axes': to_json(axes),
        'landmarks': to_json(saved.landmarks),
    }


def _from_dict(content: object, path: Path) -> Saved:
    if not isinstance(content, dict) or content.get('task') != 'review':
        raise _no_review(path)
    schema = content.get('schema')
    if type(schema) is not int:
        raise _no_review(path)
    if schema > SCHEMA_VERSION:
        raise InputError(
            f'{path.name} was written by a newer version of napari-adacs.',
            'Update the plugin to read it.',
        )
    try:
        identity = _identity(content['result'])
        return Saved(
            identity,
            _judgements(content['axes'], identity.shape),
            _landmarks(content.get('landmarks', {}), len(identity.shape)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _no_review(path) from error


def _identity(content: dict[str, Any]) -> Identity:
    texts = [content[name] for name in ('key', 'moving', 'fixed', 'model')]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError('names must be text')
    key, moving, fixed, model = texts
    shape = tuple(int(n) for n in content['shape'])
    return Identity(key, moving, fixed, model, shape)


def _judgements(
    content: dict[str, Any], shape: tuple[int, ...]
) -> dict[Place, Judgement]:
    found = {}
    for axis, slices in content.items():
        for index, said in slices.items():
            place = int(axis), int(index)
            if not 0 <= place[0] < len(shape) or place[1] < 0:
                raise ValueError('no such axis')
            verdict = said.get('verdict')
            found[place] = Judgement(
                None if verdict is None else Verdict(verdict),
                str(said.get('note', '')),
                str(said.get('at', '')),
            )
    return found


def _landmarks(content: dict[str, Any], ndim: int) -> dict[str, Points]:
    found = {}
    for role in ('moving', 'fixed'):
        rows = [[float(x) for x in row] for row in content.get(role, [])]
        if any(len(row) != ndim for row in rows):
            raise ValueError('landmarks have other axes')
        found[role] = rows
    return found


def _no_review(path: Path) -> InputError:
    return InputError(f'{path} is not a review of a registration.', _HINT)
