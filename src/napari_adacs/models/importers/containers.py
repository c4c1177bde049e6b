"""Opening a checkpoint by what its first bytes say, never by its name.

To add a kind of file, write its reader and add one line here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari_adacs.errors import ModelError
from napari_adacs.models.importers import (
    keras_h5,
    torch_legacy,
    torch_zip,
)
from napari_adacs.models.importers.contents import Contents

CONTAINERS: tuple[tuple[bytes, Callable[[Path], Contents]], ...] = (
    (torch_zip.MAGIC, torch_zip.read_torch_zip),
    (torch_legacy.MAGIC, torch_legacy.read_torch_legacy),
    (keras_h5.MAGIC, keras_h5.read_keras_h5),
)

_TAR = (257, b'ustar')
_PICKLES = tuple(bytes([0x80, version]) for version in range(2, 6))


def is_checkpoint(path: Path) -> bool:
    """Whether a file begins like a checkpoint, good or bad."""
    try:
        head = _head(path)
    except ModelError:
        return False
    return (
        any(head.startswith(magic) for magic, _ in CONTAINERS)
        or head.startswith(_PICKLES)
        or head[_TAR[0] :].startswith(_TAR[1])
    )


def open_checkpoint(path: Path) -> Contents:
    """Open a checkpoint; its weights are not read yet.

    Raises
    ------
    ModelError
        If the file cannot be read, or is none of the known kinds.
    """
    head = _head(path)
    try:
        for magic, read in CONTAINERS:
            if head.startswith(magic):
                return read(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    if head.startswith(_PICKLES):
        raise ModelError(
            f"'{path.name}' is a pickle that PyTorch did not write; it was "
            'not opened, since that could run programs.',
            'Load it where you trust it and save its weights with '
            'torch.save(network.state_dict(), …).',
        )
    if head[_TAR[0] :].startswith(_TAR[1]):
        raise ModelError(
            f"'{path.name}' is a tar archive, as PyTorch wrote before 0.1.10 "
            'or as files are packed in.',
            'Unpack it, or save it again with a newer PyTorch.',
        )
    raise ModelError(
        f"'{path.name}' is neither a PyTorch nor a Keras checkpoint, nor a "
        'napari-adacs model.',
        'Choose a .safetensors bundle, a .pt, .pth or .pth.tar file, or a '
        'Keras .h5 file.',
    )


def _head(path: Path) -> bytes:
    try:
        with path.open('rb') as file:
            return file.read(512)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"The checkpoint '{path}' cannot be read: "
        f'{(error.strerror or type(error).__name__).lower()}.'
    )
