"""VoxelMorph 0.2 in PyTorch: the layout that AdaCS trains too."""

from __future__ import annotations

from typing import Any

from napari_adacs.models.importers.contents import Contents
from napari_adacs.models.importers.found import (
    USUAL_INTEGRATION,
    Found,
    cannot,
    same_names,
    spatial_axes,
    trained_shape,
)

_MOST_STEPS, _MOST_SHRINKING = 20, 16
_FIRST = 'unet_model.encoder.0.0.main.weight'
# Heads that the heteroscedastic paper's first code left in its files, and
# that no displacement depends on.
_LEFT_OUT = ('log_var', 'logsigma')


def find_voxelmorph(contents: Contents) -> Found | None:
    """Recognise VoxelMorph 0.2 by the names of its U-Net and its flow."""
    if not contents.has('unet_model.encoder.', 'flow.'):
        return None
    ndim = spatial_axes(contents, _FIRST)
    options, notes = integration(contents)
    features = unet_features(contents, channels=2)
    sources = same_names(contents)
    extra = [
        name
        for name in sources
        if name.split('.')[0].startswith(_LEFT_OUT) and name not in _FIRST
    ]
    if extra:
        notes.append(
            f'{len(extra)} entries of another head are not used: '
            f'{", ".join(extra[:3])}{", …" if len(extra) > 3 else ""}.'
        )
    return Found(
        contents,
        'VoxelMorph 0.2',
        'displacement',
        ndim,
        'voxelmorph',
        {**features, **options},
        {k: v for k, v in sources.items() if k not in extra},
        trained_shape(contents, ndim),
        tuple(notes),
    )


def unet_features(contents: Contents, channels: int) -> dict[str, Any]:
    """Read the features of a VoxelMorph 0.2 U-Net off its weights.

    Parameters
    ----------
    contents : Contents
        The checkpoint.
    channels : int
        Input channels that the network must have.

    Returns
    -------
    dict
        Options of `networks.unet.UNet`.

    Raises
    ------
    ModelError
        If it was built in a way that ours is not.
    """
    if contents.shape(_FIRST)[1] != channels:
        raise cannot(
            contents,
            f'its first layer takes {contents.shape(_FIRST)[1]} channels, '
            f'not {channels}: images of one channel can be registered',
        )
    arms = {
        arm: _levels(contents, f'unet_model.{arm}.')
        for arm in ('encoder', 'decoder')
    }
    tail = outputs(contents, 'unet_model.remaining.{}.main.weight')
    return unet_options(
        contents,
        arms['encoder'],
        arms['decoder'],
        tail,
        contents.shape(
            'unet_model.remaining.0.main.weight' if tail else _head(contents)
        )[1],
    )


def unet_options(
    contents: Contents,
    encoder: list[list[int]],
    decoder: list[list[int]],
    tail: list[int],
    last: int,
) -> dict[str, Any]:
    """Return the options of a U-Net with these features.

    Parameters
    ----------
    contents : Contents
        The checkpoint, for messages.
    encoder, decoder : list of list of int
        Features of each convolution, by level, in the order of the network.
    tail : list of int
        Features of those after the last skip connection.
    last : int
        Channels that the first of those, or the head, takes.

    Raises
    ------
    ModelError
        If the levels do not fit each other.
    """
    counts = {len(level) for level in (*encoder, *decoder)}
    if len(decoder) != len(encoder) or len(counts) != 1:
        raise cannot(
            contents, 'the levels of its U-Net have nothing in common'
        )
    options: dict[str, Any] = {
        'encoder': [f for level in encoder for f in level],
        'decoder': [f for level in decoder for f in level] + tail,
    }
    (per_level,) = counts
    if per_level != 1:
        options['nb_conv_per_level'] = per_level
    if last == decoder[-1][-1]:
        # The last skip connection is left out, with the last upsampling.
        options['unet_half_res'] = True
    return options


def _head(contents: Contents) -> str:
    return next(
        name
        for name in contents.entries
        if not name.startswith('unet_model.') and name.endswith('weight')
    )


def _levels(contents: Contents, arm: str) -> list[list[int]]:
    """Return the features of each convolution by level."""
    levels: list[list[int]] = []
    while found := outputs(contents, f'{arm}{len(levels)}.{{}}.main.weight'):
        levels.append(found)
    return levels


def integration(contents: Contents) -> tuple[dict[str, int], list[str]]:
    """Return the integration of a VoxelMorph 0.2, and what was assumed."""
    config = contents.config
    steps, shrink = config.get('int_steps'), config.get('int_downsize')
    notes = []
    if not isinstance(steps, int) or not isinstance(shrink, int):
        steps, shrink = 7, 2
        notes.append(USUAL_INTEGRATION)
    return checked_integration(contents, steps, shrink), notes


def checked_integration(
    contents: Contents, steps: int, shrink: int
) -> dict[str, int]:
    """Return the options, if they are such as anybody trains with.

    Raises
    ------
    ModelError
        If not: a billion squarings would never end.
    """
    if not (0 <= steps <= _MOST_STEPS and 1 <= shrink <= _MOST_SHRINKING):
        raise cannot(
            contents,
            f'it asks for {steps} squarings at 1/{shrink} of the resolution',
        )
    return {'int_steps': steps, 'int_downsize': shrink}


def outputs(contents: Contents, pattern: str) -> list[int]:
    """Return the output channels of numbered convolutions."""
    found: list[int] = []
    while shape := contents.shape(pattern.format(len(found))):
        found.append(shape[0])
    return found
