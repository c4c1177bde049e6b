"""Names of the weighting schemes.

To add a scheme, write its file and add one line here.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

from napari_adacs.errors import ModelError
from napari_adacs.weighting.adacs import AdaCS
from napari_adacs.weighting.adaframe import AdaFrame
from napari_adacs.weighting.adareg import AdaReg
from napari_adacs.weighting.base import WeightingScheme
from napari_adacs.weighting.beta_nll import BetaNLL
from napari_adacs.weighting.heteroscedastic import Heteroscedastic
from napari_adacs.weighting.nll import NLL
from napari_adacs.weighting.vanilla import Vanilla

SCHEMES: dict[str, type[WeightingScheme]] = {
    scheme.name: scheme
    for scheme in (
        Vanilla,
        NLL,
        BetaNLL,
        AdaReg,
        AdaFrame,
        AdaCS,
        Heteroscedastic,
    )
}


def build_scheme(
    name: str, hyperparameters: Mapping[str, Any] | None = None
) -> WeightingScheme:
    """Build a scheme by its registered name.

    Raises
    ------
    ModelError
        If the name or a hyperparameter is unknown.
    """
    if name not in SCHEMES:
        raise ModelError(
            f"There is no weighting scheme called '{name}'.",
            f'Known schemes: {", ".join(SCHEMES)}.',
        )
    scheme = SCHEMES[name]
    known = [f.name for f in dataclasses.fields(scheme)]
    for key in hyperparameters or {}:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            guess = f" Did you mean '{close[0]}'?" if close else ''
            raise ModelError(
                f"Scheme '{name}' has no hyperparameter '{key}'.{guess}",
                f'It has: {", ".join(known)}.',
            )
    return scheme(**(hyperparameters or {}))
