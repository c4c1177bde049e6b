"""From the names of data to pairs to train and validate on."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_adacs.errors import InputError
from napari_adacs.io.atomic import atomic_path
from napari_adacs.io.pair_files import PairFiles
from napari_adacs.io.pair_finding import find_pairs
from napari_adacs.io.pair_pattern import is_pattern
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.pairs import (
    Chosen,
    MatFolder,
    PairSource,
    PairUnion,
)
from napari_adacs.training.phantom_pairs import PhantomPairs
from napari_adacs.training.sources.checking import (
    CheckedPairs,
    Reading,
    Skipped,
)
from napari_adacs.training.sources.files import FilePairs
from napari_adacs.training.sources.network_grid import on_network_grid
from napari_adacs.training.sources.splitting import split_groups

PHANTOM = 'phantom:'
REPORT = 'data.csv'
_PHANTOM_SHAPE = {2: (128, 128), 3: (64, 64, 64)}
# Validation pairs have seeds that no training pair reaches.
_FIRST_VALIDATION_SEED = 90_000
_MOST_VALIDATION_PAIRS = 8

# Source, pair, use and reason: a line of the report.
Row = tuple[str, str, str, str]


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a run learns from and is validated on.

    Parameters
    ----------
    training : PairSource
        Pairs to train on.
    validation : PairSource or None
        Held-out pairs, on the network's grid.
    rows : list of tuple of str
        Every pair that was looked at: its source, name, what it is used
        for ('train', 'val' or 'skipped') and why not.
    """

    training: PairSource
    validation: PairSource | None
    rows: list[Row]

    @property
    def skipped(self) -> list[Skipped]:
        """Pairs that are not used."""
        return [
            Skipped(name, reason)
            for _, name, use, reason in self.rows
            if use == 'skipped'
        ]

    def write_report(self, folder: Path) -> None:
        """Write which pairs are used for what, as ``data.csv``."""
        with (
            atomic_path(folder / REPORT) as temporary,
            open(temporary, 'w', newline='', encoding='utf-8') as file,
        ):
            writer = csv.writer(file)
            writer.writerow(['source', 'pair', 'use', 'reason'])
            writer.writerows(self.rows)


def open_data(
    data: Sequence[str],
    config: TrainConfig,
    folder: Path | None = None,
    progress: Reading | None = None,
) -> TrainingData:
    """Find and check training and validation pairs.

    Parameters
    ----------
    data : sequence of str
        Each a folder with ``train/`` and, optionally, ``val/`` of the
        papers' .mat files; a folder, table or pattern of image files (see
        `find_pairs`); or ``phantom:N`` for N pairs of the echo phantom. All
        are trained on, the first one is validated on.
    config : TrainConfig
        Number of axes, the network's grid, and how to split.
    folder : Path, optional
        Folder of the run; phantom pairs are kept in it.
    progress : callable, optional
        Called with a share from 0 to 1 and what is being read, from 0 for
        each source anew.

    Raises
    ------
    InputError
        If a source has no pairs that can be used.
    """
    rows: list[Row] = []
    training: list[PairSource] = []
    validation: PairSource | None = None
    for index, name in enumerate(data):
        found = replace(_open(name, config, folder), progress=progress)
        training.append(found.training(name, rows))
        if index == 0:
            validation = found.validation(name, rows)
    return TrainingData(
        training[0] if len(training) == 1 else PairUnion(training),
        validation,
        rows,
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """Pairs behind one name, not checked yet."""

    first: PairSource
    held_out: PairSource | None
    config: TrainConfig
    # The phantom is made when it is needed, and always right.
    made: bool = False
    progress: Reading | None = None

    def training(self, source: str, rows: list[Row]) -> PairSource:
        return self._checked(self.first, 'train', source, rows)

    def validation(self, source: str, rows: list[Row]) -> PairSource | None:
        if self.held_out is None:
            return None
        usable = self._checked(self.held_out, 'val', source, rows)
        return on_network_grid(usable, self.config.shape)

    def _checked(
        self, pairs: PairSource, use: str, source: str, rows: list[Row]
    ) -> PairSource:
        if self.made:
            return pairs
        checked = CheckedPairs(pairs, self.config.ndim, self.progress)
        rows.extend((source, name, use, '') for name in checked.names)
        rows.extend(
            (source, s.name, 'skipped', s.reason) for s in checked.skipped
        )
        return checked


def _open(name: str, config: TrainConfig, folder: Path | None) -> _Found:
    if name.startswith(PHANTOM):
        return _phantom(name, config, folder)
    root = Path(name).expanduser()
    if not is_pattern(name) and root.is_dir():
        if (root / 'train').is_dir():
            held_out = root / 'val'
            return _Found(
                _folder(root / 'train', config),
                _folder(held_out, config) if held_out.is_dir() else None,
                config,
            )
        if any(root.glob('*.mat')):
            return _mat_folder(root, config)
    return _files(find_pairs(name), config)


def _folder(root: Path, config: TrainConfig) -> PairSource:
    if any(root.glob('*.mat')):
        return MatFolder(root)
    try:
        return FilePairs(find_pairs(str(root)), config)
    except InputError as error:
        raise InputError(
            f"There are no .mat files and no pairs of images in '{root}'.",
            error.hint,
        ) from error


def _mat_folder(root: Path, config: TrainConfig) -> _Found:
    pairs = MatFolder(root)
    patients = [path.stem.split('_')[0] for path in pairs.files]
    kept, held_out = split_groups(
        patients, config.data.held_out, config.data.split_seed
    )
    return _Found(
        Chosen(pairs, kept),
        Chosen(pairs, held_out) if held_out else None,
        config,
    )


def _files(pairs: Sequence[PairFiles], config: TrainConfig) -> _Found:
    train = [p for p in pairs if p.split == 'train']
    held_out = [p for p in pairs if p.split == 'val']
    open_ones = [p for p in pairs if not p.split]
    # A table that says what is for validation is taken at its word.
    share = 0.0 if held_out else config.data.held_out
    kept, chosen = split_groups(
        [p.group for p in open_ones], share, config.data.split_seed
    )
    train += [open_ones[i] for i in kept]
    held_out += [open_ones[i] for i in chosen]
    if not train:
        raise InputError('No pair is left to train on.')
    return _Found(
        FilePairs(train, config),
        FilePairs(held_out, config) if held_out else None,
        config,
    )


def _phantom(name: str, config: TrainConfig, folder: Path | None) -> _Found:
    number = name.removeprefix(PHANTOM)
    count = int(number) if number.isdecimal() else 0
    if not 0 < count <= _FIRST_VALIDATION_SEED:
        raise InputError(
            f"'{number}' is not a number of phantom pairs.",
            f'Use {PHANTOM}N with N from 1 to {_FIRST_VALIDATION_SEED}.',
        )
    shape = _PHANTOM_SHAPE[config.ndim]
    kept = None if folder is None else folder / 'phantom'
    held_out = min(count, _MOST_VALIDATION_PAIRS)
    return _Found(
        PhantomPairs(shape, count, 0, kept),
        PhantomPairs(shape, held_out, _FIRST_VALIDATION_SEED, kept),
        config,
        made=True,
    )
