"""What a registration returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.registration.config import RunConfig
from napari_adacs.spatial.field import DisplacementField

FloatMap = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class RegistrationResult:
    """The field and everything derived from it, on the native fixed grid.

    Parameters
    ----------
    field : DisplacementField
        Displacement on the fixed grid, with its inverse.
    warped : (*fixed.shape) numpy.ndarray of float32
        Moving image resampled by `field`, in its own intensities.
    residual : (*fixed.shape) numpy.ndarray of float32
        Absolute difference of fixed and warped, both scaled to [0, 1].
    score : (*fixed.shape) numpy.ndarray of float32 or None
        Correspondence score in [0, 1]; high where to trust.
    variance : (*fixed.shape) numpy.ndarray of float32 or None
        Predicted variance of the residual of the scaled images.
    weight : (*fixed.shape) numpy.ndarray of float32 or None
        Weight map of the model's scheme: how much each residual counted,
        and for AdaReg how much the smoothness there.
    config : RunConfig
        Settings of the run.
    model_name : str
        The model that was used.
    device : str
        Where it ran.
    timings : dict of str to float
        Seconds by stage.
    notes : tuple of str
        What a person should know about this run.
    displacement_sd : (*fixed.shape) numpy.ndarray of float32 or None
        Standard deviation of the displacement along an axis (root mean
        square over axes), in the unit of `field.grid`; from models that
        predict it, for the network's estimate before refining.
    with_eta : callable or None
        From a DiffuseMorph model: registers the same pair with another
        scale of the score, running the field network alone, without
        refining. It keeps the model and the score in memory.
    """

    field: DisplacementField
    warped: FloatMap
    residual: FloatMap
    score: FloatMap | None
    variance: FloatMap | None
    weight: FloatMap | None
    config: RunConfig
    model_name: str
    device: str
    timings: Mapping[str, float] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    displacement_sd: FloatMap | None = None
    with_eta: Callable[[float], RegistrationResult] | None = dataclasses.field(
        default=None, repr=False
    )

    @property
    def eta(self) -> float:
        """Scale of the score that was used, 1 unless told otherwise."""
        return 1.0 if self.config.eta is None else self.config.eta

    @property
    def maps(self) -> dict[str, FloatMap]:
        """The maps that exist, by name."""
        found = {
            'score': self.score,
            'variance': self.variance,
            'weight': self.weight,
            'displacement_sd': self.displacement_sd,
        }
        return {k: v for k, v in found.items() if v is not None}

    def summary(self) -> dict[str, Any]:
        """Return plain figures for run records."""
        determinant = self.field.jacobian_determinant()
        return {
            'model': self.model_name,
            'device': self.device,
            'config': self.config.to_dict(),
            'timings_s': {k: round(v, 4) for k, v in self.timings.items()},
            'folded_percent': float(100 * (determinant <= 0).mean()),
            'max_displacement': float(self.field.magnitude_mm.max()),
            'units': self.field.grid.units,
            'notes': list(self.notes),
        }
