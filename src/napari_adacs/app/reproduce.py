"""The lines that repeat a registration without the window."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_adacs.app.layers import FILE_KEY, grid_of
from napari_adacs.app.settings import PLUGIN
from napari_adacs.errors import InputError
from napari_adacs.registration.config import RunConfig
from napari_adacs.spatial.grid import Grid

if TYPE_CHECKING:
    from napari.layers import Layer


# Options of the shell, and the settings they stand for.
REFINING_OPTIONS = {
    '--refine-what': 'refine',
    '--refine-by': 'refine_similarity',
    '--refine-smoothness': 'refine_smoothness',
    '--refine-prior': 'refine_prior',
    '--refine-on': 'refine_resolution',
}
OUTPUT = 'registration'


@dataclass(frozen=True)
class Source:
    """Where an image comes from.

    Parameters
    ----------
    layer : str
        Name of the layer.
    frame : int or None
        Frame of a sequence.
    path : str, default: ''
        File that holds exactly this image; '' if there is none.
    """

    layer: str
    frame: int | None = None
    path: str = ''

    @property
    def file(self) -> str:
        """Path of the file, or the name under which to save the layer."""
        safe = ''.join(
            c if c.isalnum() or c in '-_.' else '_' for c in self.layer
        )
        return self.path or f'{safe}.nii.gz'


@dataclass(frozen=True)
class Painted:
    """A region in which refining tried harder.

    Parameters
    ----------
    source : Source
        Where it comes from.
    strength : float
        As in `emphasis.painted_emphasis`.
    """

    source: Source
    strength: float


def source_of(layer: Layer, frame: int | None) -> Source:
    """Return where a layer comes from.

    A file counts only if this plugin has read it and would again give an
    image in the same place: a person may have moved the layer since.
    """
    source = Source(layer.name, frame)
    path = _path_of(layer)
    if not path:
        return source
    from napari_adacs.io.images import find_reader

    file = Path(path).absolute()
    if not file.is_file() or find_reader(file) is None:
        return source
    try:
        same = _same_place(file, layer, frame)
    except InputError:
        same = False
    return replace(source, path=str(file)) if same else source


def _path_of(layer: Layer) -> str:
    """Return the file that this plugin made a layer of, or ''."""
    source = layer.source
    if source.path and source.reader_plugin == PLUGIN:
        return str(source.path)
    if source.sample and source.sample[0] == PLUGIN:
        about = layer.metadata.get(FILE_KEY) or {}
        return str(about.get('path', ''))
    return ''


def command_line(
    moving: Source,
    fixed: Source,
    config: RunConfig,
    labels: Source | None = None,
    region: Painted | None = None,
) -> str:
    """Return the shell command that repeats a registration.

    Layers that are in no file have to be saved first; comments say so.
    """
    words = ['napari-adacs', 'register', moving.file, fixed.file]
    words += ['-o', OUTPUT, '--model', config.model]
    if config.device != 'auto':
        words += ['--device', config.device]
    if config.refine_steps:
        words += ['--refine', str(config.refine_steps)]
    words += _how_to_refine(config)
    if config.threads:
        words += ['--threads', str(config.threads)]
    if config.backend != 'auto':
        words += ['--backend', config.backend]
    if config.eta is not None:
        words += [f'--eta={config.eta:g}']
    for name, source in (('moving', moving), ('fixed', fixed)):
        if source.frame is not None:
            words += [f'--{name}-frame', str(source.frame)]
    if labels is not None:
        words += ['--moving-labels', labels.file]
    if region is not None:
        words += ['--emphasis', region.source.file]
        words += ['--emphasis-weight', f'{region.strength:g}']
    painted = None if region is None else region.source
    used = [x for x in (moving, fixed, labels, painted) if x is not None]
    unsaved = dict.fromkeys((x.layer, x.file) for x in used if not x.path)
    notes = [
        f'# First save the layer {layer!r} as {file}.'
        for layer, file in unsaved
    ]
    return '\n'.join([*notes, shlex.join(words)])


def _how_to_refine(config: RunConfig) -> list[str]:
    """Return the options of refining that are not the default."""
    words = []
    usual = RunConfig()
    for option, name in REFINING_OPTIONS.items():
        value = getattr(config, name)
        if value != getattr(usual, name):
            text = f'{value:g}' if isinstance(value, float) else str(value)
            words += [option, text]
    return words


def python_lines(
    moving: Source,
    fixed: Source,
    config: RunConfig,
    labels: Source | None = None,
    region: Painted | None = None,
) -> str:
    """Return the Python lines that repeat a registration, bit for bit.

    Layers that are in no file are taken from `viewer`; the lines then run in
    napari's console.
    """
    sources = {'moving': moving, 'fixed': fixed}
    if labels is not None:
        sources['labels'] = labels
    if region is not None:
        sources['region'] = region.source
    lines = _imports(sources)
    for name, source in sources.items():
        lines += _load_lines(name, source)
    emphasis = []
    if region is not None:
        made = f'painted_emphasis(region, fixed.grid, {region.strength:g})'
        lines.append(f'emphasis = {made}')
        emphasis = ['    emphasis=emphasis,']
    lines += [
        'result = register_on_grids(',
        '    moving,',
        '    fixed,',
        f'    {config!r},',
        *emphasis,
        ')',
    ]
    if labels is not None:
        lines += [
            'field = onto_moving(result.field, labels)',
            'warped_labels = field.warp_labels(labels.data)',
        ]
    return '\n'.join(lines) + '\n'


def _imports(sources: Mapping[str, Source]) -> list[str]:
    package = 'from napari_adacs'
    lines = [
        f'{package}.registration.config import RunConfig',
        f'{package}.registration.register import register_on_grids',
    ]
    if 'region' in sources:
        lines.append(f'{package}.app.emphasis import painted_emphasis')
    if 'labels' in sources:
        lines.append(f'{package}.app.label_evaluation import onto_moving')
    if any(s.path for s in sources.values()):
        lines.append(f'{package}.io.images import read_image')
        lines.append(f'{package}.registration.inputs import ImageOnGrid')
    if any(not s.path for s in sources.values()):
        lines.append(f'{package}.app.layers import image_of')
    return [*sorted(lines), '']


def _load_lines(name: str, source: Source) -> list[str]:
    if not source.path:
        frame = '' if source.frame is None else f', {source.frame}'
        return [
            f'layer = viewer.layers[{source.layer!r}]',
            f'{name} = image_of(layer{frame}, name={name!r}).load()',
        ]
    frame = '' if source.frame is None else f'[{source.frame}]'
    return [
        f'volume = read_image({source.path!r})',
        f'{name} = ImageOnGrid(volume.data{frame}, volume.grid, {name!r})',
    ]


def _same_place(file: Path, layer: Layer, frame: int | None) -> bool:
    from napari_adacs.io.byte_source import open_source
    from napari_adacs.io.nifti_grid import grid_of as grid_in_file
    from napari_adacs.io.nifti_grid import upright
    from napari_adacs.io.nifti_header import read_header

    here = grid_of(layer, frame)
    if file.name.lower().endswith(('.nii', '.nii.gz')):
        with open_source(file) as source:
            stored, _ = grid_in_file(read_header(source))
        there = upright(stored)
    else:
        there = Grid(here.shape, np.eye(here.ndim + 1), 'voxel')
    return here.units == there.units and here.same_space(there)
