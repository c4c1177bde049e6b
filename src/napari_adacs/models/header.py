"""The description inside a model bundle; readable without torch."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from napari_adacs.errors import ModelError

FORMAT_VERSION = 1
# The network of a model that moves nothing by itself.
FROM_ZERO = 'identity'

GridPolicy = Literal['resize', 'pad', 'fit']

# 'fit' resamples images that are larger than this, per axis on average:
# echo planes of 708 x 584 for a network that was trained on 128 x 128, not
# the 256 x 256 slices that crops of 128 x 128 come from.
_MUCH_LARGER = 2.2


@dataclass(frozen=True)
class Preprocessing:
    """How images become network input.

    Parameters
    ----------
    grid : {'resize', 'pad', 'fit'}
        'resize' resamples the fixed image's field of view to `shape`;
        'pad' keeps its voxels and pads to a valid size; 'fit' keeps them
        unless there are far more than in `shape`, and resamples then.
    shape : tuple of int
        Network grid of 'resize' and 'fit'.
    orientation : {'array', 'file', 'lps', 'beam'}
        Whether the network sees the axes as the array has them, in the order
        of image files (x before z, without reversals), turned to (x, y[, z])
        order, or turned so that the echo beam runs along the second axis.
    intensity : {'minmax'}
        Each image is scaled to [0, 1] by its minimum and maximum.
    """

    grid: GridPolicy = 'resize'
    shape: tuple[int, ...] = ()
    orientation: Literal['array', 'file', 'lps', 'beam'] = 'array'
    intensity: Literal['minmax'] = 'minmax'

    def resampled(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape that an image is resampled to; () to keep it.

        Parameters
        ----------
        shape : sequence of int
            Shape of the fixed image.
        """
        if self.grid == 'pad' or not self.shape:
            return ()
        if self.grid == 'resize':
            return self.shape
        ratio = math.prod(shape) / math.prod(self.shape)
        larger = ratio ** (1 / len(shape)) > _MUCH_LARGER
        return self.shape if larger else ()


@dataclass(frozen=True)
class ModelHeader:
    """What a model is, as plain data.

    Parameters
    ----------
    name : str
        Unique name, such as 'voxelmorph-adacs-echo3d'.
    ndim : int
        Number of spatial axes.
    network : str
        Displacement estimator in `networks.registry`.
    network_options : dict
        Its options.
    scheme : str
        Weighting scheme in `weighting.registry` it was trained with.
    scheme_options : dict
        Its hyperparameters.
    auxiliaries : dict of str to dict
        Auxiliary estimators by name, with their options.
    preprocessing : Preprocessing
        How images become network input.
    size_multiple : int, default: 0
        Every axis that the networks see is a multiple of this; 0 in bundles
        that do not say.
    title, description, domain, licence, date : str
        For people; `domain` is what it was trained on, such as '3D echo'.
        A model is chosen automatically for images that its words name:
        'echo', 'cine', or 'general' for all others.
    preference : int, default: 0
        Of several models for the same images the one with the largest
        number is the default.
    refine_prior : float, default: 0.0
        Weight of this model's estimate beside the images when it is refined,
        see `FreeFieldOptions`. More than 0 for models that know what images
        do not show, such as where people draw a boundary.
    training : dict
        Data, split, steps, seed, recipe.
    metrics : dict
        Measured figures, by data set.
    """

    name: str
    ndim: int
    network: str
    scheme: str
    network_options: Mapping[str, Any] = field(default_factory=dict)
    scheme_options: Mapping[str, Any] = field(default_factory=dict)
    auxiliaries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    size_multiple: int = 0
    title: str = ''
    description: str = ''
    domain: str = ''
    licence: str = ''
    date: str = ''
    preference: int = 0
    refine_prior: float = 0.0
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def guided(self) -> bool:
        """Whether labels of the training pairs have taught the motion."""
        weight = self.training.get('dice_weight', 0)
        return isinstance(weight, int | float) and weight > 0

    def to_json(self) -> str:
        """Return the header as JSON."""
        values = {'format': FORMAT_VERSION, **dataclasses.asdict(self)}
        return json.dumps(values, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelHeader:
        """Read a header; unknown keys of newer versions are ignored.

        Raises
        ------
        ModelError
            If the text is not a header of a known format.
        """
        try:
            values = json.loads(text)
            version = int(values.pop('format'))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                'The file has no readable model header.',
                'Choose a model bundle made by napari-adacs.',
            ) from error
        if version > FORMAT_VERSION:
            raise ModelError(
                f'The model uses format {version}, newer than this '
                f'version of napari-adacs understands.',
                'Update napari-adacs.',
            )
        return cls._from_values(values)

    @classmethod
    def _from_values(cls, values: dict[str, Any]) -> ModelHeader:
        known = {f.name for f in dataclasses.fields(cls)}
        kept = {k: v for k, v in values.items() if k in known}
        try:
            prep = dict(kept.pop('preprocessing', {}))
            prep['shape'] = tuple(int(n) for n in prep.get('shape', ()))
            header = cls(**kept, preprocessing=Preprocessing(**prep))
        except (TypeError, ValueError) as error:
            raise ModelError(
                f'The model header is incomplete: {error}.'
            ) from error
        if type(header.size_multiple) is not int or header.size_multiple < 0:
            raise ModelError(
                'The model header says that axes are a multiple of '
                f'{header.size_multiple!r}, which is no number of voxels.'
            )
        prior = header.refine_prior
        if not (isinstance(prior, int | float) and 0 <= prior < math.inf):
            raise ModelError(
                f"The model header's 'refine_prior' is {prior!r}, not a "
                'number from 0.'
            )
        if header.ndim not in (2, 3):
            raise ModelError(
                f'The model header names {header.ndim} axes, not 2 or 3.'
            )
        return header
