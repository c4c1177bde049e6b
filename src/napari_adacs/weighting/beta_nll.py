"""Beta-NLL: a likelihood that does not neglect what has a large variance.

References
----------
Seitzer, Tavakoli, Antic, Martius, "On the Pitfalls of Heteroscedastic
Uncertainty Estimation with Probabilistic Neural Networks", ICLR 2022; as
the baseline of Zhang et al., AdaCS, ECCV 2024, Sec. 5.3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from napari_adacs.weighting.nll import NLL


@dataclass(frozen=True)
class BetaNLL(NLL):
    """Likelihood times a power of the variance, gradient stopped in it.

    Displacement and variance estimator both minimise
    ``mean(|_sigma^(2 beta)_| (r^2 / sigma^2 + log sigma^2))`` (AdaCS,
    Sec. 5.3.2), where the brackets stop the gradient.

    Parameters
    ----------
    preset : {'paper', 'code'}, default: 'paper'
        As in `NLL`.
    beta : float, default: 0.5
        0 is the likelihood itself; with 1 every residual counts the same
        (AdaCS, Sec. 5.3.2: 0.5).
    """

    name: ClassVar[str] = 'beta_nll'
    title: ClassVar[str] = 'Beta-NLL (tempered likelihood)'

    beta: float = 0.5

    @property
    def exponent(self) -> float:
        """Exponent beta of the factor in front of the likelihood."""
        return self.beta
