"""What a person has chosen to register."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_adacs.app.layers import image_of, is_sequence
from napari_adacs.app.request import (
    Preflight,
    Region,
    Request,
    make_request,
    preflight,
)
from napari_adacs.registration.config import Refining, Similarity

if TYPE_CHECKING:
    from napari.layers import Image, Labels


@dataclass(frozen=True, eq=False)
class Chosen:
    """What a person has chosen.

    Parameters
    ----------
    moving, fixed : Image
        Layers; they may be the same sequence.
    moving_frame, fixed_frame : int, optional
        Frames of sequences.
    labels : Labels, optional
        Labels of the moving image.
    model, device : str, default: 'auto'
        As in `RunConfig`.
    refine_steps, refine, refine_similarity, refine_smoothness, \
refine_prior, eta
        As in `RunConfig`.
    region : Region, optional
        Where refining tries harder.
    version : int, default: 1
        Which attempt at this pair and model; each has layers of its own.
    """

    moving: Image
    fixed: Image
    moving_frame: int | None = None
    fixed_frame: int | None = None
    labels: Labels | None = None
    model: str = 'auto'
    device: str = 'auto'
    refine_steps: int = 0
    refine: Refining = 'field'
    refine_similarity: Similarity = 'lncc'
    refine_smoothness: float = 1.0
    refine_prior: float | None = None
    eta: float | None = None
    region: Region | None = None
    version: int = 1

    @property
    def labels_frame(self) -> int | None:
        """Frame of the labels: that of the moving image if they have any."""
        labels = self.labels
        if labels is None or self.moving_frame is None:
            return None
        alike = labels.ndim == self.moving.ndim
        return self.moving_frame if alike or is_sequence(labels) else None

    def request(self) -> Request:
        """Return the request this amounts to.

        Raises
        ------
        InputError
            If a layer cannot be used.
        """
        labels = None
        if self.labels is not None:
            labels = image_of(self.labels, self.labels_frame, 'moving labels')
        return make_request(
            image_of(self.moving, self.moving_frame, 'moving'),
            image_of(self.fixed, self.fixed_frame, 'fixed'),
            labels,
            model=self.model,
            device=self.device,
            refine_steps=self.refine_steps,
            refine=self.refine,
            refine_similarity=self.refine_similarity,
            refine_smoothness=self.refine_smoothness,
            refine_prior=self.refine_prior,
            eta=self.eta,
            region=self.region,
        )

    def check(self) -> Preflight:
        """Find out what will happen; see `request.preflight`."""
        return preflight(self.request())
