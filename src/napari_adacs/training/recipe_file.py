"""Reading a recipe: a TOML file, which may build on another one.

``extends = 'other.toml'`` at its top takes over what the other file says,
found beside this one, except for what is said again here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_adacs.errors import InputError

_EXTENDS = 'extends'


def read_recipe(path: str | Path) -> dict[str, Any]:
    """Read a TOML file and those it extends as plain data.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict
        Its values over those of the file it extends. Sections are joined key
        by key; one with another ``name`` (of a network or scheme) takes the
        place of the other one, whose options would not fit.

    Raises
    ------
    InputError
        If a file cannot be read, or files extend one another in a circle.
    """
    return _read(Path(path), ())


def _read(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in above:
        raise InputError(f"The configuration '{path}' extends itself.")
    values = _parse(path)
    if _EXTENDS not in values:
        return values
    other = values.pop(_EXTENDS)
    if not isinstance(other, str):
        raise InputError(
            f"'{_EXTENDS}' of '{path}' must be the name of a file, "
            f'not {other!r}.'
        )
    base = _read(path.parent / other, (*above, path.resolve()))
    return _over(base, values)


def _parse(path: Path) -> dict[str, Any]:
    try:
        with open(path, 'rb') as file:
            return tomllib.load(file)
    except OSError as error:
        raise InputError(
            f"The configuration '{path}' cannot be read: {error.strerror}."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"The configuration '{path}' is not valid TOML: {error}."
        ) from error


def _over(
    base: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    joined = dict(base)
    for key, value in values.items():
        below = base.get(key)
        if (
            isinstance(value, Mapping)
            and isinstance(below, Mapping)
            and value.get('name') in (None, below.get('name'))
        ):
            joined[key] = _over(below, value)
        else:
            joined[key] = value
    return joined
