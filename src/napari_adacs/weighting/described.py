"""The weighting schemes in words, without loading torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from napari_adacs.class_text import Parameter, read_class, registered

_REGISTRY = 'napari_adacs.weighting.registry'


@dataclass(frozen=True)
class SchemeText:
    """A weighting scheme in words.

    Parameters
    ----------
    name, title : str
        In configurations, and for people.
    summary : str
        What it does, in a sentence.
    auxiliary : str or None
        Estimator that it trains beside the displacement.
    parameters : tuple of Parameter
        Its hyperparameters, the preset first.
    """

    name: str
    title: str
    summary: str
    auxiliary: str | None
    parameters: tuple[Parameter, ...]


@cache
def described_schemes() -> tuple[SchemeText, ...]:
    """Return all registered schemes, in the order of the registry."""
    found = []
    for module, name in registered(_REGISTRY, 'SCHEMES').values():
        text = read_class(module, name)
        found.append(
            SchemeText(
                text.constants['name'],
                text.constants['title'],
                text.summary,
                text.constants.get('auxiliary'),
                text.parameters,
            )
        )
    return tuple(found)
