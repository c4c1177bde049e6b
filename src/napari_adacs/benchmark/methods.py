"""From names on the command line to methods."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from napari_adacs.benchmark.method import UNREGISTERED, Method, Nothing
from napari_adacs.benchmark.model_method import ModelMethod
from napari_adacs.benchmark.peers.registry import PEERS, installed_peers
from napari_adacs.errors import InputError, ModelError
from napari_adacs.models.library import NO_MODEL, find_model, list_models


def method_names(
    models: Sequence[str] | None, peers: Sequence[str] | None, ndim: int
) -> list[str]:
    """Return what to compare: nothing, the models, the peers.

    Parameters
    ----------
    models : sequence of str or None
        Names or paths, as ``napari-adacs register`` takes them; None for
        every model of the right dimension.
    peers : sequence of str or None
        Names in `PEERS`; None for those that are installed.
    ndim : int
        Number of axes of the cases.

    Raises
    ------
    InputError
        If a peer is unknown or not installed, or a method is named twice.
    ModelError
        If a model is unknown or for another number of axes.
    """
    if models is None:
        models = [entry.name for entry in list_models(ndim)]
    if peers is None:
        peers = installed_peers()
    models = [_checked(name, ndim) for name in models]
    for name in peers:
        _check_peer(name)
    names = [UNREGISTERED, *models, *peers]
    shown = [make_method(name).name for name in names]
    twice = sorted({name for name in shown if shown.count(name) > 1})
    if twice:
        raise InputError(
            f"'{twice[0]}' is named twice.",
            'Give each model a name of its own: NAME=PATH.',
        )
    return names


def make_method(name: str, device: str = 'cpu') -> Method:
    """Return the method of a name; nothing is loaded.

    Parameters
    ----------
    name : str
        'unregistered', a name in `PEERS`, or a model's name or path, with
        ``+N`` behind it refined by up to N steps at each resolution, and
        with ``LABEL=`` before it called that: files of trainings all have
        one name.
    device : str, default: 'cpu'
        Where models run.
    """
    if name == UNREGISTERED:
        return Nothing()
    if name in PEERS:
        return PEERS[name](name)
    label, model, steps = model_parts(name)
    return ModelMethod(find_model(model), device, steps, label)


def model_parts(name: str) -> tuple[str, str, int]:
    """Split ``LABEL=MODEL+N`` into label, model and steps of refining."""
    label, equals, rest = name.partition('=')
    if not equals or Path(name).exists():
        label, rest = '', name
    model, plus, steps = rest.rpartition('+')
    if plus and steps.isdigit() and not Path(rest).exists():
        return label, model, int(steps)
    return label, rest, 0


def _checked(name: str, ndim: int) -> str:
    """Return a name that means the same without the number of axes."""
    label, model, steps = model_parts(name)
    entry = find_model(model, ndim)
    if entry.header.ndim != ndim:
        raise ModelError(
            f"Model '{entry.name}' registers {entry.header.ndim}D images; "
            f'these cases are {ndim}D.',
            f'Choose {ndim}D models.',
        )
    if model not in ('auto', NO_MODEL):
        return name
    found = f'{entry.name}+{steps}' if steps else entry.name
    return f'{label}={found}' if label else found


def _check_peer(name: str) -> None:
    if name not in PEERS:
        close = difflib.get_close_matches(name, PEERS, 1)
        raise InputError(
            f"There is no method called '{name}'.",
            f"Did you mean '{close[0]}'?"
            if close
            else f'Known: {", ".join(PEERS)}.',
        )
    if not PEERS[name].installed():
        PEERS[name](name).prepare()  # says what to install
