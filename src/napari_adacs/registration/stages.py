"""The stages of a registration: estimate, refine, map, warp."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from napari_adacs.networks.base import Motion
from napari_adacs.registration.clock import Clock
from napari_adacs.registration.config import RunConfig
from napari_adacs.registration.estimate import Networks
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.registration.native import (
    native_field,
    native_map,
    residual,
)
from napari_adacs.registration.preview import Previewer
from napari_adacs.registration.progress import Reporter
from napari_adacs.registration.refine_field import FloatMap, refine_field
from napari_adacs.registration.refine_network import refine_network
from napari_adacs.registration.result import RegistrationResult
from napari_adacs.registration.threads import limited_threads
from napari_adacs.spatial.field import DisplacementField
from napari_adacs.spatial.grid import Grid


@dataclass(frozen=True, eq=False)
class Stages:
    """One registration of a pair that is on the network grid already.

    Parameters
    ----------
    moving, fixed : ImageOnGrid
        The images on their own grids.
    networks : Networks
        The model and the pair.
    config : RunConfig
        The settings.
    report : Reporter
        Progress and cancelling.
    watch : Previewer
        Sees the steps of refining.
    clock : Clock
        Keeps the times.
    notes : tuple of str
        What a person should know about this run.
    """

    moving: ImageOnGrid
    fixed: ImageOnGrid
    networks: Networks
    config: RunConfig
    report: Reporter
    watch: Previewer
    clock: Clock = field(default_factory=Clock)
    notes: tuple[str, ...] = ()

    def run(self) -> RegistrationResult:
        """Go through all stages."""
        networks = self.networks
        self.report(0.15, 'Estimating the displacement')
        motion = networks.motion(self.config.eta)
        found = self._native(motion)
        self.clock.lap('network')
        if self.config.refine_steps:
            found = self._refined(found)
            self.clock.lap('refine')
        self.report(0.82, 'Computing the maps')
        maps = {
            **networks.maps(self._on_network(found)),
            **networks.displacement_sd(motion),
        }
        self.clock.lap('maps')
        self.report(0.9, 'Warping')
        return self._result(
            found, {k: self._native_map(m) for k, m in maps.items()}
        )

    def with_eta(self, eta: float) -> RegistrationResult:
        """Register with another eta, running the field network alone."""
        again = replace(
            self,
            config=replace(self.config, eta=eta, refine_steps=0),
            report=Reporter(),
            watch=Previewer(None, self.moving),
            clock=Clock(),
            notes=(),
        )
        with limited_threads(again.config.threads):
            return again.run()

    def _refined(self, found: DisplacementField) -> DisplacementField:
        weight = self.networks.weight(self._on_network(found))
        if self.config.refine == 'network':
            return self._native(self._trained(weight))
        coarse = self.config.refine_resolution == 'network'
        return refine_field(
            found,
            self.moving,
            self.fixed,
            self._network_grid if coarse else self.fixed.grid,
            self.config,
            self.networks.device,
            self.report,
            None if weight is None else self._native_map(weight),
            self.watch,
        )

    def _trained(self, weight: Tensor | None) -> Motion:
        networks = self.networks
        return refine_network(
            networks.model,
            networks.moving,
            networks.fixed,
            self.config,
            self.report,
            (
                None
                if weight is None
                else networks.batched(weight).to(networks.device)
            ),
            lambda done, loss, motion: self.watch(
                done, loss, lambda: self._native(motion)
            ),
        )

    def _result(
        self, found: DisplacementField, maps: dict[str, FloatMap]
    ) -> RegistrationResult:
        warped = found.warp_image(self.moving.data)
        difference = residual(self.fixed, self.moving, warped)
        self.clock.lap('native')
        return RegistrationResult(
            found,
            warped,
            difference,
            maps.get('score'),
            maps.get('variance'),
            maps.get('weight'),
            config=self.config,
            model_name=self.networks.model.header.name,
            device=str(self.networks.device),
            timings=self.clock.laps,
            notes=(*self.notes, *self._what_was_refined()),
            displacement_sd=maps.get('displacement_sd'),
            with_eta=self.with_eta if self.networks.has_eta else None,
        )

    def _what_was_refined(self) -> tuple[str, ...]:
        steps = len(self.watch.losses)
        if not steps:
            return ()
        end = ', stopped by hand' if self.report.stopped_refining else ''
        return (f'Refined in {steps} steps{end}.',)

    @property
    def _network_grid(self) -> Grid:
        return self.networks.pair.grid

    def _native(self, motion: Motion) -> DisplacementField:
        return native_field(
            self.networks.on_grid(motion),
            self._network_grid,
            self.moving.grid,
            self.fixed.grid,
        )

    def _native_map(self, values: Tensor) -> FloatMap:
        return native_map(values, self._network_grid, self.fixed.grid)

    def _on_network(self, found: DisplacementField) -> Tensor:
        return torch.from_numpy(found.to_grid(self._network_grid).voxels)[None]
