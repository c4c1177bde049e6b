"""The command line: the same verbs without a screen."""

from __future__ import annotations

from napari_adacs.cli.program import main as main
