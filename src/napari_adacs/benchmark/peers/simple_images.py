"""SimpleITK images of cases, for the peers that take them."""

from __future__ import annotations

from typing import Any

from napari_adacs.benchmark.peers.itk_frame import from_buffer, intensities
from napari_adacs.registration.inputs import ImageOnGrid


def simple_image(image: ImageOnGrid) -> Any:
    """Return a SimpleITK image with the geometry of the grid."""
    import SimpleITK as sitk  # noqa: N813

    made = sitk.GetImageFromArray(intensities(image).T.copy())
    made.SetSpacing(image.grid.spacing)
    made.SetOrigin(image.grid.origin.tolist())
    made.SetDirection(image.grid.direction.ravel().tolist())
    return made


def vectors(image: Any) -> Any:
    """Return a SimpleITK vector image as (*shape, ndim) numpy.ndarray."""
    import SimpleITK as sitk  # noqa: N813

    return from_buffer(sitk.GetArrayFromImage(image), image.GetDimension())
