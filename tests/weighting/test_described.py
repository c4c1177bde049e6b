"""What the text of the schemes says is what the schemes are."""

from __future__ import annotations

import dataclasses

import pytest

from napari_adacs.weighting.described import SchemeText, described_schemes
from napari_adacs.weighting.registry import SCHEMES


def _of(name: str) -> SchemeText:
    return next(s for s in described_schemes() if s.name == name)


def test_every_scheme_is_described_in_the_order_of_the_registry() -> None:
    assert [s.name for s in described_schemes()] == list(SCHEMES)


@pytest.mark.parametrize('name', SCHEMES)
def test_hyperparameters_and_their_defaults_are_the_real_ones(
    name: str,
) -> None:
    scheme, text = SCHEMES[name], _of(name)
    real = {f.name: f.default for f in dataclasses.fields(scheme)}
    assert {p.name: p.default for p in text.parameters} == real
    assert [p.name for p in text.parameters] == list(real)
    assert (text.title, text.auxiliary) == (scheme.title, scheme.auxiliary)
    assert text.summary


@pytest.mark.parametrize('name', SCHEMES)
def test_every_hyperparameter_is_explained(name: str) -> None:
    for parameter in _of(name).parameters:
        assert len(parameter.text) > 10, parameter
        assert 'As in' not in parameter.text


def test_choices_are_listed_in_the_docstring() -> None:
    presets = {s.parameters[0].choices for s in described_schemes()}
    assert presets == {('paper', 'code')}
