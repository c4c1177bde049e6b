"""What result layers take over from the layers they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_adacs.app.layer_specs import Role

if TYPE_CHECKING:
    from napari.layers import Image, Labels


def looks_of(
    moving: Image, labels: Labels | None = None
) -> dict[Role, dict[str, Any]]:
    """Return the options of new layers that follow the user's own.

    Parameters
    ----------
    moving : Image
        Its intensities are those of the warped image.
    labels : Labels, optional
        Its colours are those of the warped labels.
    """
    looks: dict[Role, dict[str, Any]] = {
        Role.WARPED: {
            'contrast_limits': tuple(map(float, moving.contrast_limits)),
            'colormap': moving.colormap,
            'gamma': float(moving.gamma),
            'interpolation2d': moving.interpolation2d,
        }
    }
    if labels is not None:
        looks[Role.LABELS] = {
            'colormap': labels.colormap,
            'opacity': float(labels.opacity),
        }
    return looks
