"""Before and after of a run, on the pairs it was validated on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from napari_adacs.cli.run_report import RunReport
from napari_adacs.models.library import find_model, load_entry
from napari_adacs.runs.files import read_json, write_json
from napari_adacs.runs.outcome import NO_REGISTRATION, Comparison
from napari_adacs.runs.state import State

if TYPE_CHECKING:
    import torch

    from napari_adacs.benchmark.fine_tuning import PairFigures
    from napari_adacs.models.model import Model
    from napari_adacs.training.pairs import PairSource

BEFORE = 'before.json'
# More pairs than this make a test no sharper, and the end of a run long.
_MOST_PAIRS = 300
_FEWEST_PAIRS = 8
# Of the minutes of a run, for measuring before; after takes as long.
_SHARE = 0.05


class BeforeAfter:
    """Measures the model a run starts from and the one it ends with.

    Parameters
    ----------
    pairs : PairSource
        Held-out pairs, on the network's grid.
    folder : Path
        Folder of the run, where the first figures are kept.
    device : torch.device
        Where to compute.
    report : RunReport
        Hears what is done, and of wishes to stop.
    seconds : float or None
        Time of the whole run, if it is limited.
    """

    def __init__(
        self,
        pairs: PairSource,
        folder: Path,
        device: torch.device,
        report: RunReport,
        seconds: float | None = None,
    ) -> None:
        from napari_adacs.benchmark.fine_tuning import spread

        self._pairs = pairs
        self._folder = folder
        self._device = device
        self._report = report
        self._limit = None if seconds is None else seconds * _SHARE
        self._indices = spread(len(pairs))[:_MOST_PAIRS]
        self._before: list[PairFigures] | None = None
        self.before_name = NO_REGISTRATION
        self.took = 0.0

    def measure_before(self, start: str) -> None:
        """Measure the model that training starts from, if there is one.

        Raises
        ------
        ModelError
            If it is gone.
        CancelledError
            If the run shall stop.
        """
        if not start:
            return
        begun = time.monotonic()
        entry = find_model(start)
        what = f'Measuring {entry.name} on held-out pairs'
        self._take(
            entry.name,
            self._measure(load_entry(entry), State.STARTING, what),
        )
        self.took = time.monotonic() - begun
        write_json(
            self._folder / BEFORE,
            {
                'model': entry.name,
                'pairs': [found.to_dict() for found in self._before or []],
                'seconds': round(self.took, 1),
            },
        )

    def read_before(self) -> None:
        """Take the figures of a run that goes on, if it had any."""
        from napari_adacs.benchmark.fine_tuning import PairFigures

        values = read_json(self._folder / BEFORE)
        if values is None:
            return
        try:
            found = [PairFigures.from_dict(pair) for pair in values['pairs']]
            self._take(str(values['model']), found)
            self.took = float(values.get('seconds', 0.0))
        except (KeyError, TypeError, ValueError):
            return

    def _take(self, name: str, found: list[PairFigures]) -> None:
        self.before_name, self._before = name, found
        # The same pairs afterwards.
        self._indices = self._indices[: len(found)]

    def rows(self, model: Model, state: State) -> list[Comparison]:
        """Measure what came out, and compare.

        Parameters
        ----------
        model : Model
            What came out.
        state : State
            What the run is said to do meanwhile.
        """
        from napari_adacs.benchmark.paired import compare

        after = self._measure(model, state, 'Measuring the result')
        return compare(self._before, after)

    def _measure(
        self, model: Model, state: State, what: str
    ) -> list[PairFigures]:
        from napari_adacs.benchmark.fine_tuning import measure_model

        asked = self._asked(state, what)
        return measure_model(
            model, self._pairs, self._indices, self._device, asked
        )

    def _asked(self, state: State, what: str) -> Callable[[int], bool]:
        begun, total = time.monotonic(), len(self._indices)
        # What was measured before is measured after, however long it takes.
        limit = None if self._before is not None else self._limit

        def go_on(done: int) -> bool:
            if state is State.STARTING:
                self._report.check_wish()
            self._report.note(state, f'{what}: pair {done + 1} of {total}.')
            late = limit is not None and time.monotonic() - begun > limit
            return not (late and done >= _FEWEST_PAIRS)

        return go_on
