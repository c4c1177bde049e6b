"""Pairs found by a pattern of file names.

``data/{patient}/{patient}_4CH_{ED>ES}[|_gt].nii.gz``: a name in braces is
any text, the same wherever it stands; ``{ED>ES}`` is what the moving and the
fixed image are called; ``[A|B]`` is A in the path of an image and B in that
of its segmentation.
"""

from __future__ import annotations

import re
from pathlib import Path

from napari_adacs.errors import InputError
from napari_adacs.io.pair_files import PairFiles

_ROLES = re.compile(r'\{([^{}>]*)>([^{}>]*)\}')
_KINDS = re.compile(r'\[([^\[\]|]*)\|([^\[\]|]*)\]')
_NAMES = re.compile(r'\{(\w+)\}')
_HINT = (
    "Write for instance 'data/{patient}/{patient}_{ED>ES}[|_gt].nii.gz', in "
    'quotes.'
)


def is_pattern(text: str) -> bool:
    """Return whether a text is a pattern of pairs."""
    return _ROLES.search(text) is not None


def find_by_pattern(pattern: str) -> list[PairFiles]:
    """Find pairs of files whose names follow a pattern.

    Parameters
    ----------
    pattern : str
        See the module. The patient is ``{patient}``, or the first name.

    Returns
    -------
    list of PairFiles
        In the order of their names. Segmentations are those that exist;
        an image without its partner is no pair.

    Raises
    ------
    InputError
        If the pattern cannot be understood, or no pair follows it.
    """
    names = list(dict.fromkeys(_NAMES.findall(pattern)))
    if not names or not is_pattern(pattern):
        raise InputError(
            f"'{pattern}' does not say what differs from pair to pair.", _HINT
        )
    moving = _of(pattern, role=0, kind=0)
    matcher = re.compile(_expression(moving))
    pairs = []
    for path in sorted(_candidates(moving)):
        match = matcher.fullmatch(path.as_posix())
        if match is None:
            continue
        pair = _pair(pattern, match.groupdict())
        if pair.fixed.exists():
            pairs.append(pair)
    if not pairs:
        raise InputError(f"No pair of files follows '{pattern}'.", _HINT)
    return pairs


def _of(pattern: str, role: int, kind: int) -> str:
    """Return the pattern of one of the four files of a pair."""
    chosen = _ROLES.sub(lambda m: m.group(role + 1), pattern)
    return str(
        Path(_KINDS.sub(lambda m: m.group(kind + 1), chosen)).expanduser()
    )


def _expression(pattern: str) -> str:
    """Return a regular expression with a group for each name."""
    seen: set[str] = set()
    parts = []
    for index, piece in enumerate(_NAMES.split(Path(pattern).as_posix())):
        if index % 2 == 0:
            parts.append(re.escape(piece))
        elif piece in seen:
            parts.append(f'(?P={piece})')
        else:
            seen.add(piece)
            parts.append(f'(?P<{piece}>[^/]+?)')
    return ''.join(parts)


def _candidates(pattern: str) -> set[Path]:
    parts = Path(pattern).parts
    fixed = 0
    while fixed < len(parts) - 1 and not _NAMES.search(parts[fixed]):
        fixed += 1
    root = Path(*parts[:fixed]) if fixed else Path()
    if not root.is_dir():
        raise InputError(f"There is no folder '{root}'.", _HINT)
    wanted = '/'.join(
        '*'.join(_escaped(p) for p in _NAMES.split(part)[::2])
        for part in parts[fixed:]
    )
    return {path for path in root.glob(wanted) if path.is_file()}


def _escaped(text: str) -> str:
    return re.sub(r'([*?\[])', r'[\1]', text)


def _pair(pattern: str, names: dict[str, str]) -> PairFiles:
    def path(role: int, kind: int) -> Path:
        chosen = _of(pattern, role, kind)
        return Path(_NAMES.sub(lambda m: names[m.group(1)], chosen))

    labels: list[Path | None] = [None, None]
    if _KINDS.search(pattern):
        found = [path(role, 1) for role in (0, 1)]
        labels = [file if file.exists() else None for file in found]
    first = next(iter(names.values()))
    return PairFiles(
        ' '.join(names.values()),
        path(0, 0),
        path(1, 0),
        labels[0],
        labels[1],
        patient=names.get('patient', first),
    )
