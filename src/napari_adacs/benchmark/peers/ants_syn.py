"""Symmetric normalisation (SyN) of ANTs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from napari_adacs.benchmark.case import Case
from napari_adacs.benchmark.method import Outcome
from napari_adacs.benchmark.peers.base import Peer
from napari_adacs.benchmark.peers.itk_frame import intensities, outcome
from napari_adacs.registration.inputs import ImageOnGrid


class AntsSyn(Peer):
    """SyN without an affine step; cross-correlation, radius 4."""

    module = 'ants'
    package = 'antspyx'
    licence = 'Apache-2.0'
    family = 'ants'  # has an ITK of its own
    settings = 'SyNOnly from the identity, CC radius 4, iterations 40x20x0'

    def _displacement(self, case: Case, threads: int) -> Outcome:
        import ants

        with tempfile.TemporaryDirectory() as folder:
            found = ants.registration(
                _image(case.fixed),
                _image(case.moving),
                type_of_transform='SyNOnly',
                initial_transform='Identity',
                syn_metric='CC',
                syn_sampling=4,
                outprefix=str(Path(folder) / 'syn'),
            )
            warps = [
                path
                for path in found['fwdtransforms']
                if path.endswith('Warp.nii.gz')
            ]
            return outcome(case, ants.image_read(warps[0]).numpy())


def _image(image: ImageOnGrid) -> Any:
    import ants

    return ants.from_numpy(
        intensities(image),
        origin=image.grid.origin.tolist(),
        spacing=list(image.grid.spacing),
        direction=image.grid.direction,
    )
