"""From the names of data to pairs to train and validate on."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_adacs.io.atomic import atomic_path
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.pairs import (
    Chosen,
    MatFolder,
    PairSource,
    PairUnion,
)
from napari_adacs.training.phantom_pairs import PhantomPairs
from napari_adacs.training.run_files import DATA
from napari_adacs.training.shape_pairs import ShapePairs
from napari_adacs.training.sources.checking import (
    CheckedPairs,
    Reading,
    Skipped,
)
from napari_adacs.training.sources.files import FilePairs
from napari_adacs.training.sources.listing import Listed, list_data
from napari_adacs.training.sources.network_grid import on_network_grid

REPORT = DATA
# What the labels of shapes are when they are validated on.
_SIZE_CLASSES = 4
_PHANTOM_SHAPE = {2: (128, 128), 3: (64, 64, 64)}

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
        `find_pairs`); ``phantom:N`` for N pairs of the echo phantom; or
        ``shapes:N`` for N pairs of random shapes. All are trained on, the
        first one is validated on.
    config : TrainConfig
        Number of axes, the network's grid, and how to split.
    folder : Path, optional
        Folder of the run; pairs that are computed are kept in it.
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
    # What is computed is made when it is needed, and always right.
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
    listing = list_data(name, config.data)
    held_out = listing.held_out
    return _Found(
        _source(listing.training, config, folder),
        None if held_out is None else _source(held_out, config, folder, True),
        config,
        made=bool(listing.training.made),
    )


def _source(
    listed: Listed,
    config: TrainConfig,
    folder: Path | None,
    held_out: bool = False,
) -> PairSource:
    if listed.phantoms:
        seeds = listed.phantoms
        kept = None if folder is None else folder / 'phantom'
        shape = _PHANTOM_SHAPE[config.ndim]
        motion = config.motion_weight > 0
        return PhantomPairs(shape, len(seeds), seeds.start, kept, motion)
    if listed.shapes:
        kept = None if folder is None else folder / 'shapes'
        classes = _SIZE_CLASSES if held_out else 0
        return ShapePairs(
            config.shape, listed.shapes, listed.alike, classes, kept
        )
    if listed.mats:
        whole = MatFolder(listed.mats[0].parent)
        chosen = set(listed.mats)
        return Chosen(
            whole, [i for i, f in enumerate(whole.files) if f in chosen]
        )
    return FilePairs(listed.files, config)
