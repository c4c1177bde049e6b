"""The weighting schemes as the window offers them."""

from __future__ import annotations

from napari_adacs.class_text import Parameter
from napari_adacs.weighting.described import SchemeText, described_schemes

__all__ = ['Parameter', 'SchemeText', 'scheme_texts', 'title_of']

_GREEK = {'alpha': 'α', 'beta': 'β', 'gamma': 'γ', 'eps': 'ε'}


def scheme_texts() -> tuple[SchemeText, ...]:
    """Return every registered scheme in words."""
    return described_schemes()


def title_of(name: str) -> str:
    """Return how a form calls a hyperparameter."""
    if name in _GREEK:
        return f'{name.capitalize()} ({_GREEK[name]})'
    words = name.replace('_', ' ')
    return f'{words[:1].upper()}{words[1:]}'
