"""What a checkpoint was recognised as."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import ModelError
from napari_adacs.models.importers.contents import Contents

Role = Literal['displacement', 'scoring', 'variance']
Change = Callable[[NDArray[Any]], NDArray[Any]]

PROBABILISTIC = (
    'It is probabilistic; the mean velocity is used, the head of its variance '
    'is not.'
)
USUAL_INTEGRATION = (
    'The file does not say how the velocity is integrated; taken as usual, 7 '
    'squarings at half resolution.'
)

# Sampling grids: as large as the images were, and made again when needed.
_GRIDS = ('.grid', 'grid')


@dataclass(frozen=True)
class Source:
    """Where a weight of ours comes from.

    Parameters
    ----------
    entry : str
        Name in the checkpoint.
    change : callable, optional
        What is done to its values.
    """

    entry: str
    change: Change | None = None


@dataclass(frozen=True)
class Found:
    """A recognised network, before its weights are read.

    Parameters
    ----------
    contents : Contents
        The checkpoint.
    title : str
        What it is, for people, such as 'VoxelMorph 0.2'.
    role : {'displacement', 'scoring', 'variance'}
        What the network is for.
    ndim : int
        Number of spatial axes.
    network : str
        Its name in `networks.registry`.
    options : mapping
        Its options.
    sources : mapping of str to Source
        Where each weight of ours comes from.
    trained_shape : tuple of int
        Shape of the images it was trained on; () if the file does not say.
    notes : tuple of str
        What was taken for granted or left out, in sentences.
    """

    contents: Contents
    title: str
    role: Role
    ndim: int
    network: str
    options: Mapping[str, Any]
    sources: Mapping[str, Source]
    trained_shape: tuple[int, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def parameters(self) -> int:
        """Number of values that are taken over."""
        entries = self.contents.entries
        return sum(entries[s.entry].size for s in self.sources.values())

    def with_options(self, changes: Mapping[str, Any]) -> Found:
        """Return the same with other options of the network."""
        return replace(self, options={**self.options, **changes})

    def sentences(self) -> list[str]:
        """Say what was found."""
        kind = {
            'displacement': 'a displacement network',
            'scoring': 'a scoring estimator',
            'variance': 'a variance estimator',
        }[self.role]
        size = f'{self.parameters:,} parameters'
        where = f'in a {self.contents.container}'
        lines = [f'{self.title}, {self.ndim}D: {kind} of {size} {where}.']
        if self.trained_shape:
            images = ' x '.join(map(str, self.trained_shape))
            lines.append(f'Trained on images of {images}.')
        return [*lines, *self.contents.notes, *self.notes]


def same_names(
    contents: Contents, left_out: Sequence[str] = ()
) -> dict[str, Source]:
    """Return every entry as the source of our weight of the same name.

    Parameters
    ----------
    contents : Contents
        The checkpoint.
    left_out : sequence of str
        Endings of names that are not needed, besides sampling grids.
    """
    endings = (*_GRIDS, *left_out)
    return {
        name: Source(name)
        for name in contents.entries
        if not name.endswith(endings)
    }


def renamed(contents: Contents, names: Mapping[str, str]) -> dict[str, Source]:
    """Return sources with other beginnings of their names.

    Parameters
    ----------
    contents : Contents
        The checkpoint.
    names : mapping of str to str
        Our beginning of each beginning in the checkpoint.
    """
    sources = {}
    for theirs in same_names(contents):
        ours = theirs
        for before, after in names.items():
            if theirs.startswith(before):
                ours = after + theirs[len(before) :]
        sources[ours] = Source(theirs)
    return sources


def channels_first(kernel: NDArray[Any]) -> NDArray[Any]:
    """Turn a kernel (*size, in, out) of Keras into (out, in, *size)."""
    return np.ascontiguousarray(np.moveaxis(kernel, (-1, -2), (0, 1)))


def spatial_axes(contents: Contents, weight: str) -> int:
    """Return the number of spatial axes of a convolution.

    Raises
    ------
    ModelError
        If it is neither 2 nor 3.
    """
    ndim = len(contents.shape(weight)) - 2
    if ndim not in (2, 3):
        raise cannot(
            contents, f"the shape of '{weight}' is not that of a convolution"
        )
    return ndim


def trained_shape(contents: Contents, ndim: int) -> tuple[int, ...]:
    """Return the shape of the training images, if the config has it."""
    shape = contents.config.get('inshape')
    good = (
        isinstance(shape, list)
        and len(shape) == ndim
        and all(isinstance(n, int) and 1 < n < 100_000 for n in shape)
    )
    return tuple(shape) if good else ()  # type: ignore[arg-type]


def cannot(contents: Contents, reason: str, hint: str = '') -> ModelError:
    """Return the error for a network that is known but not representable."""
    return ModelError(
        f"'{contents.path.name}' cannot be used: {reason}.",
        hint or 'docs/checkpoints.md lists what can be opened.',
    )
