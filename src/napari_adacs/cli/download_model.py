"""``napari-adacs models download``."""

from __future__ import annotations

from argparse import Namespace

from napari_adacs.cli.console import ProgressLine, say
from napari_adacs.models.storing import download_model


def run_download(chosen: Namespace) -> int:
    """Fetch a model from the hub into the user's model folder."""
    with ProgressLine() as progress:
        entry = download_model(chosen.name, progress)
    say(f'Model {entry.name} is at {entry.path}.')
    return 0
