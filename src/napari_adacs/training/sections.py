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
    """

    displacement: int = 1000
    auxiliary: int = 300
    joint: int = 1700

    def __post_init__(self) -> None:
        if min(self.displacement, self.auxiliary, self.joint) < 0:
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


Schedule = Literal['cosine', 'poly', 'constant']


@dataclass(frozen=True)
class OptimiserConfig:
    """How the estimators follow their gradients.

    Parameters
    ----------
    schedule : {'cosine', 'poly', 'constant'}, default: 'cosine'
        How the learning rate goes from `learning_rate` to
        `final_learning_rate`: along half a cosine, along
        ``(1 - t)^power`` (TransMorph scripts of the authors, with a final
        rate of 0), or not at all.
    power : float, default: 0.9
        Exponent of 'poly'.
    auxiliary_learning_rate : float, default: 0.0
        Rate of the auxiliary estimators; 0 takes `learning_rate`.
    auxiliary_schedule : {'same', 'cosine', 'poly', 'constant'}
        Schedule of that rate, by default the same; its final rate is lower
        than the first one by the same factor.
    betas, auxiliary_betas : tuple of two float
        Decays of Adam's moments. Gradients of auxiliary estimators change
        by orders of magnitude as they settle: a second moment that
        remembers a thousand steps (0.999, papers) is slow for short runs.
    amsgrad : bool, default: False
        AMSGrad for the displacement estimator (TransMorph scripts).
    clip : float, default: 0.0
        Largest norm of the gradient of either estimator; 0 for any.
    accumulation : int, default: 1
        Parts in which a batch is computed, one after the other, so that
        only one part needs memory at a time.
    accumulation_sum : bool, default: False
        Whether the gradients of the parts are added (published code)
        instead of averaged, which equals the whole batch.
    precision : {'float32', 'bfloat16', 'float16'}, default: 'float32'
        Of the networks' layers. Displacements, warping and losses are
        computed in float32 always. 'float16' needs CUDA.
    ema : float, default: 0.0
        Decay of a moving average of the weights, such as 0.999, which is
        then what is validated and kept; 0 for none.
    """

    schedule: Schedule = 'cosine'
    power: float = 0.9
    auxiliary_learning_rate: float = 0.0
    auxiliary_schedule: Literal['same', 'cosine', 'poly', 'constant'] = 'same'
    betas: tuple[float, ...] = (0.9, 0.999)
    auxiliary_betas: tuple[float, ...] = (0.9, 0.99)
    amsgrad: bool = False
    clip: float = 0.0
    accumulation: int = 1
    accumulation_sum: bool = False
    precision: Literal['float32', 'bfloat16', 'float16'] = 'float32'
    ema: float = 0.0

    def __post_init__(self) -> None:
        if self.accumulation < 1:
            raise InputError("'optimiser.accumulation' must be at least 1.")
        if not 0 <= self.ema < 1:
            raise InputError("'optimiser.ema' must be at least 0, below 1.")
        if self.power <= 0:
            raise InputError("'optimiser.power' must be positive.")
        if min(self.clip, self.auxiliary_learning_rate) < 0:
            raise InputError(
                "'optimiser.clip' and 'optimiser.auxiliary_learning_rate' "
                'must not be negative.'
            )
        for name in ('betas', 'auxiliary_betas'):
            pair = getattr(self, name)
            if len(pair) != 2 or not all(0 <= beta < 1 for beta in pair):
                raise InputError(
                    f"'optimiser.{name}' must be two numbers from 0 to 1."
                )


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
