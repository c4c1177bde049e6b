"""What is left when one image is taken from the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.review.lazy import Key, LazyArray
from napari_adacs.app.review.views.base import Option, View

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.utils.colormaps import Colormap

    from napari_adacs.app.review.pair import Pair

# Dark where nothing differs, and two hues that colour-blind people tell
# apart (Okabe and Ito's sky blue and orange).
_LESS, _MORE = (0.34, 0.71, 0.91), (0.95, 0.55, 0.0)


class Signed(LazyArray):
    """The other image minus the fixed one, composed slice by slice.

    In the intensities of the fixed image.

    Parameters
    ----------
    pair : Pair
        The images.
    """

    def __init__(self, pair: Pair) -> None:
        super().__init__(pair.shape)
        self._pair = pair

    def compose(self, key: Key) -> NDArray[Any]:
        """Subtract a part."""
        difference: NDArray[np.float32] = self._pair.read_other(
            key
        ) - self._pair.fixed.read(key)
        return difference


class Difference(View):
    """The other image minus the fixed one, zero in black."""

    name = 'difference'
    title = 'Difference'
    tooltip = (
        'Warped minus fixed: black where they agree, blue where warped is '
        'darker, orange where it is brighter.'
    )
    only_flat = 'The difference is drawn on slices; in 3D you see the overlay.'

    def make_options(self) -> tuple[Option, ...]:
        """Return the range of colours."""
        return (
            Option(
                'range',
                'Range',
                'Difference that gets the full colour, in per cent of the '
                'contrast range of the fixed image.',
                50.0,
                5.0,
                100.0,
                5.0,
                '%',
            ),
        )

    def make_layers(self) -> list[Layer]:
        """Return the one layer, with its colour bar."""
        layer = self.image(
            Signed(self.pair),
            f'{self.pair.other.name} − fixed',
            contrast_limits=self._limits(),
            colormap=_dark_diverging(),
        )
        self.add_bar(layer)
        return [layer]

    def apply(self, name: str) -> None:
        """Stretch the colours."""
        self.layers[0].contrast_limits = self._limits()

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """What the hues mean."""
        other = self.pair.other.name
        return (
            (_hex(_LESS), f'{other} darker'),
            (_hex(_MORE), f'{other} brighter'),
        )

    def _limits(self) -> tuple[float, float]:
        low, high = self.pair.fixed.limits
        reach = (high - low) * self.values['range'] / 100
        return -reach, reach


def _dark_diverging() -> Colormap:
    from napari.utils.colormaps import Colormap

    colours = [(*_LESS, 1), (0, 0, 0, 1), (*_MORE, 1)]
    return Colormap(colours, name='blue-black-orange')


def _hex(colour: tuple[float, float, float]) -> str:
    return '#' + ''.join(f'{round(255 * c):02x}' for c in colour)
