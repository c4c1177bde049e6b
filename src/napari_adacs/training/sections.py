"""The sections of a training configuration, one frozen object each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    stop_gradient : bool, default: True
        Whether the loss of an auxiliary estimator stops at the warped image
        (AdaCS, Eq. 3; heteroscedastic paper, Eq. 5). The published code
        leaves the stop out: with False the gradients that leak into the
        displacement estimator join those of its next step, as there.
    """

    name: str = 'adacs'
    options: Mapping[str, Any] = field(default_factory=dict)
    auxiliary_options: Mapping[str, Any] = field(default_factory=dict)
    companions: tuple[str, ...] = ()
    stop_gradient: bool = True


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
    epoch : int
        Steps that count as an epoch, which schemes may look at; 0 for as
        many as a pass over the pairs takes. The published code has 50
        updates.
    """

    displacement: int = 1000
    auxiliary: int = 300
    joint: int = 1700
    epoch: int = 0

    def __post_init__(self) -> None:
        stages = (self.displacement, self.auxiliary, self.joint, self.epoch)
        if min(stages) < 0:
            raise InputError('A stage cannot have less than 0 steps.')

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
class StoppingConfig:
    """When to stop, and which weights to keep.

    Parameters
    ----------
    patience : int, default: 0
        Validations without an improvement after which training stops; 0
        for never. They count where the best weights are looked for: in the
        joint stage, or anywhere without one.
    measure : {'auto', 'dsc', 'mse'}, default: 'auto'
        What has to improve: the mean Dice, or the mean squared residual;
        'auto' takes Dice where there are labels.
    smallest : float, default: 0.0
        Improvements below this do not count.
    keep : {'best', 'last'}, default: 'best'
        Which weights the model gets at the end.
    """

    patience: int = 0
    measure: Literal['auto', 'dsc', 'mse'] = 'auto'
    smallest: float = 0.0
    keep: Literal['best', 'last'] = 'best'

    def __post_init__(self) -> None:
        if self.patience < 0 or self.smallest < 0:
            raise InputError(
                "'stopping.patience' and 'stopping.smallest' must not be "
                'negative.'
            )


@dataclass(frozen=True)
class LogConfig:
    """What a run writes down, beside `log.csv`.

    Parameters
    ----------
    tensorboard : bool, default: False
        Whether to write TensorBoard event files too.
    preview_every : int, default: 1
        Every how many validations a slice of one validation pair and its
        maps are kept in ``previews/``; 0 for never.
    """

    tensorboard: bool = False
    preview_every: int = 1

    def __post_init__(self) -> None:
        if self.preview_every < 0:
            raise InputError("'log.preview_every' must not be negative.")


@dataclass(frozen=True)
class DataConfig:
    """How pairs are split and read.

    Parameters
    ----------
    held_out : float, default: 0.1
        Share of the patients of a source without a split of its own on
        which training is validated, chosen by `split_seed`.
    split_seed : int, default: 0
        Not `seed`: runs that differ by it are compared on the same pairs.
    workers : int, default: 0
        Threads that prepare batches ahead of time; useful with a GPU.
    """

    held_out: float = 0.1
    split_seed: int = 0
    workers: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.held_out < 1:
            raise InputError("'data.held_out' must be at least 0, below 1.")
        if self.workers < 0:
            raise InputError("'data.workers' must not be negative.")
