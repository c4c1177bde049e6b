"""What files of pairs are, by their headers alone."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from napari_adacs.errors import CancelledError, InputError
from napari_adacs.io.pair_files import PairFiles
from napari_adacs.training.sources.listing import Listed

# The training process reads every pair before it computes; here the headers
# of some tell what they are.
_LOOKED_INTO = 40


def labelled_pairs(held_out: Listed) -> int:
    """Return how many pairs have both segmentations."""
    count = held_out.made
    count += sum(
        p.moving_labels is not None and p.fixed_labels is not None
        for p in held_out.files
    )
    if held_out.mats and _mat_has_labels(held_out.mats[0]):
        count += len(held_out.mats)
    return count


def _mat_has_labels(path: Path) -> bool:
    names = {name for name, *_ in _mat_contents(path)}
    return bool({'label_ED', 'myo_ED'} & names)


def _mat_contents(path: Path) -> list[tuple[str, tuple[int, ...], str]]:
    from scipy.io import whosmat

    try:
        found: list[tuple[str, tuple[int, ...], str]] = whosmat(path)
    except Exception as error:  # noqa: BLE001  scipy raises many kinds
        raise InputError(
            f'{path.name} is damaged or no MATLAB file of version 4 to 7.2.',
            'Save it again, or take it out of the folder.',
        ) from error
    return found


def look_into(listed: Listed, cancel: Event) -> tuple[tuple[int, ...], str]:
    """Return the shape of the first usable pair, and what others lack.

    Raises
    ------
    InputError
        If none of those that are looked into can be used.
    CancelledError
        If `cancel` was set.
    """
    if listed.made:
        return (), ''
    refused: list[InputError] = []
    shape: tuple[int, ...] = ()
    entries: list[PairFiles | Path] = [*listed.files, *listed.mats]
    for entry in entries[:_LOOKED_INTO]:
        if cancel.is_set():
            raise CancelledError
        try:
            found = _shape_of(entry)
        except InputError as error:
            refused.append(error)
            continue
        shape = shape or found
    if not shape:
        raise refused[0]
    if not refused:
        return shape, ''
    many = 'pair' if len(refused) == 1 else 'pairs'
    return shape, (
        f'At least {len(refused)} {many} will be left out: '
        f'{refused[0].message}'
    )


def _shape_of(entry: PairFiles | Path) -> tuple[int, ...]:
    """Return the shape of the fixed image of a pair, by headers only."""
    if isinstance(entry, Path):
        shapes = {name: shape for name, shape, _ in _mat_contents(entry)}
        if not {'im_ED', 'im_ES'} <= set(shapes):
            raise InputError(f'{entry.name} has no im_ED and im_ES.')
        return shapes['im_ES']
    _header_shape(entry.moving, entry.moving_frame)
    return _header_shape(entry.fixed, entry.fixed_frame)


def _header_shape(path: Path, frame: int | None) -> tuple[int, ...]:
    from napari_adacs.io.byte_source import open_source
    from napari_adacs.io.images import read_image
    from napari_adacs.io.nifti_grid import grid_of, upright
    from napari_adacs.io.nifti_header import read_header

    if not path.name.lower().endswith(('.nii', '.nii.gz')):
        volume = read_image(path)
        timed, shape = volume.has_time, volume.grid.shape
    else:
        with open_source(path) as source:
            header = read_header(source)
        # the axes as the reader of images will turn them
        shape = upright(grid_of(header)[0]).shape
        timed = len(header.dims) > 3
    if timed and frame is None:
        raise InputError(
            f'{path.name} is a sequence.',
            'Say which frames in a table: moving_frame and fixed_frame.',
        )
    return shape
