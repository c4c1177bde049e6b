"""The preferences of the plugin, with a default for each.

They are declared in the manifest and edited in napari's preferences.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Any

from napari_adacs.models.library import FOLDER_VARIABLE
from napari_adacs.registration.config import Backend

PLUGIN = 'napari-adacs'


@dataclass(frozen=True)
class ComputeSettings:
    """Where and how to compute.

    Parameters
    ----------
    device : str, default: 'auto'
        Device that docks start with.
    memory_cap_gb : float, default: 0.0
        Refuse registrations that need more; 0 for what is free.
    threads : int, default: 0
        CPU threads; 0 takes one per core, or a single one while other
        programs keep every core busy.
    backend : str, default: 'auto'
        What computes the networks, see `RunConfig`.
    model_folder : str, default: ''
        Folder of the user's models; '' for the default one.
    """

    device: str = 'auto'
    memory_cap_gb: float = 0.0
    threads: int = 0
    backend: Backend = 'auto'
    model_folder: str = ''


def compute_settings() -> ComputeSettings:
    """Read the preferences; what cannot be read has its default.

    The plugin may run unregistered, from the source tree, or beside a
    preferences file that a person has edited.
    """
    try:
        from napari.settings import get_plugin_settings

        stored: Any = get_plugin_settings(PLUGIN).compute
    except (ImportError, KeyError, AttributeError, ValueError, OSError):
        return ComputeSettings()
    default = ComputeSettings()
    chosen: dict[str, Any] = {}
    for item in fields(ComputeSettings):
        usual = getattr(default, item.name)
        value = getattr(stored, item.name, usual)
        chosen[item.name] = value if isinstance(value, type(usual)) else usual
    return ComputeSettings(**chosen)


def use_model_folder(folder: str) -> None:
    """Look for the user's models in a folder from now on.

    An environment variable that was set outside comes first.
    """
    ours = os.environ.get(FOLDER_VARIABLE) == _chosen_folder[0]
    if os.environ.get(FOLDER_VARIABLE) and not ours:
        return
    _chosen_folder[0] = folder
    if folder:
        os.environ[FOLDER_VARIABLE] = folder
    else:
        os.environ.pop(FOLDER_VARIABLE, None)


_chosen_folder = ['']
