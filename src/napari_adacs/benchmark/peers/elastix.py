"""B-spline registration of elastix."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

from napari_adacs.benchmark.case import Case
from napari_adacs.benchmark.method import Outcome
from napari_adacs.benchmark.peers.base import Peer
from napari_adacs.benchmark.peers.itk_frame import (
    from_buffer,
    intensities,
    outcome,
)
from napari_adacs.registration.inputs import ImageOnGrid

# The final distance of control points, in voxels: fine enough for a wall of
# six voxels.
_SPACING_VOXELS = 8
# With the default of 1 the field folds on echo; chosen on training pairs.
_BENDING = 20


class Elastix(Peer):
    """Normalised correlation with bending energy, four levels."""

    module = 'itk'
    package = 'itk-elastix'
    licence = 'Apache-2.0'
    family = 'elastix'  # has an ITK of its own
    settings = (
        'bspline defaults, AdvancedNormalizedCorrelation, control points '
        f'every {_SPACING_VOXELS} voxels, bending energy {_BENDING}'
    )

    @classmethod
    def installed(cls) -> bool:
        """Whether the distribution is there; itk loads its modules late."""
        from importlib import metadata

        try:
            metadata.version(cls.package)
        except metadata.PackageNotFoundError:
            return False
        return True

    def prepare(self) -> None:
        """Load the filters once; this takes seconds."""
        if self.installed():
            import itk

            itk.ParameterObject.New()
            return
        super().prepare()

    def _displacement(self, case: Case, threads: int) -> Outcome:
        import itk

        fixed, moving = _image(case.fixed), _image(case.moving)
        ndim = case.fixed.grid.ndim
        _, transform = itk.elastix_registration_method(
            fixed,
            moving,
            parameter_object=_parameters(case),
            log_to_console=False,
            number_of_threads=max(threads, 0),
        )
        # It writes a file whether one is wanted or not.
        with tempfile.TemporaryDirectory() as folder:
            found = itk.transformix_deformation_field(
                moving, transform, output_directory=folder
            )
        return outcome(case, from_buffer(itk.array_from_image(found), ndim))


def _parameters(case: Case) -> Any:
    import itk

    parameters = itk.ParameterObject.New()
    chosen = parameters.GetDefaultParameterMap('bspline', 4)
    step = _SPACING_VOXELS * float(np.mean(case.fixed.grid.spacing))
    chosen['FinalGridSpacingInPhysicalUnits'] = [str(step)]
    chosen['Metric'] = [
        'AdvancedNormalizedCorrelation',
        'TransformBendingEnergyPenalty',
    ]
    chosen['Metric1Weight'] = [str(_BENDING)]
    chosen['RandomSeed'] = ['0']
    parameters.AddParameterMap(chosen)
    return parameters


def _image(image: ImageOnGrid) -> Any:
    import itk

    made = itk.image_from_array(intensities(image).T.copy())
    made.SetSpacing(list(image.grid.spacing))
    made.SetOrigin(image.grid.origin.tolist())
    made.SetDirection(
        itk.matrix_from_array(np.ascontiguousarray(image.grid.direction))
    )
    return made
