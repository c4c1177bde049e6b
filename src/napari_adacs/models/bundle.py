"""One file per model: safetensors weights with a JSON header.

Reading a bundle never executes anything from the file.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from napari_adacs.errors import ModelError
from napari_adacs.io.atomic import atomic_path
from napari_adacs.models.header import ModelHeader
from napari_adacs.models.packing import Storage, pack, unpack

if TYPE_CHECKING:
    from torch import Tensor

    from napari_adacs.models.model import Model

_HEADER_KEY = 'napari_adacs'
_MAX_HEADER_BYTES = 10_000_000


def read_header(path: str | Path) -> ModelHeader:
    """Read the description of a bundle, without torch and without weights.

    Raises
    ------
    ModelError
        If the file cannot be read or is not a bundle.
    """
    path = Path(path)
    try:
        with path.open('rb') as file:
            (length,) = struct.unpack('<Q', file.read(8))
            if length > _MAX_HEADER_BYTES:
                raise ValueError('header too long')
            metadata = json.loads(file.read(length))['__metadata__']
            text = metadata[_HEADER_KEY]
    except OSError as error:
        raise ModelError(
            f"The model file '{path}' cannot be read: {error.strerror}."
        ) from error
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"'{path.name}' is not a napari-adacs model bundle.",
            'Choose a .safetensors file made by napari-adacs.',
        ) from error
    return ModelHeader.from_json(text)


def save_bundle(
    path: str | Path, model: Model, storage: Storage = 'single'
) -> None:
    """Write a model to one file, atomically.

    Parameters
    ----------
    path : str or Path
        File name, by convention ending in `.safetensors`.
    model : Model
        The model.
    storage : {'single', 'half', 'byte'}, default: 'single'
        Bits per weight, 32, 16 or 8 (see `packing.pack`).
    """
    from safetensors.torch import save

    tensors: dict[str, Tensor] = {}
    for role, module in model.modules().items():
        state = {
            name: value.detach().cpu().contiguous()
            for name, value in module.state_dict().items()
        }
        weights = {name for name, _ in module.named_parameters()}
        for name, value in pack(state, weights, storage).items():
            tensors[f'{role}.{name}'] = value
    with atomic_path(path) as temporary:
        # `save_file` would leave a file that only its owner may read.
        header = {_HEADER_KEY: model.header.to_json()}
        temporary.write_bytes(save(tensors, metadata=header))


def with_header(source: Path, target: Path, header: ModelHeader) -> None:
    """Copy a bundle with another description, atomically, without torch.

    Parameters
    ----------
    source, target : Path
        The bundle, and where the copy goes; they may be the same file.
    header : ModelHeader
        The new description of the same networks.

    Raises
    ------
    ModelError
        If the source is not a bundle.
    InputError
        If the target cannot be written.
    """
    read_header(source)
    with source.open('rb') as file:
        (length,) = struct.unpack('<Q', file.read(8))
        values = json.loads(file.read(length))
        values['__metadata__'][_HEADER_KEY] = header.to_json()
        text = json.dumps(values, separators=(',', ':')).encode()
        # The weights begin at a multiple of eight bytes.
        text += b' ' * (-len(text) % 8)
        with atomic_path(target) as temporary, temporary.open('wb') as copy:
            copy.write(struct.pack('<Q', len(text)) + text)
            shutil.copyfileobj(file, copy)


def load_bundle(path: str | Path) -> Model:
    """Read a model from a bundle.

    Raises
    ------
    ModelError
        If the file is not a bundle, its weights do not fit its description,
        or a weight is not finite.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from napari_adacs.models.model import build_model

    path = Path(path)
    model = build_model(read_header(path))
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ModelError(
            f"The model file '{path.name}' is damaged: {error}."
        ) from error
    states: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for key, value in tensors.items():
        role, _, name = key.partition('.')
        states[role][name] = value
    for role, module in model.modules().items():
        _load_strictly(module, states.get(role, {}), role, path)
        module.eval()
    return model


def _load_strictly(
    module: torch.nn.Module, stored: dict[str, Tensor], role: str, path: Path
) -> None:
    import torch

    try:
        state = unpack(stored)
        for name, value in state.items():
            if not torch.isfinite(value).all():
                raise ModelError(
                    f"The model file '{path.name}' holds NaN or infinite "
                    f"weights in '{role}.{name}'."
                )
        module.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ModelError(
            f"The {role} weights in '{path.name}' do not fit the network "
            f'its header describes.'
        ) from error


if TYPE_CHECKING:
    import torch
