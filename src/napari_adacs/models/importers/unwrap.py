"""From what people put into a checkpoint to its state dict and config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from napari_adacs.errors import ModelError
from napari_adacs.models.importers.contents import Contents, Entry
from napari_adacs.models.importers.described import PlainConfig, TensorSpec

# Where the weights are, in the checkpoints of known projects.
_STATES = ('model_state', 'state_dict', 'model_state_dict', 'model')
_CONFIGS = ('config', 'hyper_parameters')
# What DataParallel, torch.compile and Lightning put before every name.
_WRAPPERS = ('module.', '_orig_mod.', 'model.', 'net.')
_MOST_NESTED = 6
_MOST_VALUES = 10_000


def unwrap(
    path: Path,
    container: str,
    found: object,
    make: Callable[[TensorSpec], Entry],
) -> Contents:
    """Find the weights in what a checkpoint holds.

    Parameters
    ----------
    path : Path
        The file.
    container : str
        What kind of file it is.
    found : object
        What its pickle describes.
    make : callable
        Makes an entry of a tensor's description.

    Raises
    ------
    ModelError
        If there are no weights in it.
    """
    if not isinstance(found, dict):
        raise _no_weights(path, f'a single {type(found).__name__}')
    key, state = _state(found)
    if state is None:
        names = ', '.join(f"'{name}'" for name in list(found)[:8])
        raise _no_weights(path, f'entries called {names}' if names else 'none')
    tensors = {
        str(name): value
        for name, value in state.items()
        if isinstance(value, TensorSpec)
    }
    notes = [] if key is None else [f"The weights are those under '{key}'."]
    tensors, wrapper = _without_wrappers(tensors)
    if wrapper:
        notes.append(f"The prefix '{wrapper}' was taken off their names.")
    entries = {name: make(spec) for name, spec in tensors.items()}
    plain = _plain(next((found[c] for c in _CONFIGS if c in found), None))
    return Contents(
        path,
        container,
        entries,
        plain if isinstance(plain, dict) else {},
        tuple(notes),
    )


def _state(
    found: Mapping[Any, Any],
) -> tuple[str | None, Mapping[Any, Any] | None]:
    """Return the mapping that holds the tensors, and where it was."""
    for name in _STATES:
        if _holds_tensors(found.get(name)):
            return name, found[name]
    if _holds_tensors(found):
        return None, found
    others = [name for name, value in found.items() if _holds_tensors(value)]
    if len(others) == 1:
        return str(others[0]), found[others[0]]
    return None, None


def _holds_tensors(value: object) -> bool:
    return isinstance(value, dict) and any(
        isinstance(item, TensorSpec) for item in value.values()
    )


def _without_wrappers(
    tensors: dict[str, TensorSpec],
) -> tuple[dict[str, TensorSpec], str]:
    taken = ''
    while True:
        for prefix in _WRAPPERS:
            if all(name.startswith(prefix) for name in tensors):
                break
        else:
            return tensors, taken
        taken += prefix
        tensors = {n[len(prefix) :]: spec for n, spec in tensors.items()}


def _plain(value: object) -> Any:
    """Return plain data; what is nested too deeply is left out.

    A value may hold itself, many times over: only so many are looked at.
    """
    left = iter(range(_MOST_VALUES))

    def plain(value: object, depth: int) -> Any:
        if depth > _MOST_NESTED or next(left, None) is None:
            return None
        if isinstance(value, PlainConfig):
            value = value.fields
        if isinstance(value, dict):
            return {str(k): plain(v, depth + 1) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [plain(v, depth + 1) for v in value]
        return value if isinstance(value, str | int | float | bool) else None

    return plain(value, 0)


def _no_weights(path: Path, what: str) -> ModelError:
    return ModelError(
        f"'{path.name}' holds no weights that can be used: {what}.",
        'Choose a file with the state_dict() of a network.',
    )
