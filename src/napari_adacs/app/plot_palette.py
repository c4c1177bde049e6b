"""Colours of plots, in both themes of napari."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari.utils.theme import get_theme

if TYPE_CHECKING:
    from napari.components import ViewerModel

# Before and after, of the palette of Okabe and Ito, which the colour-blind
# can tell apart; each in the shade that stands out from its background.
_ON_DARK = '#E69F00', '#56B4E9'
_ON_LIGHT = '#B25000', '#0072B2'
# Where there are more curves than two; the rest of the same palette.
FURTHER = '#009E73', '#CC79A7', '#D55E00', '#F0E442', '#0072B2', '#999999'


@dataclass(frozen=True)
class Palette:
    """Colours as hexadecimal strings.

    Lines differ in their dashes too, never by colour alone.

    Parameters
    ----------
    background, text, grid : str
        Those of the theme.
    before, after : str
        Curves before and after registration.
    """

    background: str
    text: str
    grid: str
    before: str
    after: str

    @classmethod
    def of(cls, viewer: ViewerModel) -> Palette:
        """Return the colours that go with the viewer's theme."""
        theme = get_theme(viewer.theme)
        red, green, blue = theme.background.as_rgb_tuple(alpha=False)
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 128
        return cls(
            theme.background.as_hex('long'),
            theme.text.as_hex('long'),
            theme.secondary.as_hex('long'),
            *(_ON_DARK if dark else _ON_LIGHT),
        )
