"""The models a user can choose from."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_adacs.errors import ModelError
from napari_adacs.models.bundle import load_bundle, read_header
from napari_adacs.models.catalogue import REMOTE
from napari_adacs.models.header import FROM_ZERO, ModelHeader
from napari_adacs.models.importers.containers import is_checkpoint
from napari_adacs.models.importers.convert import (
    checkpoint_header,
    import_checkpoint,
)

if TYPE_CHECKING:
    from napari_adacs.models.model import Model

SUFFIX = '.safetensors'
FOLDER_VARIABLE = 'NAPARI_ADACS_MODELS'
# Stands for the model that suits the images.
AUTOMATIC = 'auto'
# Stands for the model without a network, of the right dimension.
NO_MODEL = 'none'
_BUNDLED = Path(__file__).parent / 'bundled'

# Where there is no model for images: what this package is made for, then any.
_OTHERWISE = ('general', 'echo')
# Of models that do not say which to prefer.
_SCHEMES = ('adacs', 'heteroscedastic')


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be loaded.

    Parameters
    ----------
    header : ModelHeader
        What it is.
    path : Path
        Its bundle, or a checkpoint that is converted when it is loaded.
    source : str
        'bundled', 'user', 'file' or 'checkpoint'.
    """

    header: ModelHeader
    path: Path
    source: str

    @property
    def name(self) -> str:
        """Name by which it is chosen."""
        return self.header.name

    @property
    def from_zero(self) -> bool:
        """Whether it moves nothing by itself."""
        return self.header.network == FROM_ZERO

    def is_for(self, kind: str) -> bool:
        """Whether its domain names a kind of images, such as 'echo'."""
        return kind in re.findall('[a-z]+', self.header.domain.lower())


def user_folder() -> Path:
    """Return the folder of the user's own models.

    The environment variable NAPARI_ADACS_MODELS overrides the default.
    """
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    return Path.home() / '.napari-adacs' / 'models'


def new_user_path(name: str) -> Path:
    """Return where a new model goes in the user's folder, which is made.

    Raises
    ------
    ModelError
        If there is a model of that name already, or no folder can be made.
    """
    folder = user_folder()
    path = folder / f'{name}{SUFFIX}'
    if path.exists() or name in [e.name for e in list_models()]:
        raise ModelError(
            f"There is a model called '{name}' already.",
            'Choose another name for the new one.',
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(
            f'The model folder {folder} cannot be made: '
            f'{(error.strerror or type(error).__name__).lower()}.',
            f'Set {FOLDER_VARIABLE} to a folder you may write to.',
        ) from error
    return path


def list_models(ndim: int | None = None) -> list[ModelEntry]:
    """List bundled models and those in the user's folder.

    Parameters
    ----------
    ndim : int, optional
        Only models for this number of axes.

    Returns
    -------
    list of ModelEntry
        Default models first; files that are not bundles are left out.
    """
    entries = [
        *_entries(_BUNDLED, 'bundled'),
        *_entries(user_folder(), 'user'),
    ]
    if ndim is not None:
        entries = [e for e in entries if e.header.ndim == ndim]
    return sorted(entries, key=_rank)


def find_model(
    name: str, ndim: int | None = None, kind: str = ''
) -> ModelEntry:
    """Find a model by its name, by the path of a file, or 'auto'.

    Parameters
    ----------
    name : str
        Name, path of a bundle or of a public checkpoint, 'auto' for the
        default of `ndim`, or 'none' for no network at all.
    ndim : int, optional
        Needed for 'auto' and 'none'.
    kind : str, optional
        What the images are, for 'auto': a word in the domain of models,
        such as 'echo'. Where there is no such model, a general one is
        taken, or else one for echo.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    entries = list_models()
    if name in (AUTOMATIC, NO_MODEL):
        fitting = [
            e
            for e in entries
            if ndim in (None, e.header.ndim)
            and e.from_zero == (name == NO_MODEL)
        ]
        if not fitting:
            raise ModelError(
                f'There is no model for {ndim}D images.',
                f'Put a bundle into {user_folder()}.',
            )
        return fitting[0] if name == NO_MODEL else _suited(fitting, kind)
    for entry in entries:
        if entry.name == name:
            return entry
    path = Path(name).expanduser()
    if path.is_file():
        return _in_file(path)
    if any(remote.name == name for remote in REMOTE):
        raise ModelError(
            f"Model '{name}' is not on this computer yet.",
            f'Fetch it with: napari-adacs models download {name}.',
        )
    names = [e.name for e in entries]
    close = difflib.get_close_matches(name, names, 1)
    hint = f"Did you mean '{close[0]}'?" if close else ''
    raise ModelError(
        f"There is no model called '{name}'.",
        hint or f'Known models: {", ".join(names)}.',
    )


def load_model(name: str | Path) -> Model:
    """Load a model by its name or by the path of a file.

    Parameters
    ----------
    name : str or Path
        Name as listed by `list_models`, a bundle, or a public checkpoint of
        VoxelMorph, TransMorph or DiffuseMorph.

    Raises
    ------
    ModelError
        If there is no such model or its file is damaged.
    """
    return load_entry(find_model(str(name)))


def load_entry(entry: ModelEntry) -> Model:
    """Load a model that was found.

    Raises
    ------
    ModelError
        If its file is damaged.
    """
    if entry.source == 'checkpoint':
        return import_checkpoint(entry.path)
    return load_bundle(entry.path)


def _in_file(path: Path) -> ModelEntry:
    """Return the model in a bundle or checkpoint; the content decides."""
    if is_checkpoint(path):
        return ModelEntry(checkpoint_header(path), path, 'checkpoint')
    return ModelEntry(read_header(path), path, 'file')


def _entries(folder: Path, source: str) -> Iterator[ModelEntry]:
    if not folder.is_dir():
        return
    for path in sorted(folder.glob(f'*{SUFFIX}')):
        try:
            yield ModelEntry(read_header(path), path, source)
        except ModelError:
            continue


def _suited(entries: list[ModelEntry], kind: str) -> ModelEntry:
    """Return the first model for a kind of images, or what comes closest."""
    wanted = (kind, *_OTHERWISE) if kind else _OTHERWISE[::-1]
    for word in wanted:
        for entry in entries:
            if entry.is_for(word):
                return entry
    return entries[0]


def _rank(entry: ModelEntry) -> tuple[bool, bool, int, int, str]:
    scheme = entry.header.scheme
    return (
        entry.from_zero,
        entry.source != 'bundled',
        -entry.header.preference,
        _SCHEMES.index(scheme) if scheme in _SCHEMES else len(_SCHEMES),
        entry.name,
    )
