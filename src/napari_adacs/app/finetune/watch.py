"""Looking at runs again and again, cheaply."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_adacs.app.finetune.outcomes import Offer, offer
from napari_adacs.app.finetune.preview_picture import Picture, picture_of
from napari_adacs.runs.figures import Figures
from napari_adacs.runs.run import TrainingRun, list_runs
from napari_adacs.runs.state import Status


@dataclass(frozen=True, eq=False)
class Seen:
    """What one look at a run has found.

    Parameters
    ----------
    status : Status
        Where it is.
    figures : Figures
        All figures that are read so far.
    preview : Picture or None
        A newer one than that before.
    offer : Offer or None
        The model that came out, once it has ended.
    complete : bool
        Whether another look at a run that has ended would find no more.
    """

    status: Status
    figures: Figures
    preview: Picture | None
    offer: Offer | None
    complete: bool


@dataclass(frozen=True)
class Listed:
    """A run in the list of all runs.

    Parameters
    ----------
    folder : Path
        Where it is.
    name : str
        What it is called.
    status : Status
        Where it stands.
    """

    folder: Path
    name: str
    status: Status


class Watch:
    """Looks at one run; not in the GUI thread.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Raises
    ------
    InputError
        If the folder holds no run.
    """

    def __init__(self, folder: Path) -> None:
        self.run = TrainingRun(folder)
        self._points = -1
        self._offer: Offer | None = None

    def look(self, *, pictures: bool = True) -> Seen:
        """Look at the run.

        Parameters
        ----------
        pictures : bool, default: True
            Whether previews are wanted.
        """
        status = self.run.status()
        figures = self.run.figures()
        points = sum(len(curve.steps) for curve in figures.values())
        # a long log is read in parts
        complete, self._points = points == self._points, points
        preview = self.run.preview() if pictures else None
        if not (status.state.ended and complete):
            self._offer = None
        elif self._offer is None:
            outcome = self.run.outcome()
            if outcome is not None:
                self._offer = offer(self.run.folder, outcome)
        return Seen(
            status,
            figures,
            None if preview is None else picture_of(preview),
            self._offer,
            complete and preview is None,
        )


def list_all() -> list[Listed]:
    """Return all runs of the user, newest first; not in the GUI thread."""
    return [Listed(r.folder, r.name, r.status()) for r in list_runs()]
