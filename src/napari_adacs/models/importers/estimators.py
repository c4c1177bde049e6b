"""Scoring and variance estimators of AdaCS and the heteroscedastic paper."""

from __future__ import annotations

from napari_adacs.models.importers.contents import Contents
from napari_adacs.models.importers.found import (
    Found,
    Role,
    same_names,
    spatial_axes,
    trained_shape,
)
from napari_adacs.models.importers.voxelmorph import unet_features

_HEADS: dict[str, tuple[Role, str, int]] = {
    'scoring_mask.': ('scoring', 'AdaCS', 1),
    'log_sigma_I.': ('variance', 'heteroscedastic VoxelMorph', 2),
}


def find_estimator(contents: Contents) -> Found | None:
    """Recognise an estimator by the name of its head."""
    for head, (role, title, channels) in _HEADS.items():
        if not contents.has('unet_model.encoder.', head):
            continue
        ndim = spatial_axes(contents, f'{head}weight')
        return Found(
            contents,
            title,
            role,
            ndim,
            role,
            unet_features(contents, channels),
            same_names(contents),
            trained_shape(contents, ndim),
        )
    return None
