"""A model of this package as a method."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from napari_adacs.benchmark.case import Case
from napari_adacs.benchmark.method import Method, Outcome
from napari_adacs.io.record import package_versions
from napari_adacs.models.library import ModelEntry, load_model
from napari_adacs.registration.config import RunConfig

if TYPE_CHECKING:
    from napari_adacs.models.model import Model


class ModelMethod(Method):
    """Register with a model, as ``napari-adacs register`` does.

    Parameters
    ----------
    entry : ModelEntry
        The model.
    device : str, default: 'cpu'
        Where it runs.
    refine_steps : int, default: 0
        Steps of refining; part of the method's name.
    label : str, optional
        What the tables call the model; its own name if omitted.
    """

    def __init__(
        self,
        entry: ModelEntry,
        device: str = 'cpu',
        refine_steps: int = 0,
        label: str = '',
    ) -> None:
        label = label or entry.name
        super().__init__(f'{label}+{refine_steps}' if refine_steps else label)
        self._refine_steps = refine_steps
        self._entry = entry
        self._device = device
        self._model: Model | None = None

    def identity(self) -> str:
        """Return the checksum of the bundle, this version, the device."""
        digest = hashlib.sha256(self._entry.path.read_bytes()).hexdigest()
        version = package_versions().get('napari-adacs', 'unknown')
        return f'{digest[:16]}, napari-adacs {version}, {self._device}'

    def prepare(self) -> None:
        """Load the bundle once."""
        if self._model is None:
            self._model = load_model(self._entry.path)

    def register(self, case: Case, threads: int) -> Outcome:
        """Return field, maps and residual."""
        from napari_adacs.registration.register import register_on_grids

        self.prepare()
        config = RunConfig(
            self._entry.name,
            self._device,
            self._refine_steps,
            threads=threads,
        )
        found = register_on_grids(
            case.moving, case.fixed, config, model=self._model
        )
        maps = {
            name: values
            for name, values in found.maps.items()
            if name in ('score', 'variance')
        }
        return Outcome(found.field, maps, found.residual)
