"""Training configuration: one frozen, validated object, read from TOML."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from napari_adacs.errors import InputError
from napari_adacs.models.header import GridPolicy
from napari_adacs.training.optimiser_section import OptimiserConfig
from napari_adacs.training.recipe_file import read_recipe
from napari_adacs.training.sections import (
    AugmentConfig,
    DataConfig,
    LogConfig,
    NetworkConfig,
    SchemeConfig,
    SmoothnessConfig,
    StageConfig,
    StoppingConfig,
)


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run.

    Parameters
    ----------
    name : str
        Name of the model that results.
    network, scheme, stages, smoothness, augment, optimiser, stopping, log, \
data
        See their classes.
    batch_size : int
        Pairs per step, over all parts of a batch and all processes.
    learning_rate : float
        Of both Adam optimisers, see `OptimiserConfig`.
    final_learning_rate : float
        Reached at the last step, along the schedule; equal to
        `learning_rate` for a constant one (papers).
    similarity_weight : float
        Weight of the scheme's data term; with 0, labels alone teach.
    dice_weight : float
        Weight of the overlap of warped labels; 0 leaves training
        unsupervised, as the papers do.
    dice_labels : tuple of int
        Labels that take part; empty for those that a pair has.
    dice_count : int
        How many of these a step draws from each pair, where no labels are
        named.
    motion_weight : float
        Weight of the distance, in voxels of the images' files, between where
        tissue is taken and where it is, for pairs whose motion is known.
    bidirectional : bool
        Whether each pair is also registered the other way round.
    shape : tuple of int
        Grid of the network; pairs are resampled to it.
    model_shape : tuple of int
        Grid of the trained model, where it differs from the one it is
        trained on: finer, for a network that has learnt small motions.
    grid : {'resize', 'pad', 'fit'}
        How the trained model brings images to its grid; see `Preprocessing`.
        'fit' is for pairs that were cut out of larger images.
    orientation : {'array', 'file', 'lps', 'beam'}
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
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    stopping: StoppingConfig = field(default_factory=StoppingConfig)
    log: LogConfig = field(default_factory=LogConfig)
    data: DataConfig = field(default_factory=DataConfig)
    batch_size: int = 8
    learning_rate: float = 1e-4
    final_learning_rate: float = 1e-4
    similarity_weight: float = 1.0
    dice_weight: float = 0.0
    dice_labels: tuple[int, ...] = ()
    dice_count: int = 8
    motion_weight: float = 0.0
    bidirectional: bool = True
    shape: tuple[int, ...] = (128, 128)
    model_shape: tuple[int, ...] = ()
    grid: GridPolicy = 'resize'
    orientation: Literal['array', 'file', 'lps', 'beam'] = 'array'
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
        if len(self.model_shape) not in (0, len(self.shape)):
            raise InputError(
                f"'model_shape' needs {len(self.shape)} numbers, as 'shape' "
                f'has, not {list(self.model_shape)}.'
            )
        if self.batch_size < 1:
            raise InputError("'batch_size' must be at least 1.")
        if self.learning_rate <= 0:
            raise InputError("'learning_rate' must be positive.")
        if self.final_learning_rate < 0:
            raise InputError("'final_learning_rate' must not be negative.")
        weights = (
            self.similarity_weight,
            self.dice_weight,
            self.motion_weight,
        )
        if min(weights) < 0:
            raise InputError(
                "'similarity_weight', 'dice_weight' and 'motion_weight' must "
                'not be negative.'
            )
        if max(weights) == 0:
            raise InputError(
                'Neither similarity nor labels nor known motion teach the '
                'displacement.',
                "Set 'similarity_weight', 'dice_weight' or 'motion_weight'.",
            )
        if self.dice_count < 1:
            raise InputError("'dice_count' must be at least 1.")
        if min(self.validate_every, self.save_every) < 1:
            raise InputError(
                "'validate_every' and 'save_every' must be at least 1."
            )
        if self.batch_size % self.optimiser.accumulation:
            raise InputError(
                f"A 'batch_size' of {self.batch_size} cannot be computed in "
                f'{self.optimiser.accumulation} equal parts.',
                "Change 'batch_size' or 'optimiser.accumulation'.",
            )
        scaled = self.optimiser.precision == 'float16'
        if scaled and not self.scheme.stop_gradient:
            raise InputError(
                "'scheme.stop_gradient' cannot be off with float16.",
                'Choose the precision bfloat16 or float32.',
            )
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
    """Read a configuration from a TOML file, see `read_recipe`.

    Raises
    ------
    InputError
        If the file cannot be read or a key is unknown.
    """
    return config_from_dict(read_recipe(path))


def _build(kind: type, values: Any, where: str) -> Any:
    if not isinstance(values, Mapping):
        raise InputError(f"'{where[:-1]}' must be a section, not {values!r}.")
    types = get_type_hints(kind)
    arguments: dict[str, Any] = {}
    for key, value in values.items():
        if key not in types:
            close = difflib.get_close_matches(key, types, 1)
            guess = f"Did you mean '{where}{close[0]}'?" if close else ''
            raise InputError(
                f"Unknown configuration key '{where}{key}'.", guess
            )
        if dataclasses.is_dataclass(types[key]):
            arguments[key] = _build(types[key], value, f'{where}{key}.')
        else:
            arguments[key] = _checked(types[key], value, f'{where}{key}')
    return kind(**arguments)


def _checked(wanted: Any, value: Any, where: str) -> Any:
    """Return a value of the wanted type, or say what is wrong with it."""
    if get_origin(wanted) is Literal:
        if value not in get_args(wanted):
            known = ', '.join(repr(name) for name in get_args(wanted))
            raise InputError(f"'{where}' must be one of {known}.")
        return value
    if get_origin(wanted) is tuple:
        if not isinstance(value, list | tuple):
            raise InputError(f"'{where}' must be a list, not {value!r}.")
        return tuple(_checked(get_args(wanted)[0], v, where) for v in value)
    if isinstance(wanted, type):
        _check_type(wanted, value, where)
    elif not isinstance(value, Mapping):
        raise InputError(f"'{where}' must be a section, not {value!r}.")
    return value


def _check_type(wanted: type, value: Any, where: str) -> None:
    types = (int, float) if wanted is float else (wanted,)
    wrong_bool = isinstance(value, bool) and wanted is not bool
    if wrong_bool or not isinstance(value, types):
        raise InputError(
            f"'{where}' must be of type {wanted.__name__}, not {value!r}."
        )
