"""What a registration run is told; shared by window, shell and Python."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from napari_adacs.errors import InputError

Backend = Literal['auto', 'plain', 'openvino']
Refining = Literal['field', 'network']
Similarity = Literal['lncc', 'mse']
Resolution = Literal['native', 'network']
# Steps of a registration that has no network to start from.
STEPS_FROM_ZERO = 40


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
        Steps of instance optimisation after the model's estimate: of each
        resolution for 'field', in all for 'network'.
    threads : int, default: 0
        CPU threads; 0 takes one per core, or a single one while other
        programs keep every core busy.
    backend : {'auto', 'plain', 'openvino'}, default: 'auto'
        What computes the networks: the fastest that torch has, the modules
        as they are, or OpenVINO, an optional package.
    eta : float, optional
        Scale of the score of a DiffuseMorph model; the model's own if None.
    refine : {'field', 'network'}, default: 'field'
        Whether refining moves a free displacement field, or goes on
        training the model's displacement estimator on this pair.
    refine_similarity : {'lncc', 'mse'}, default: 'lncc'
        Local cross-correlation or squared residual; both are weighted by
        the model's scheme.
    refine_smoothness : float, default: 1.0
        Multiplies the default smoothness of refining; above 0.
    refine_prior : float, optional
        Weight of the model's estimate beside the images, see
        `FreeFieldOptions`; as the model's header says if None.
    refine_resolution : {'native', 'network'}, default: 'native'
        Grid on which a free field is refined.

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
    refine: Refining = 'field'
    refine_similarity: Similarity = 'lncc'
    refine_smoothness: float = 1.0
    refine_resolution: Resolution = 'native'
    refine_prior: float | None = None

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
        if not 0 < self.refine_smoothness < float('inf'):
            raise InputError("'refine_smoothness' must be above 0.")
        prior = self.refine_prior
        if prior is not None and not 0 <= prior < float('inf'):
            raise InputError("'refine_prior' must be 0 or more.")
        for name, known in (
            ('refine', Refining),
            ('refine_similarity', Similarity),
            ('refine_resolution', Resolution),
        ):
            if getattr(self, name) not in get_args(known):
                raise InputError(
                    f"'{name}' cannot be {getattr(self, name)!r}.",
                    f'Choose {" or ".join(get_args(known))}.',
                )
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
