"""The section of a configuration that is about optimisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_adacs.errors import InputError

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
