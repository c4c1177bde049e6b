"""One image after the other in the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_adacs.app.review.views.base import Option, View

if TYPE_CHECKING:
    from napari.layers import Layer


class Blink(View):
    """Fixed and the other in turns: what jumps is not aligned."""

    name = 'blink'
    title = 'Blink'
    tooltip = 'Fixed and warped in turns; what jumps is not aligned.'

    def make_options(self) -> tuple[Option, ...]:
        """Return the speed.

        At most three changes a second: faster flashing can harm people with
        photosensitive epilepsy.
        """
        return (
            Option(
                'speed',
                'Speed',
                'Changes per second.',
                1.5,
                0.25,
                3.0,
                0.25,
                '/s',
            ),
        )

    def make_layers(self) -> list[Layer]:
        """Return both in grey, the fixed one shown."""
        other = self.side_image(self.pair.other, visible=False)
        return [other, self.side_image(self.pair.fixed)]

    @property
    def period_s(self) -> float:
        """Seconds that each image stays."""
        return 1.0 / self.values['speed']

    @property
    def caption(self) -> str:
        """Which image is shown."""
        side = self.pair.fixed if self.layers[1].visible else self.pair.other
        return side.name

    def tick(self) -> None:
        """Show the other one."""
        front, back = self.layers[1], self.layers[0]
        shown = front if front.visible else back
        hidden = back if shown is front else front
        # the new one first: there is never an empty canvas
        hidden.visible = True
        shown.visible = False
