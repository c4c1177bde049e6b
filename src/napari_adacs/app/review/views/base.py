"""What every view of a pair is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from napari_adacs.app.review.planes import shown_plane

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Image, Labels, Layer, Vectors

    from napari_adacs.app.review.layer_pool import LayerPool
    from napari_adacs.app.review.pair import Pair, Side
    from napari_adacs.app.review.planes import Plane

# The same two colours everywhere, told apart with any colour vision; where
# both are, they add up to white.
FIXED_COLOUR, OTHER_COLOUR = 'green', 'magenta'


@dataclass(frozen=True)
class Option:
    """A number, or one of some choices, that a view can be set to.

    Parameters
    ----------
    name : str
        Key of its value.
    title, tooltip : str
        For people.
    default : float
        Value at first; of choices, the index.
    low, high, step : float
        Range of a number.
    unit : str
        Shown behind the number.
    choices : tuple of str
        Names of the choices; empty for a number.
    """

    name: str
    title: str
    tooltip: str
    default: float
    low: float = 0.0
    high: float = 1.0
    step: float = 1.0
    unit: str = ''
    choices: tuple[str, ...] = ()


class View(ABC):
    """One way of showing a pair, made of layers of its own.

    Its layers share the arrays of the pair: nothing is copied, and the
    user's layers are not touched. A view is made anew when the pair or the
    number of displayed axes changes.

    Parameters
    ----------
    pair : Pair
        What to show.
    dims : Dims
        Of the viewer that will show it.
    pool : LayerPool
        Where its layers come from.
    values : mapping, optional
        Values of options that differ from their defaults.

    Raises
    ------
    InputError
        If the pair lacks what the view shows.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    tooltip: ClassVar[str]
    # What a person in 3D should know; the overlay is shown instead.
    only_flat: ClassVar[str] = ''

    def __init__(
        self,
        pair: Pair,
        dims: Dims,
        pool: LayerPool,
        values: Mapping[str, float] | None = None,
    ) -> None:
        self.pair = pair
        self.dims = dims
        self._pool = pool
        self.options = self.make_options()
        self.values = {option.name: option.default for option in self.options}
        known = {k: v for k, v in (values or {}).items() if k in self.values}
        self.values |= known
        self.layers = self.make_layers()

    def make_options(self) -> tuple[Option, ...]:
        """Return what can be set."""
        return ()

    def length_option(
        self, name: str, title: str, tooltip: str, parts: int
    ) -> Option:
        """Return an option for a length, in the unit of the image.

        At first it goes `parts` times into the shortest side of the image;
        it is never less than two voxels.
        """
        spacing = self.pair.grid.spacing
        sides = zip(self.pair.shape, spacing, strict=True)
        default = min(n * s for n, s in sides) / parts
        low = 2 * max(spacing)
        return Option(
            name,
            title,
            tooltip,
            max(default, low),
            low,
            max(4 * default, 2 * low),
            min(spacing),
            self.pair.unit,
        )

    @abstractmethod
    def make_layers(self) -> list[Layer]:
        """Return the layers, images first, from the back to the front."""

    def set_value(self, name: str, value: float) -> None:
        """Set an option and show it."""
        self.values[name] = value
        self.apply(name)

    def apply(self, name: str) -> None:  # noqa: B027
        """Show the new value of an option."""

    def follow(self) -> None:  # noqa: B027
        """Show the slice that the viewer has moved to.

        Layers with arrays do so by themselves.
        """

    @property
    def period_s(self) -> float | None:
        """Seconds between calls of `tick`; None for a view that rests."""
        return None

    def tick(self) -> None:  # noqa: B027
        """Take the next step of a view that moves."""

    @property
    def caption(self) -> str:
        """A word on the canvas; empty for most views."""
        return ''

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """Colours and what they mean."""
        return ()

    def handle(self) -> tuple[int, float] | None:
        """Return what can be dragged: an axis of the array and a place."""
        return None

    # ---- layers ------------------------------------------------------------

    def image(
        self, data: Any, name: str, place: str = 'one', **look: Any
    ) -> Image:
        """Return an image layer on the fixed grid.

        Views take over each other's images by their place, 'one' or 'two'.
        """
        look = {'interpolation2d': self.pair.interpolation, **look}
        return self._pool.image(place, data, self._named(name), **look)

    def side_image(self, side: Side, **look: Any) -> Image:
        """Return a layer that shows one image."""
        look = {'contrast_limits': side.limits, **look}
        place = 'one' if side is self.pair.fixed else 'two'
        return self.image(side.data, side.name, place, **look)

    def labels(self, data: Any, name: str, **look: Any) -> Labels:
        """Return a labels layer on the fixed grid."""
        key = f'{self.name} {name}'
        return self._pool.labels(key, data, self._named(name), **look)

    def lines(self, name: str, pixels: float, **look: Any) -> Vectors:
        """Return a layer for lines of some width, empty at first."""
        key, ndim = f'{self.name} {name}', len(self.pair.shape)
        return self._pool.lines(key, ndim, self._named(name), pixels, **look)

    def add_bar(self, layer: Image) -> None:
        """Give an image a colour bar."""
        self._pool.add_bar(layer)

    def plane(self) -> Plane | None:
        """Return the plane that is shown; None in 3D or outside."""
        return shown_plane(self.dims, self.layers[0], self.pair.shape)

    def _named(self, name: str) -> str:
        return f'{self.title}: {name}'
