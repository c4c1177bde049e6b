"""A model in memory: networks, weighting scheme and description."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import nn

from napari_adacs.models.header import ModelHeader
from napari_adacs.networks.base import DisplacementEstimator
from napari_adacs.networks.registry import build_auxiliary, build_displacement
from napari_adacs.weighting.base import WeightingScheme
from napari_adacs.weighting.registry import SCHEMES, build_scheme


@dataclass(frozen=True, eq=False)
class Model:
    """Displacement estimator with its scheme and auxiliary estimators.

    Parameters
    ----------
    header : ModelHeader
        What it is.
    displacement : DisplacementEstimator
        Estimates the motion.
    scheme : WeightingScheme
        Weighting it was trained with.
    auxiliaries : dict of str to torch.nn.Module
        Scoring and variance estimators, by registered name.
    """

    header: ModelHeader
    displacement: DisplacementEstimator
    scheme: WeightingScheme
    auxiliaries: Mapping[str, nn.Module]

    @property
    def size_multiple(self) -> int:
        """Every axis of the input must be a multiple of this."""
        sizes = [self.displacement.size_multiple]
        sizes += [int(m.size_multiple) for m in self.auxiliaries.values()]  # type: ignore[arg-type]
        return math.lcm(*sizes)

    def modules(self) -> dict[str, nn.Module]:
        """Return all networks under the names they have in a bundle."""
        return {'displacement': self.displacement, **self.auxiliaries}


def build_model(header: ModelHeader) -> Model:
    """Build the networks a header describes, untrained.

    The header of the model says besides what sizes they can take.

    Raises
    ------
    ModelError
        If the header names something unknown.
    """
    options = {'ndim': header.ndim, **header.network_options}
    displacement = build_displacement(header.network, options)
    auxiliaries = {
        name: build_auxiliary(name, {'ndim': header.ndim, **chosen})
        for name, chosen in header.auxiliaries.items()
    }
    scheme = build_scheme(header.scheme, header.scheme_options)
    model = Model(header, displacement, scheme, auxiliaries)
    # for those who read the header of a bundle, and no weights
    return replace(
        model, header=replace(header, size_multiple=model.size_multiple)
    )


def companion_schemes(model: Model) -> dict[str, WeightingScheme]:
    """Return a scheme for every auxiliary estimator of a model.

    An estimator that is not the scheme's own was trained beside it to show
    its map; the scheme that owns its kind reads it. A joint scheme cannot:
    its estimator has no loss of its own.
    """
    owners = {
        s.auxiliary: s for s in SCHEMES.values() if s.auxiliary and not s.joint
    }
    return {
        name: model.scheme
        if model.scheme.auxiliary == name
        else owners[name]()
        for name in model.auxiliaries
    }
