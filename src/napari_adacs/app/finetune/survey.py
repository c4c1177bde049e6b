"""What is behind the chosen data: counted without reading images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from napari_adacs.app.finetune.headers import labelled_pairs, look_into
from napari_adacs.app.finetune.layer_pairs import LayerPair
from napari_adacs.app.layers import LayerImage, image_of
from napari_adacs.errors import InputError
from napari_adacs.registration.inputs import ImageOnGrid, check_pair
from napari_adacs.training.sections import DataConfig
from napari_adacs.training.sources.listing import Listed, list_data
from napari_adacs.training.sources.splitting import split_groups

if TYPE_CHECKING:
    from napari.components import ViewerModel


@dataclass(frozen=True)
class Survey:
    """What there is to train on.

    Parameters
    ----------
    ndim : int
        Number of spatial axes.
    training, held_out : int
        Pairs to train and to validate on.
    patients : int
        Patients in all.
    labelled : int
        Held-out pairs with both segmentations.
    shape : tuple of int
        Shape of the first fixed image.
    note : str, default: ''
        What to know about it, a sentence.
    """

    ndim: int
    training: int
    held_out: int
    patients: int
    labelled: int
    shape: tuple[int, ...]
    note: str = ''

    @property
    def sentence(self) -> str:
        """The counts in words."""
        pairs = self.training + self.held_out
        text = f'{_count(pairs, "pair")} of {_count(self.patients, "patient")}'
        if not self.held_out:
            text += ', none held out: nothing will say how good the model is'
        else:
            kind = 'with' if self.labelled == self.held_out else 'without'
            if 0 < self.labelled < self.held_out:
                kind = f'{self.labelled} with'
            text += f', {self.held_out} held out {kind} labels'
        return f'{text}. {self.note}'.strip()


def survey_files(text: str, held_out: float, cancel: Event) -> Survey:
    """Count the pairs of a folder, table or pattern, in a worker.

    Parameters
    ----------
    text : str
        As on the command line.
    held_out : float
        Share of the patients to validate on, where the data do not say.
    cancel : threading.Event
        Set to stop.

    Raises
    ------
    InputError
        If there is nothing to train on.
    CancelledError
        If `cancel` was set.
    """
    if not text.strip():
        raise InputError('No data are chosen.', 'Choose a folder or a table.')
    listing = list_data(text.strip(), DataConfig(held_out))
    validation = listing.held_out or Listed()
    shape, note = look_into(listing.training, cancel)
    return Survey(
        len(shape),
        len(listing.training),
        len(validation),
        len({*listing.training.groups, *validation.groups}),
        labelled_pairs(validation),
        shape,
        note,
    )


def survey_layers(
    viewer: ViewerModel, pairs: Sequence[LayerPair], held_out: float
) -> Survey:
    """Count pairs of layers, and check that they are some.

    Parameters
    ----------
    viewer : ViewerModel
        Where the layers are.
    pairs : sequence of LayerPair
        Pairs of them, used or not.
    held_out : float
        Share of the patients to validate on.

    Raises
    ------
    InputError
        If a pair cannot be trained on, or there is none.
    """
    used = [pair for pair in pairs if pair.used]
    if not used:
        raise InputError(
            'No pair of layers is ticked.' if pairs else 'No pairs are open.',
            'Open images whose names differ only in ED and ES (or moving and '
            'fixed), a sequence, or choose a folder.',
        )
    shapes = [_checked(viewer, pair).grid.shape for pair in used]
    if len({len(shape) for shape in shapes}) > 1:
        raise InputError(
            'Some pairs are 2D and some are 3D.',
            'Untick those of one kind.',
        )
    groups = [pair.patient or pair.name for pair in used]
    data = DataConfig(held_out)
    kept, chosen = split_groups(groups, data.held_out, data.split_seed)
    labelled = [used[i] for i in chosen if len(used[i].references) == 4]
    return Survey(
        len(shapes[0]),
        len(kept),
        len(chosen),
        len(set(groups)),
        len(labelled),
        shapes[0],
    )


def images_of(viewer: ViewerModel, pair: LayerPair) -> dict[str, LayerImage]:
    """Return the images of a pair of layers, without reading them.

    Raises
    ------
    InputError
        If a layer is missing or cannot be used.
    """
    found = {}
    for role in ('moving', 'fixed'):
        if getattr(pair, role) is None:
            raise InputError(
                f"The pair '{pair.name}' has no {role} image.",
                'Choose one in the table, or untick the pair.',
            )
    for role, reference in pair.references.items():
        layer = reference.find(viewer)
        if layer is None:
            raise InputError(
                f"The layer '{reference}' of the pair '{pair.name}' is gone.",
                'Choose another one in the table, or untick the pair.',
            )
        found[role] = image_of(layer, reference.frame, role)
    return found


def _checked(viewer: ViewerModel, pair: LayerPair) -> LayerImage:
    """Return the fixed image of a pair that can be trained on."""
    images = images_of(viewer, pair)
    if pair.moving == pair.fixed:
        raise InputError(
            f"Moving and fixed of '{pair.name}' are the same image.",
            'Choose another one in the table, or untick the pair.',
        )
    try:
        check_pair(*(_place(images[r]) for r in ('moving', 'fixed')))
    except InputError as error:
        raise InputError(
            f'{pair.name}: {error.message}', error.hint
        ) from error
    for role in ('moving', 'fixed'):
        labels = images.get(f'{role}_labels')
        if labels is None:
            continue
        if not labels.grid.same_space(images[role].grid):
            raise InputError(
                f"The {role} labels of '{pair.name}' do not lie on the voxels "
                f'of the {role} image.',
                'Choose other labels or none, or resample them.',
            )
    return images['fixed']


def _place(image: LayerImage) -> ImageOnGrid:
    return ImageOnGrid(image.source, image.grid, image.name)


def _count(number: int, what: str) -> str:
    return f'{number} {what}{"" if number == 1 else "s"}'
