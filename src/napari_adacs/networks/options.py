"""Configurations as data: a preset with some fields changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Config = TypeVar('Config', bound='DataclassInstance')


def changed(preset: Config, changes: Mapping[str, Any]) -> Config:
    """Return a configuration with some fields changed.

    Parameters
    ----------
    preset : dataclass
        Configuration to start from.
    changes : mapping of str to object
        New values by field; lists, as a model file has them, become tuples.

    Raises
    ------
    TypeError
        If there is no such field.
    """
    plain: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()
    }
    return replace(preset, **plain)
