"""What a person decided about each slice, with undo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

# Array axis of the fixed grid, and index of the slice along it.
Place = tuple[int, int]


class Verdict(StrEnum):
    """What becomes of a slice."""

    ACCEPT = 'accept'
    FLAG = 'flag'
    REJECT = 'reject'

    @property
    def letter(self) -> str:
        """One letter, for those who do not go by colour."""
        return self.value[0].upper()

    @property
    def colour(self) -> str:
        """Colour of the palette of Okabe and Ito, safe for colour-blind."""
        return _COLOURS[self]

    @property
    def past(self) -> str:
        """What was done to the slice: 'accepted'."""
        return _PAST[self]


_COLOURS = {
    Verdict.ACCEPT: '#009E73',
    Verdict.FLAG: '#F0E442',
    Verdict.REJECT: '#D55E00',
}
_PAST = {
    Verdict.ACCEPT: 'accepted',
    Verdict.FLAG: 'flagged',
    Verdict.REJECT: 'rejected',
}


@dataclass(frozen=True)
class Judgement:
    """A verdict and a note; either may be missing.

    Parameters
    ----------
    verdict : Verdict or None
        The decision.
    note : str, default: ''
        Whatever a person wrote.
    at : str, default: ''
        When it was last changed, ISO 8601, UTC.
    """

    verdict: Verdict | None = None
    note: str = ''
    at: str = ''

    @property
    def empty(self) -> bool:
        """Whether nothing was said."""
        return self.verdict is None and not self.note


NOTHING = Judgement()

_Change = dict[Place, tuple[Judgement, Judgement]]


class Review:
    """The judgements of one registration.

    Parameters
    ----------
    judgements : mapping of (axis, index) to Judgement
        What was decided before.
    """

    def __init__(self, judgements: Mapping[Place, Judgement] = {}) -> None:  # noqa: B006
        self._judgements = {k: j for k, j in judgements.items() if not j.empty}
        self._done: list[_Change] = []
        self._undone: list[_Change] = []
        self._writing: Place | None = None
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a function after every change."""
        self._listeners.append(listener)

    @property
    def judgements(self) -> dict[Place, Judgement]:
        """All that was decided, a copy."""
        return dict(self._judgements)

    def at(self, place: Place) -> Judgement:
        """Return what was decided about a slice."""
        return self._judgements.get(place, NOTHING)

    def along(self, axis: int) -> dict[int, Judgement]:
        """Return what was decided about the slices along an axis."""
        found = {i: j for (a, i), j in self._judgements.items() if a == axis}
        return dict(sorted(found.items()))

    def reviewed(self, axis: int) -> set[int]:
        """Return the slices along an axis that have a verdict."""
        along = self.along(axis)
        return {i for i, j in along.items() if j.verdict is not None}

    def counts(self, axis: int) -> dict[Verdict, int]:
        """Return how often each verdict was given along an axis."""
        given = [j.verdict for j in self.along(axis).values()]
        return {verdict: given.count(verdict) for verdict in Verdict}

    def progress(self, axis: int, count: int) -> str:
        """Say how far the review is, such as '37 of 64 reviewed'."""
        return f'{len(self.reviewed(axis))} of {count} reviewed'

    def judge(self, places: Iterable[Place], verdict: Verdict) -> None:
        """Give slices a verdict, in one step; notes stay."""
        self._change({p: replace(self.at(p), verdict=verdict) for p in places})

    def annotate(self, place: Place, note: str) -> None:
        """Write a note; typing on is one step of undo."""
        joins = self._writing == place and bool(self._done)
        self._change({place: replace(self.at(place), note=note)}, joins=joins)
        self._writing = place

    def clear(self, places: Iterable[Place]) -> None:
        """Take back verdicts and notes of slices."""
        self._change(dict.fromkeys(places, NOTHING))

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to take again."""
        return bool(self._undone)

    def undo(self) -> Place | None:
        """Take the last step back; return where it was, or None."""
        if not self._done:
            return None
        change = self._done.pop()
        self._undone.append(change)
        return self._apply({p: before for p, (before, _) in change.items()})

    def redo(self) -> Place | None:
        """Take a step again; return where it was, or None."""
        if not self._undone:
            return None
        change = self._undone.pop()
        self._done.append(change)
        return self._apply({p: after for p, (_, after) in change.items()})

    def _change(
        self, wanted: Mapping[Place, Judgement], *, joins: bool = False
    ) -> None:
        change = {
            place: (self.at(place), judgement)
            for place, judgement in wanted.items()
            if not _same(self.at(place), judgement)
        }
        if not change:
            return
        now = datetime.now(UTC).isoformat(timespec='seconds')
        change = {
            place: (before, after if after.empty else replace(after, at=now))
            for place, (before, after) in change.items()
        }
        if joins:
            (place,) = change
            change[place] = (self._done.pop()[place][0], change[place][1])
        self._done.append(change)
        self._undone.clear()
        self._apply({p: after for p, (_, after) in change.items()})

    def _apply(self, judgements: Mapping[Place, Judgement]) -> Place:
        self._writing = None
        for place, judgement in judgements.items():
            if judgement.empty:
                self._judgements.pop(place, None)
            else:
                self._judgements[place] = judgement
        for listener in list(self._listeners):
            listener()
        return next(iter(judgements))


def _same(first: Judgement, second: Judgement) -> bool:
    return (first.verdict, first.note) == (second.verdict, second.note)
