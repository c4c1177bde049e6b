"""What a registration run is told; shared by window, shell and Python."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from napari_adacs.errors import InputError

Backend = Literal['auto', 'plain', 'openvino']


@dataclass(frozen=True)
class RunConfig:
    """Settings of one registration.

    Parameters
    ----------
    model : str, default: 'auto'
        Name of a model, path of a bundle, or 'auto' for the best bundled
        model for the images at hand.
    device : str, default: 'auto'
        'auto', 'cpu', 'cuda', 'cuda:N' or 'mps'.
    refine_steps : int, default: 0
        Steps of instance optimisation after the model's estimate.
    threads : int, default: 0
        CPU threads; 0 takes one per core, or a single one while other
        programs keep every core busy.
    backend : {'auto', 'plain', 'openvino'}, default: 'auto'
        What computes the networks: the fastest that torch has, the modules
        as they are, or OpenVINO, an optional package.
    eta : float, optional
        Scale of the score of a DiffuseMorph model; the model's own if None.

    Raises
    ------
    InputError
        If a value is out of range.
    """

    model: str = 'auto'
    device: str = 'auto'
    refine_steps: int = 0
    threads: int = 0
    backend: Backend = 'auto'
    eta: float | None = None

    def __post_init__(self) -> None:
        if self.refine_steps < 0:
            raise InputError("'refine_steps' must be 0 or more.")
        if self.threads < 0:
            raise InputError("'threads' must be 0 or more.")
        if self.backend not in get_args(Backend):
            raise InputError(
                f"There is no backend '{self.backend}'.",
                f'Known backends: {", ".join(get_args(Backend))}.',
            )
        if self.eta is not None and not math.isfinite(self.eta):
            raise InputError("'eta' must be a finite number.")
        if not self.model:
            raise InputError('No model was chosen.', "Use 'auto'.")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """Build the settings from plain data; unknown keys are refused."""
        known = {f.name for f in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(
                f'Unknown setting: {", ".join(unknown)}.',
                f'Known settings: {", ".join(sorted(known))}.',
            )
        return cls(**values)
