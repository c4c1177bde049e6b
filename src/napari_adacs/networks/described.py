"""The displacement networks in words, without loading torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from napari_adacs.class_text import read_class, registered

_REGISTRY = 'napari_adacs.networks.registry'


@dataclass(frozen=True)
class NetworkText:
    """A displacement network in words.

    Parameters
    ----------
    name : str
        In configurations.
    summary : str
        What it is, in a sentence.
    """

    name: str
    summary: str


@cache
def described_networks() -> tuple[NetworkText, ...]:
    """Return all registered displacement networks, by their names."""
    places = registered(_REGISTRY, 'DISPLACEMENT')
    return tuple(
        NetworkText(name, read_class(*place).summary)
        for name, place in places.items()
    )
