"""Diffeomorphic demons of SimpleITK."""

from __future__ import annotations

from typing import Any

from napari_adacs.benchmark.case import Case
from napari_adacs.benchmark.method import Outcome
from napari_adacs.benchmark.peers.base import Peer
from napari_adacs.benchmark.peers.itk_frame import outcome
from napari_adacs.benchmark.peers.simple_images import simple_image, vectors

_LEVELS = ((4, 60), (2, 40), (1, 20))  # shrink factor, iterations
_SMOOTHING = 1.5  # voxels


class Demons(Peer):
    """Squared differences, three levels, smoothed total field."""

    module = 'SimpleITK'
    package = 'SimpleITK'
    licence = 'Apache-2.0'
    settings = f'diffeomorphic, levels {_LEVELS}, smoothing {_SMOOTHING}'

    def _displacement(self, case: Case, threads: int) -> Outcome:
        import SimpleITK as sitk  # noqa: N813

        fixed, moving = simple_image(case.fixed), simple_image(case.moving)
        demons = sitk.DiffeomorphicDemonsRegistrationFilter()
        demons.SetStandardDeviations(_SMOOTHING)
        if threads:
            demons.SetNumberOfThreads(threads)
        if not case.moving.grid.same_space(case.fixed.grid):
            moving = sitk.Resample(moving, fixed)
        field = None
        for shrink, iterations in _LEVELS:
            small_fixed, small_moving = (
                _shrunk(image, shrink) for image in (fixed, moving)
            )
            demons.SetNumberOfIterations(iterations)
            if field is None:
                field = demons.Execute(small_fixed, small_moving)
            else:
                start = sitk.Resample(field, small_fixed)
                field = demons.Execute(small_fixed, small_moving, start)
        return outcome(case, vectors(field))


def _shrunk(image: Any, factor: int) -> Any:
    import SimpleITK as sitk  # noqa: N813

    if factor == 1:
        return image
    sigma = [0.5 * factor * s for s in image.GetSpacing()]
    smooth = sitk.SmoothingRecursiveGaussian(image, sigma)
    return sitk.Shrink(smooth, [factor] * image.GetDimension())
