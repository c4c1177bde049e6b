"""Networks that people have and that are not ours: saying what they are."""

from __future__ import annotations

from napari_adacs.errors import ModelError
from napari_adacs.models.importers.contents import Contents

_LONGEST = 36
FAMILIES = 'VoxelMorph, TransMorph or DiffuseMorph'

# Parts of names that no other network has.
_STRANGERS: tuple[tuple[tuple[str, ...], str], ...] = (
    (('input_encoder_lvl1', 'resblock_group_lvl1'), 'LapIRN'),
    (('netPhi', 'netPsi'), 'ICON or GradICON'),
    (('encoder.stages.', 'decoder.seg_layers.'), 'nnU-Net (segmentation)'),
    (('hyper', 'unet_enc_conv'), 'HyperMorph'),
    (('affine', 'vxm'), 'the affine network of VoxelMorph'),
)


def refusal(contents: Contents) -> ModelError:
    """Return the error for a checkpoint that no format recognises."""
    names = list(contents.entries)
    hint = 'docs/checkpoints.md lists what can be opened.'
    for parts, stranger in _STRANGERS:
        if all(any(part in name for name in names) for part in parts):
            return ModelError(
                f"'{contents.path.name}' holds the weights of {stranger}, "
                f'not of {FAMILIES}.',
                hint,
            )
    example = f", the first called '{short(names[0])}'" if names else ''
    return ModelError(
        f"'{contents.path.name}' holds weights, but not of a {FAMILIES} "
        f'that is known here ({len(names)} arrays{example}).',
        hint,
    )


def short(name: str) -> str:
    """Return the end of a long name; a window cannot break it."""
    return name if len(name) <= _LONGEST else f'…{name[1 - _LONGEST :]}'
