"""Models from files and from the hub, for the box that offers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from napari_adacs.app.choices import Choice, model_in_file
from napari_adacs.app.torch_start import preload_torch, torch_is_loaded
from napari_adacs.models.catalogue import remote_models
from napari_adacs.models.importers.containers import is_checkpoint
from napari_adacs.models.library import ModelEntry, list_models
from napari_adacs.models.storing import download_model, store_checkpoint
from napari_adacs.registration.progress import Progress

FILE_KINDS = (
    'Models and checkpoints '
    '(*.safetensors *.pt *.pth *.pth.tar *.tar *.ckpt *.h5 *.hdf5);;'
    'All files (*)'
)


@dataclass(frozen=True)
class Got:
    """A model that is here now.

    Parameters
    ----------
    value : str
        What it is chosen by in a `RunConfig`.
    name : str
        Its name.
    ndim : int
        Number of axes of the images it is for.
    sentence : str
        What was found.
    """

    value: str
    name: str
    ndim: int
    sentence: str


def get_from_files(
    paths: Sequence[str], progress: Progress, cancel: Event
) -> Got:
    """Offer a bundle, or convert checkpoints into the user's folder.

    Parameters
    ----------
    paths : sequence of str
        One bundle; or a checkpoint, with those of its estimators.
    progress : callable
        Called with (fraction, message).
    cancel : threading.Event
        Set to stop.

    Raises
    ------
    ModelError
        If a file cannot be used.
    CancelledError
        If `cancel` was set.
    """
    if len(paths) == 1 and not is_checkpoint(Path(paths[0])):
        name, ndim = model_in_file(paths[0])
        return Got(paths[0], name, ndim, f'Model {name}, {ndim}D.')
    _start_torch(progress)
    entry = store_checkpoint(paths, progress=progress, cancelled=cancel.is_set)
    return _stored(entry)


def get_from_hub(name: str, progress: Progress, cancel: Event) -> Got:
    """Download a model of the catalogue into the user's folder.

    Raises
    ------
    ModelError
        If it cannot be fetched or used.
    CancelledError
        If `cancel` was set.
    """
    _start_torch(progress)
    return _stored(
        download_model(name, progress=progress, cancelled=cancel.is_set)
    )


def downloads(ndim: int | None) -> list[Choice]:
    """Return the models that can be downloaded and are not here yet.

    Parameters
    ----------
    ndim : int or None
        Number of axes of the images; None lists all.
    """
    here = {entry.name for entry in list_models()}
    return [
        Choice(model.name, model.title or model.name, _describe(model.domain))
        for model in remote_models(ndim)
        if model.name not in here
    ]


def _describe(domain: str) -> str:
    made_for = f', made for {domain}' if domain else ''
    return f'Fetch it from the Hugging Face hub{made_for}.'


def _stored(entry: ModelEntry) -> Got:
    header = entry.header
    what = header.description.partition(' in a ')[0]
    return Got(
        header.name,
        header.name,
        header.ndim,
        f'{what}. Kept as {entry.path.name} in your model folder.',
    )


def _start_torch(progress: Progress) -> None:
    if not torch_is_loaded():
        progress(0.0, 'Starting torch')
        preload_torch()
