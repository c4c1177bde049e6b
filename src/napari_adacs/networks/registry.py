"""Names of the networks, and how to build them from plain data.

To add a network, write its file and add one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from torch import nn

from napari_adacs.errors import ModelError
from napari_adacs.networks.auxiliary import ScoringEstimator, VarianceEstimator
from napari_adacs.networks.base import DisplacementEstimator
from napari_adacs.networks.diffusemorph import DiffuseMorph
from napari_adacs.networks.identity import Identity
from napari_adacs.networks.pyramid import Pyramid
from napari_adacs.networks.transmorph import TransMorph
from napari_adacs.networks.voxelmorph import VoxelMorph
from napari_adacs.networks.voxelmorph2018 import VoxelMorph2018
from napari_adacs.networks.voxelmorph_diff import VoxelMorphDiff
from napari_adacs.networks.voxelmorph_sigma import VoxelMorphSigma
from napari_adacs.networks.vxm_pairwise import VxmPairwise

T = TypeVar('T')

DISPLACEMENT: dict[str, Callable[..., DisplacementEstimator]] = {
    'diffusemorph': DiffuseMorph,
    'identity': Identity,
    'pyramid': Pyramid,
    'transmorph': TransMorph,
    'voxelmorph': VoxelMorph,
    'voxelmorph-diff': VoxelMorphDiff,
    'voxelmorph-sigma': VoxelMorphSigma,
    'voxelmorph2018': VoxelMorph2018,
    'vxm-pairwise': VxmPairwise,
}

AUXILIARY: dict[str, Callable[..., nn.Module]] = {
    'scoring': ScoringEstimator,
    'variance': VarianceEstimator,
}


def build_displacement(
    name: str, options: Mapping[str, Any]
) -> DisplacementEstimator:
    """Build a displacement estimator by its registered name.

    Raises
    ------
    ModelError
        If the name is unknown or an option does not fit.
    """
    return _build(DISPLACEMENT, name, options)


def build_auxiliary(name: str, options: Mapping[str, Any]) -> nn.Module:
    """Build a scoring or variance estimator by its registered name.

    Raises
    ------
    ModelError
        If the name is unknown or an option does not fit.
    """
    return _build(AUXILIARY, name, options)


def _build(
    registry: Mapping[str, Callable[..., T]],
    name: str,
    options: Mapping[str, Any],
) -> T:
    if name not in registry:
        raise ModelError(
            f"There is no network called '{name}'.",
            f'Known networks: {", ".join(sorted(registry))}.',
        )
    try:
        return registry[name](**options)
    except TypeError as error:
        raise ModelError(
            f"The options of network '{name}' do not fit: {error}."
        ) from error
