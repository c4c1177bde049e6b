"""``napari-adacs demo``."""

from __future__ import annotations

from argparse import Namespace

from napari_adacs.cli.console import say
from napari_adacs.errors import InputError


def run(chosen: Namespace) -> int:
    """Register and evaluate the 3D sample in the napari window."""
    if chosen.headless and not chosen.out:
        raise InputError(
            'Without a window the demo only writes files.',
            'Say where with -o DIR.',
        )
    from napari_adacs.app.demo import run_demo

    run_demo(chosen.out, stay=not chosen.headless, say=say)
    return 0
