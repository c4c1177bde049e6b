"""The Python lines that repeat what a command did."""

from __future__ import annotations

from napari_adacs.cli.files import Opened
from napari_adacs.registration.config import RunConfig

_LINES = """\
from napari_adacs.io.images import read_image
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.register import register_on_grids

moving = read_image({moving!r})
fixed = read_image({fixed!r})
result = register_on_grids(
    ImageOnGrid({moving_data}, moving.grid, 'moving'),
    ImageOnGrid({fixed_data}, fixed.grid, 'fixed'),
    {config!r},
)
"""


def python_lines(moving: Opened, fixed: Opened, config: RunConfig) -> str:
    """Return the lines that register the same files, bit for bit.

    Parameters
    ----------
    moving, fixed : Opened
        The images.
    config : RunConfig
        The settings.
    """
    return _LINES.format(
        moving=str(moving.volume.path),
        fixed=str(fixed.volume.path),
        moving_data=_data('moving', moving.frame),
        fixed_data=_data('fixed', fixed.frame),
        config=config,
    )


def _data(name: str, frame: int | None) -> str:
    return f'{name}.data' if frame is None else f'{name}.data[{frame}]'
