"""Plain JSON types from what a run holds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from pathlib import PurePath
from typing import TypeAlias

import numpy as np

Json: TypeAlias = (
    None | bool | int | float | str | list['Json'] | dict[str, 'Json']
)


def to_json(value: object) -> Json:
    """Turn a value into plain JSON types.

    NumPy numbers become Python numbers, arrays and tuples lists, paths,
    enumerations and dates strings, data classes and mappings dictionaries.
    An object with a `to_dict` method is asked. JSON has no NaN and no
    infinity: they become None.

    Raises
    ------
    TypeError
        If the value is of another kind.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, np.ndarray):
        return to_json(value.tolist())
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return {str(k): to_json(item) for k, item in _items(value).items()}


def _items(value: object) -> Mapping[object, object]:
    if isinstance(value, Mapping):
        return value
    to_dict = getattr(value, 'to_dict', None)
    if to_dict is not None and not isinstance(value, type):
        described: Mapping[object, object] = to_dict()
        return described
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            item.name: getattr(value, item.name)
            for item in dataclasses.fields(value)
        }
    raise TypeError(f'{type(value).__name__} has no place in a run record')
