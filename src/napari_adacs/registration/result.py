"""What a registration returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
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

    @property
    def maps(self) -> dict[str, FloatMap]:
        """The maps that exist, by name."""
        found = {
            'score': self.score,
            'variance': self.variance,
            'weight': self.weight,
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
