"""Keras files: HDF5 with a group per layer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_adacs.errors import ModelError
from napari_adacs.models.importers.contents import (
    Contents,
    Entry,
    as_float32,
    check_budget,
    damaged,
)

if TYPE_CHECKING:
    import h5py

MAGIC = b'\x89HDF\r\n\x1a\n'
_WEIGHTS = 'model_weights'
_MOST_LAYERS = 10_000
_LONGEST_CONFIG = 20_000_000


def read_keras_h5(path: Path) -> Contents:
    """Open the HDF5 file of a Keras model, or of its weights alone.

    Entries are called 'layer/kernel' and 'layer/bias'; `order` has the
    layers in the order of the network. Links that lead out of the file are
    refused and not followed.

    Raises
    ------
    ModelError
        If it is something else, damaged, or declares too much.
    """
    import h5py

    try:
        with h5py.File(path, 'r') as file:
            entries, order = _entries(path, _weight_group(path, file))
            config = _config(path, file)
    except ModelError:
        raise  # it is a ValueError too
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise damaged(path, 'the HDF5 structure cannot be read') from error
    check_budget(path, sum(4 * entry.size for entry in entries.values()))
    return Contents(path, 'Keras HDF5 file', entries, config, (), order)


def _weight_group(path: Path, file: h5py.File) -> h5py.Group:
    import h5py

    if 'layer_names' in file.attrs:
        return file
    _check_link(path, file, _WEIGHTS)
    group = file.get(_WEIGHTS)
    if not isinstance(group, h5py.Group) or 'layer_names' not in group.attrs:
        raise ModelError(
            f"'{path.name}' is an HDF5 file, but not one of Keras weights.",
            'Choose a file that Keras wrote with save() or save_weights().',
        )
    return group


def _entries(
    path: Path, group: h5py.Group
) -> tuple[dict[str, Entry], tuple[str, ...]]:
    import h5py

    layers = [_text(name) for name in group.attrs['layer_names']]
    if len(layers) > _MOST_LAYERS:
        raise damaged(path, 'it declares too many layers')
    entries: dict[str, Entry] = {}
    order: list[str] = []
    for layer in layers:
        _check_link(path, group, layer)
        inner = group[layer]
        names = [_text(n) for n in inner.attrs.get('weight_names', ())]
        for name in names:
            for parent in _steps(name):
                _check_link(path, inner, parent)
            values = inner[name]
            if not isinstance(values, h5py.Dataset):
                raise damaged(path, f"'{layer}' has no values")
            _check_values(path, layer, values)
            owner, short = _owner(layer, name, len(names))
            entries[f'{owner}/{short}'] = _entry(path, values)
            if short == 'kernel':
                order.append(owner)
    return entries, tuple(order)


def _owner(layer: str, name: str, count: int) -> tuple[str, str]:
    """Return the layer and the kind of a weight such as 'conv/kernel:0'.

    Layers of a model within the model are named by their weights only; a
    layer that was used twice has a number in the names of its weights.
    """
    *parents, kind = name.split(':')[0].split('/')
    return (parents[-1] if parents and count > 2 else layer), kind


def _entry(path: Path, values: h5py.Dataset) -> Entry:
    import h5py

    name = values.name

    def load() -> NDArray[Any]:
        try:
            with h5py.File(path, 'r') as file:
                return as_float32(file[name][()])
        except (OSError, RuntimeError, KeyError) as error:
            raise damaged(
                path, f"the values of '{name}' cannot be read"
            ) from error

    return Entry(tuple(map(int, values.shape)), str(values.dtype), load)


def _check_values(path: Path, layer: str, values: h5py.Dataset) -> None:
    if values.dtype.kind not in 'fiu':
        raise damaged(path, f"'{layer}' holds no numbers")
    if values.external or values.is_virtual:
        raise _leads_out(path, layer)
    # A dataset may be declared without being written; weights are written.
    if values.id.get_storage_size() * 100 < values.size * 4:
        raise ModelError(
            f"'{path.name}' declares {values.size * 4 / 1e6:.0f} MB for "
            f"'{layer}' and holds next to nothing of it.",
            'Download or copy it again, or check where it comes from.',
        )


def _check_link(path: Path, group: h5py.Group, name: str) -> None:
    import h5py

    kind = group.get(name, getlink=True)
    if isinstance(kind, h5py.ExternalLink):
        raise _leads_out(path, name)
    if isinstance(kind, h5py.SoftLink):
        raise damaged(path, f"'{name}' is a link, not a layer")


def _leads_out(path: Path, name: str) -> ModelError:
    return ModelError(
        f"In '{path.name}', '{name}' leads to another file; it was not "
        'followed.',
        'Use a file that holds its weights itself.',
    )


def _steps(name: str) -> Iterator[str]:
    """Yield every group on the way to a name, and the name."""
    parts = name.strip('/').split('/')
    for count in range(1, len(parts) + 1):
        yield '/'.join(parts[:count])


def _config(path: Path, file: h5py.File) -> dict[str, Any]:
    text = _text(file.attrs.get('model_config', '{}'))
    if len(text) > _LONGEST_CONFIG:
        raise damaged(path, 'its description is far too long')
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode('utf-8', 'replace')
    return str(value)
