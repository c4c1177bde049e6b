"""Networks that people have and that are not ours: saying what they are."""

from __future__ import annotations

from napari_adacs.errors import ModelError
from napari_adacs.models.importers.contents import Contents

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
    about = f'{len(names)} arrays such as {_examples(names)}'
    for parts, stranger in _STRANGERS:
        if all(any(part in name for name in names) for part in parts):
            return ModelError(
                f"'{contents.path.name}' holds the weights of {stranger}, "
                f'not of {FAMILIES} ({about}).',
                'docs/checkpoints.md lists what can be opened.',
            )
    return ModelError(
        f"'{contents.path.name}' holds weights, but not of a {FAMILIES} "
        f'that is known here ({about}).',
        'docs/checkpoints.md lists what can be opened.',
    )


def _examples(names: list[str]) -> str:
    return ' and '.join(f"'{name}'" for name in names[:2])
