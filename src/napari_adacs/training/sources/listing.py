"""Which pairs are behind a name, before any image is read (no torch).

The window says with it what a run would do; `open_data` reads what it lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_adacs.errors import InputError
from napari_adacs.io.pair_files import PairFiles
from napari_adacs.io.pair_finding import find_pairs
from napari_adacs.io.pair_pattern import is_pattern
from napari_adacs.training.sections import DataConfig
from napari_adacs.training.sources.splitting import split_groups

PHANTOM = 'phantom:'
SHAPES = 'shapes:'
# Both frames of a pair are one kind of image.
SHAPES_ALIKE = 'shapes-alike:'
# Validation pairs have seeds that no training pair reaches.
FIRST_VALIDATION_SEED = 90_000
_FIRST_VALIDATION_SHAPES = 1_000_000
_MOST_VALIDATION_PAIRS = 8
_MAT = '*.mat'


@dataclass(frozen=True)
class Listed:
    """Pairs of one use; of one kind, so that all but one are empty.

    Parameters
    ----------
    files : tuple of PairFiles
        Pairs of image files.
    mats : tuple of Path
        Files of the papers, each a pair; all in one folder.
    phantoms : range
        Seeds of phantom pairs.
    shapes : range
        Seeds of pairs of random shapes.
    alike : bool
        Whether both frames of these are one kind of image.
    """

    files: tuple[PairFiles, ...] = ()
    mats: tuple[Path, ...] = ()
    phantoms: range = range(0)
    shapes: range = range(0)
    alike: bool = False

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.files) + len(self.mats) + self.made

    @property
    def made(self) -> int:
        """Number of pairs that are computed, and no one's images."""
        return len(self.phantoms) + len(self.shapes)

    @property
    def groups(self) -> list[str]:
        """Patient of each pair."""
        return [
            *(pair.group for pair in self.files),
            *map(_patient, self.mats),
            *map(str, self.phantoms),
            *map(str, self.shapes),
        ]


@dataclass(frozen=True)
class Listing:
    """What is behind one name.

    Parameters
    ----------
    training : Listed
        Pairs to train on.
    held_out : Listed or None
        Pairs to validate on.
    """

    training: Listed
    held_out: Listed | None


def is_made(name: str) -> bool:
    """Return whether a name asks for pairs that are computed."""
    return name.startswith((PHANTOM, SHAPES, SHAPES_ALIKE))


def made_pairs(name: str) -> int:
    """Return how many pairs such a name asks for; 0 if it does not say."""
    number = name.partition(':')[2]
    return int(number) if number.isdecimal() else 0


def list_data(name: str, config: DataConfig) -> Listing:
    """List training and validation pairs by their names.

    Parameters
    ----------
    name : str
        As in `open_data`.
    config : DataConfig
        How to split pairs that come without a split.

    Raises
    ------
    InputError
        If there are no pairs, or no such data.
    """
    if is_made(name):
        return _phantom(name) if name.startswith(PHANTOM) else _shapes(name)
    root = Path(name).expanduser()
    if not is_pattern(name) and root.is_dir():
        if (root / 'train').is_dir():
            held_out = root / 'val'
            return Listing(
                _folder(root / 'train'),
                _folder(held_out) if held_out.is_dir() else None,
            )
        if any(root.glob(_MAT)):
            return _mat_folder(root, config)
    return _files(find_pairs(name), config)


def _folder(root: Path) -> Listed:
    if any(root.glob(_MAT)):
        return Listed(mats=tuple(sorted(root.glob(_MAT))))
    try:
        return Listed(tuple(find_pairs(str(root))))
    except InputError as error:
        raise InputError(
            f"There are no .mat files and no pairs of images in '{root}'.",
            error.hint,
        ) from error


def _mat_folder(root: Path, config: DataConfig) -> Listing:
    mats = sorted(root.glob(_MAT))
    kept, held_out = split_groups(
        [_patient(path) for path in mats], config.held_out, config.split_seed
    )
    return Listing(
        Listed(mats=tuple(mats[i] for i in kept)),
        Listed(mats=tuple(mats[i] for i in held_out)) if held_out else None,
    )


def _patient(path: Path) -> str:
    return path.stem.split('_')[0]


def _files(pairs: Sequence[PairFiles], config: DataConfig) -> Listing:
    train = [p for p in pairs if p.split == 'train']
    held_out = [p for p in pairs if p.split == 'val']
    open_ones = [p for p in pairs if not p.split]
    # A table that says what is for validation is taken at its word.
    share = 0.0 if held_out else config.held_out
    kept, chosen = split_groups(
        [p.group for p in open_ones], share, config.split_seed
    )
    train += [open_ones[i] for i in kept]
    held_out += [open_ones[i] for i in chosen]
    if not train:
        raise InputError('No pair is left to train on.')
    return Listing(
        Listed(tuple(train)), Listed(tuple(held_out)) if held_out else None
    )


def _phantom(name: str) -> Listing:
    training, held_out = _seeds(name, FIRST_VALIDATION_SEED, 'phantom pairs')
    return Listing(Listed(phantoms=training), Listed(phantoms=held_out))


def _shapes(name: str) -> Listing:
    training, held_out = _seeds(
        name, _FIRST_VALIDATION_SHAPES, 'pairs of shapes'
    )
    alike = name.startswith(SHAPES_ALIKE)
    return Listing(
        Listed(shapes=training, alike=alike),
        Listed(shapes=held_out, alike=alike),
    )


def _seeds(name: str, first_held_out: int, what: str) -> tuple[range, range]:
    """Return seeds to train on and to validate on."""
    prefix, _, number = name.partition(':')
    count = made_pairs(name)
    if not 0 < count <= first_held_out:
        raise InputError(
            f"'{number}' is not a number of {what}.",
            f'Use {prefix}:N with N from 1 to {first_held_out}.',
        )
    last = first_held_out + min(count, _MOST_VALIDATION_PAIRS)
    return range(count), range(first_held_out, last)
