"""Both images over each other in two colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_adacs.app.review.views.base import (
    FIXED_COLOUR,
    OTHER_COLOUR,
    Option,
    View,
)

if TYPE_CHECKING:
    from napari.layers import Layer


class Overlay(View):
    """Fixed in green, the other in magenta; white where they agree."""

    name = 'overlay'
    title = 'Overlay'
    tooltip = (
        'Fixed in green, warped in magenta, added: what agrees is white or '
        'grey.'
    )

    def make_options(self) -> tuple[Option, ...]:
        """Return the balance of the two."""
        return (
            Option(
                'balance',
                'Balance',
                'How much of each is seen: 0 only fixed, 100 only the other.',
                50.0,
                0.0,
                100.0,
                1.0,
                '%',
            ),
        )

    def make_layers(self) -> list[Layer]:
        """Return both, coloured."""
        colours = FIXED_COLOUR, OTHER_COLOUR
        sides = self.pair.fixed, self.pair.other
        fixed, other = (
            self.side_image(
                side, colormap=colour, blending='additive', opacity=opacity
            )
            for side, colour, opacity in zip(
                sides, colours, self._opacities(), strict=True
            )
        )
        return [fixed, other]

    def apply(self, name: str) -> None:
        """Balance the two."""
        for layer, value in zip(self.layers, self._opacities(), strict=True):
            layer.opacity = value

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """Which is which."""
        return (
            (FIXED_COLOUR, 'fixed'),
            (OTHER_COLOUR, self.pair.other.name),
            ('white', 'both'),
        )

    def _opacities(self) -> tuple[float, float]:
        share = self.values['balance'] / 100
        return min(1.0, 2 * (1 - share)), min(1.0, 2 * share)
