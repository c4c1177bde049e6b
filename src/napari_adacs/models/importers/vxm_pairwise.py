"""VoxelMorph 0.3 in PyTorch: the bare state dict of a `VxmPairwise`."""

from __future__ import annotations

from napari_adacs.models.importers.contents import Contents
from napari_adacs.models.importers.found import (
    Found,
    cannot,
    same_names,
    spatial_axes,
)
from napari_adacs.models.importers.voxelmorph import outputs

_DOWN = 'model.downsampling_conv_blocks.'
_USUAL = (
    'The file does not say how the network was built; taken as usual, ReLU, '
    'linear upsampling and 5 squarings at full resolution.'
)
_UP = 'model.upsampling_conv_blocks.'


def find_vxm_pairwise(contents: Contents) -> Found | None:
    """Recognise VoxelMorph 0.3 by the names of its blocks."""
    if not contents.has(_DOWN, _UP, 'flow_layer.'):
        return None
    ndim = spatial_axes(contents, 'flow_layer.conv0.weight')
    for part, what in (
        ('normalization', 'normalises its features'),
        ('conv1', 'has several convolutions per level'),
        ('upsample', 'upsamples by transposed convolutions'),
    ):
        if any(f'.{part}' in name for name in contents.entries):
            raise cannot(contents, f'its U-Net {what}')
    encoder, decoder = (
        outputs(contents, arm + '{}.conv_block.conv0.weight')
        for arm in (_DOWN, _UP)
    )
    if not encoder or len(encoder) != len(decoder) or _gaps(contents):
        raise cannot(contents, 'its U-Net has levels without a convolution')
    return Found(
        contents,
        'VoxelMorph 0.3 (VxmPairwise)',
        'displacement',
        ndim,
        'vxm-pairwise',
        {'encoder': encoder, 'decoder': decoder, 'int_steps': 5},
        same_names(contents),
        (),
        (_USUAL,),
    )


def _gaps(contents: Contents) -> bool:
    blocks = {
        name.split('.')[2]
        for name in contents.entries
        if name.startswith(_DOWN)
    }
    return blocks != {str(i) for i in range(len(blocks))}
