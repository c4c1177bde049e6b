"""Training configuration: one frozen, validated object, read from TOML."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari_adacs.errors import InputError


@dataclass(frozen=True)
class NetworkConfig:
    """A network by name, with its options.

    Parameters
    ----------
    name : str
        Name in `networks.registry`.
    options : dict
        Keyword arguments of the network, without `ndim`.
    """

    name: str = 'voxelmorph'
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SchemeConfig:
    """A weighting scheme by name, with its hyperparameters.

    Parameters
    ----------
    name : str
        Name in `weighting.registry`.
    options : dict
        Hyperparameters; 'preset' chooses paper or code.
    auxiliary_options : dict
        Options of the auxiliary estimators' networks, without `ndim`.
    companions : tuple of str
        Further auxiliary estimators, trained beside the scheme's own only
        to show their maps.
    """

    name: str = 'adacs'
    options: Mapping[str, Any] = field(default_factory=dict)
    auxiliary_options: Mapping[str, Any] = field(default_factory=dict)
    companions: tuple[str, ...] = ()


@dataclass(frozen=True)
class StageConfig:
    """Lengths of the three stages, in steps (AdaCS, Algorithm 1).

    Parameters
    ----------
    displacement : int
        Steps that train the displacement estimator alone.
    auxiliary : int
        Steps that train the auxiliary estimator alone.
    joint : int
        Steps that train both, alternating.
    """

    displacement: int = 1000
    auxiliary: int = 300
    joint: int = 1700

    @property
    def total(self) -> int:
        """Number of steps in all."""
        return self.displacement + self.auxiliary + self.joint


@dataclass(frozen=True)
class SmoothnessConfig:
    """Regularity of the motion.

    Parameters
    ----------
    weight : float, default: 0.01
        Factor lambda of the penalty (AdaCS, Eq. 1).
    on : {'displacement', 'velocity'}, default: 'displacement'
        Whether the displacement (papers) or what the network emits before
        integration (published code) is penalised.
    reduction : {'sum', 'mean'}, default: 'sum'
        Sum over axes and components (papers) or mean (published code).
    """

    weight: float = 0.01
    on: Literal['displacement', 'velocity'] = 'displacement'
    reduction: Literal['sum', 'mean'] = 'sum'


@dataclass(frozen=True)
class AugmentConfig:
    """Random changes of training pairs; every one is off by default.

    Parameters
    ----------
    flip : tuple of int
        Spatial axes along which a pair may be mirrored.
    transpose : tuple of int
        Spatial axes, of equal length, that may be exchanged.
    swap : bool
        Whether to exchange moving and fixed.
    gamma : float
        Spread of a random exponent of the intensities, per pair.
    frame_gamma : float
        The same, drawn for each frame by itself.
    noise : float
        Largest standard deviation of added noise.
    blur : float
        Largest standard deviation, in voxels, of a Gaussian blur per pair.
    warp : float
        Standard deviation, in voxels, of a smooth deformation of the pair.
    nuisance : float
        Probability that one frame gets a shadow or haze, while an
        auxiliary estimator is trained.
    invert : float
        Probability that both frames are inverted (bright to dark).
    """

    flip: tuple[int, ...] = ()
    transpose: tuple[int, ...] = ()
    swap: bool = False
    gamma: float = 0.0
    frame_gamma: float = 0.0
    noise: float = 0.0
    blur: float = 0.0
    warp: float = 0.0
    nuisance: float = 0.0
    invert: float = 0.0


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run.

    Parameters
    ----------
    name : str
        Name of the model that results.
    network, scheme, stages, smoothness, augment
        See their classes.
    batch_size : int
        Pairs per step.
    learning_rate : float
        Of both Adam optimisers.
    final_learning_rate : float
        Reached at the last step, along a half cosine; equal to
        `learning_rate` for a constant one (papers).
    dice_weight : float
        Weight of the overlap of warped labels; 0 leaves training
        unsupervised, as the papers do.
    dice_labels : tuple of int
        Labels that take part.
    bidirectional : bool
        Whether each pair is also registered the other way round.
    shape : tuple of int
        Grid of the network; pairs are resampled to it.
    orientation : {'array', 'lps', 'beam'}
        How the axes of images are turned before the network sees them.
    seed : int
        Of every random number.
    validate_every, save_every : int
        In steps.
    start_from : str
        Bundle whose estimators are the start; empty for none.
    info : dict
        Description, licence, training data: goes into the bundle.
    """

    name: str = 'model'
    network: NetworkConfig = field(default_factory=NetworkConfig)
    scheme: SchemeConfig = field(default_factory=SchemeConfig)
    stages: StageConfig = field(default_factory=StageConfig)
    smoothness: SmoothnessConfig = field(default_factory=SmoothnessConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    batch_size: int = 8
    learning_rate: float = 1e-4
    final_learning_rate: float = 1e-4
    dice_weight: float = 0.0
    dice_labels: tuple[int, ...] = ()
    bidirectional: bool = True
    shape: tuple[int, ...] = (128, 128)
    orientation: Literal['array', 'lps', 'beam'] = 'array'
    seed: int = 0
    validate_every: int = 250
    save_every: int = 250
    start_from: str = ''
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.shape) not in (2, 3):
            raise InputError(
                f"'shape' needs 2 or 3 numbers, not {list(self.shape)}."
            )
        if self.batch_size < 1:
            raise InputError("'batch_size' must be at least 1.")
        if self.learning_rate <= 0:
            raise InputError("'learning_rate' must be positive.")
        if self.stages.total < 1:
            raise InputError('The stages have no steps at all.')

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.shape)

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain data."""
        return dataclasses.asdict(self)


def config_from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """Build a configuration from plain data, refusing unknown keys.

    Raises
    ------
    InputError
        If a key is unknown (with the nearest known one) or a value has the
        wrong type.
    """
    config: TrainConfig = _build(TrainConfig, values, '')
    return config


def load_config(path: str | Path) -> TrainConfig:
    """Read a configuration from a TOML file.

    Raises
    ------
    InputError
        If the file cannot be read or a key is unknown.
    """
    try:
        with open(path, 'rb') as file:
            values = tomllib.load(file)
    except OSError as error:
        raise InputError(
            f"The configuration '{path}' cannot be read: {error.strerror}."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"The configuration '{path}' is not valid TOML: {error}."
        ) from error
    return config_from_dict(values)


_SECTIONS: dict[str, type] = {
    'network': NetworkConfig,
    'scheme': SchemeConfig,
    'stages': StageConfig,
    'smoothness': SmoothnessConfig,
    'augment': AugmentConfig,
}


def _build(kind: type, values: Mapping[str, Any], where: str) -> Any:
    known = {f.name: f for f in dataclasses.fields(kind)}
    arguments: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            guess = f"Did you mean '{where}{close[0]}'?" if close else ''
            raise InputError(
                f"Unknown configuration key '{where}{key}'.", guess
            )
        if kind is TrainConfig and key in _SECTIONS:
            value = _build(_SECTIONS[key], value, f'{key}.')
        elif isinstance(value, list):
            value = tuple(value)
        else:
            _check_number(known[key], value, f'{where}{key}')
        arguments[key] = value
    return kind(**arguments)


def _check_number(
    item: dataclasses.Field[Any], value: Any, where: str
) -> None:
    wanted = {'int': (int,), 'float': (int, float), 'bool': (bool,)}
    types = wanted.get(str(item.type))
    if types is None:
        return
    wrong_bool = isinstance(value, bool) and bool not in types
    if wrong_bool or not isinstance(value, types):
        raise InputError(
            f"'{where}' must be of type {item.type}, not {value!r}."
        )
