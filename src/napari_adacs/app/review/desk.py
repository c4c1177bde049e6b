"""A review at work: where it is in the viewer, what it decides, and saving.

This is the Review dock without Qt: the dock shows a desk and passes on what
a person does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_adacs.app.layer_specs import Role
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.review.identity import identify, review_path
from napari_adacs.app.review.ready import Ready
from napari_adacs.app.review.scroll import (
    current_slice,
    scroll_axis,
    show_slice,
    slices_in_reach,
)
from napari_adacs.app.review.store import Points, Saved, Saver
from napari_adacs.app.review.verdicts import (
    Judgement,
    Place,
    Review,
    Verdict,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_adacs.app.session import Run
    from napari_adacs.evaluation.slices import SliceFigures


class ReviewDesk:
    """The review of one result in one viewer.

    Parameters
    ----------
    viewer : ViewerModel
        Where the result is shown.
    ready : Ready
        The result and what was decided before.
    on_error : callable
        Called with a sentence, from any thread, if saving fails.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        ready: Ready,
        on_error: Callable[[str], None],
    ) -> None:
        self._viewer = viewer
        self._on_error = on_error
        self.ready = ready
        saved = ready.saved
        self.review = Review({} if saved is None else saved.judgements)
        self._landmarks: dict[str, Points] = {}
        if saved is not None:
            self._landmarks.update(saved.landmarks)
        self.advances = True
        self.worst_first = False
        self._saver: Saver | None = None
        self.review.on_change(self._save)
        if saved is not None and not ready.path.exists():
            # The result was saved after it had been reviewed.
            self._save()

    @property
    def run(self) -> Run:
        """The result."""
        return self.ready.request.run

    @property
    def layer(self) -> Layer | None:
        """A layer on the fixed grid, or None when all are gone."""
        layers = ResultGroup(self._viewer, self.run.group_id).layers()
        images = [role for role in Role if role is not Role.DISPLACEMENT]
        return next((layers[r] for r in images if r in layers), None)

    @property
    def axis(self) -> int:
        """Array axis of the fixed grid along which the viewer scrolls."""
        layer = self.layer
        return 0 if layer is None else scroll_axis(self._viewer, layer)

    @property
    def axis_name(self) -> str:
        """Label of that axis."""
        layer = self.layer
        if layer is None or layer.ndim < 3:
            return ''
        return str(layer.axis_labels[self.axis])

    @property
    def figures(self) -> SliceFigures:
        """The slices along that axis."""
        return self.ready.figures[min(self.axis, len(self.ready.figures) - 1)]

    @property
    def current(self) -> int:
        """The slice that the viewer shows."""
        layer = self.layer
        if layer is None:
            return 0
        return current_slice(self._viewer, layer, self.axis)

    @property
    def place(self) -> Place:
        """Axis and slice."""
        return self.axis, self.current

    @property
    def judgement(self) -> Judgement:
        """What was decided about the slice that the viewer shows."""
        return self.review.at(self.place)

    @property
    def progress(self) -> str:
        """How far the review is."""
        return self.review.progress(self.axis, len(self.slices))

    @property
    def slices(self) -> range:
        """The slices that can be shown: all, but for rotated images."""
        layer = self.layer
        if layer is None:
            return range(len(self.figures))
        return slices_in_reach(self._viewer, layer, self.axis)

    def order(self) -> list[int]:
        """Return the slices as the list has them."""
        shown = self.slices
        if self.worst_first:
            worst = self.figures.worst_first().tolist()
            return [k for k in worst if k in shown]
        return list(shown)

    def go(self, index: int) -> None:
        """Show a slice; one beyond the ends is the last one there."""
        layer = self.layer
        if layer is not None:
            shown = self.slices
            index = int(np.clip(index, shown[0], shown[-1]))
            show_slice(self._viewer, layer, self.axis, index)

    def step(self, steps: int) -> None:
        """Go on or back in the order of the list."""
        order = self.order()
        position = order.index(self.current) + steps
        self.go(order[int(np.clip(position, 0, len(order) - 1))])

    def go_to_worst(self) -> None:
        """Show the most suspicious slice that has no verdict yet."""
        done = self.review.reviewed(self.axis)
        hidden = set(range(len(self.figures))) - set(self.slices)
        worst = self.figures.next_worst(self.current, done | hidden)
        if worst is not None and worst not in hidden:
            self.go(worst)

    def judge(self, verdict: Verdict) -> None:
        """Give the slice a verdict, and go on to the next if wanted."""
        self.review.judge([self.place], verdict)
        if self.advances:
            self._advance()

    def judge_rest(self, verdict: Verdict) -> int:
        """Give all slices without a verdict one; return how many."""
        done = self.review.reviewed(self.axis)
        rest = set(self.slices) - done
        self.review.judge([(self.axis, k) for k in sorted(rest)], verdict)
        return len(rest)

    def clear(self) -> None:
        """Take back verdict and note of the slice."""
        self.review.clear([self.place])

    def annotate(self, note: str) -> None:
        """Write a note about the slice."""
        self.review.annotate(self.place, note)

    def undo(self) -> None:
        """Take the last step back and show where it was."""
        self._show(self.review.undo())

    def redo(self) -> None:
        """Take a step again and show where it was."""
        self._show(self.review.redo())

    @property
    def landmarks(self) -> dict[str, Points]:
        """World positions of the landmarks, by 'moving' and 'fixed'."""
        return dict(self._landmarks)

    def set_landmarks(self, landmarks: dict[str, Points]) -> None:
        """Keep the landmarks with the review."""
        if landmarks != self._landmarks:
            self._landmarks = dict(landmarks)
            self._save()

    def saved(self) -> Saved:
        """Return the review as it is written."""
        return Saved(
            self.ready.identity, self.review.judgements, self.landmarks
        )

    def move_to(self, run: Run) -> None:
        """Keep the review beside a result that has been saved now."""
        self.close()
        identity = identify(run)
        self.ready = replace(
            self.ready,
            request=replace(self.ready.request, run=run),
            identity=identity,
            path=review_path(identity.key, run.folder),
        )
        if self.review.judgements or any(self._landmarks.values()):
            self._save()

    def flush(self) -> bool:
        """Wait until all is written; return whether it is."""
        return self._saver is None or self._saver.flush()

    def close(self) -> None:
        """Write what is waiting, and stop."""
        if self._saver is not None:
            self._saver.close()
            self._saver = None

    def _advance(self) -> None:
        """Go to the next slice in the list that has no verdict."""
        order, done = self.order(), self.review.reviewed(self.axis)
        after = order[order.index(self.current) + 1 :]
        waiting = [k for k in after if k not in done]
        if waiting:
            self.go(waiting[0])

    def _show(self, place: Place | None) -> None:
        if place is not None and place[0] == self.axis:
            self.go(place[1])

    def _save(self) -> None:
        if self._saver is None:
            self._saver = Saver(self.ready.path, self._on_error)
        self._saver.save(self.saved())
