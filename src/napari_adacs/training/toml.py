"""Writing a training configuration as the TOML it can be read from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import tomli_w

from napari_adacs.errors import InputError
from napari_adacs.training.config import TrainConfig


def config_to_toml(config: TrainConfig) -> str:
    """Return the TOML text of a configuration.

    Parameters
    ----------
    config : TrainConfig
        What to write. Keys that have their default value are left out,
        except the name, the shape and the stages, which say what it is.

    Returns
    -------
    str
        `load_config` reads an equal configuration from it; sequences inside
        options become lists.

    Raises
    ------
    InputError
        If a value of an option cannot be written.
    """
    values = _changed(config)
    chosen = {'name': config.name, 'shape': list(config.shape)}
    stages = dataclasses.asdict(config.stages)
    if not stages['epoch']:
        del stages['epoch']
    # Values come before sections, whatever order they were found in.
    flat = {k: v for k, v in values.items() if not isinstance(v, dict)}
    sections = {k: v for k, v in values.items() if isinstance(v, dict)}
    sections = {'stages': stages} | sections | {'stages': stages}
    try:
        return tomli_w.dumps(chosen | flat | sections)
    except (TypeError, ValueError) as error:
        raise InputError(
            f'The configuration cannot be written as TOML: {error}.',
            'Options are numbers, texts, lists and sections of these.',
        ) from error


def _changed(config: Any) -> dict[str, Any]:
    """Return the fields that differ from their defaults, sections nested."""
    out: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            section = _changed(value)
            if section:
                out[field.name] = section
        elif value != _default(field):
            out[field.name] = _plain(value)
    return out


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
