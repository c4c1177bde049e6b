"""``napari-adacs warp``."""

from __future__ import annotations

from argparse import Namespace

from napari_adacs.app.label_evaluation import onto_moving
from napari_adacs.cli.console import say
from napari_adacs.cli.files import Opened, open_image, open_labels
from napari_adacs.io.itk_field import read_displacement
from napari_adacs.io.nifti import save_volume


def run(chosen: Namespace) -> int:
    """Resample a file of the moving side on the grid of a displacement."""
    opened = _open(chosen)
    voxels, grid = read_displacement(chosen.displacement)
    # torch comes with the field: only now, when the files are known good
    from napari_adacs.spatial.field import DisplacementField

    field = onto_moving(DisplacementField(voxels, grid), opened.image)
    labels = _is_labels(opened, chosen)
    save_volume(
        chosen.out,
        field.warp_labels(opened.image.data)
        if labels
        else field.warp_image(opened.image.data),
        grid,
        labels=labels,
        axis_order='zyx',
    )
    kind = 'labels' if labels else 'image'
    say(f'Warped the {kind} {opened.volume.path.name}: {chosen.out}')
    return 0


def _open(chosen: Namespace) -> Opened:
    if chosen.kind == 'labels':
        return open_labels(chosen.image, 'labels', chosen.frame, '--frame')
    return open_image(chosen.image, 'image', chosen.frame, '--frame')


def _is_labels(opened: Opened, chosen: Namespace) -> bool:
    if chosen.kind is not None:
        return bool(chosen.kind == 'labels')
    return opened.volume.is_labels
