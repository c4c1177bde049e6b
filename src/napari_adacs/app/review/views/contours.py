"""Outlines of both segmentations over an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_adacs.app.review.views.base import (
    FIXED_COLOUR,
    OTHER_COLOUR,
    Option,
    View,
)
from napari_adacs.errors import InputError

if TYPE_CHECKING:
    from napari.layers import Layer


class Contours(View):
    """Outlines of the labels of both images, in two colours."""

    name = 'contours'
    title = 'Contours'
    tooltip = (
        'Outlines of the fixed labels in green and of the warped ones in '
        'magenta, white where they coincide.'
    )
    only_flat = (
        'Contours are drawn on slices; in 3D you see the overlay of the '
        'images.'
    )

    def make_options(self) -> tuple[Option, ...]:
        """Return thickness and what lies below."""
        return (
            Option('width', 'Width', 'Width of the lines.', 1, 1, 5, 1, 'px'),
            Option(
                'below',
                'Image',
                'Image below the outlines.',
                0,
                choices=('fixed', self.pair.other.name),
            ),
        )

    def make_layers(self) -> list[Layer]:
        """Return the image and the outlines there are."""
        sides = self.pair.fixed, self.pair.other
        if all(side.labels is None for side in sides):
            raise InputError(
                'There are no labels to draw contours of.',
                'Open labels of the fixed image, and register with labels of '
                'the moving one.',
            )
        images = [self.side_image(side) for side in sides]
        layers: list[Layer] = list(images)
        for side, colour in zip(
            sides, (FIXED_COLOUR, OTHER_COLOUR), strict=True
        ):
            if side.labels is not None:
                layers.append(self._outline(side.labels, side.name, colour))
        self.layers = layers
        self.apply('below')
        return layers

    def apply(self, name: str) -> None:
        """Change the width or the image."""
        for i, layer in enumerate(self.layers[:2]):
            layer.visible = i == int(self.values['below'])
        for layer in self.layers[2:]:
            if layer.contour != int(self.values['width']):
                layer.contour = int(self.values['width'])

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """Which is which."""
        found = []
        sides = (
            (self.pair.fixed, FIXED_COLOUR),
            (
                self.pair.other,
                OTHER_COLOUR,
            ),
        )
        for side, colour in sides:
            if side.labels is None:
                found.append(('', f'no {side.name} labels'))
            else:
                found.append((colour, f'{side.name} labels'))
        return tuple(found)

    def _outline(self, data: Any, name: str, colour: str) -> Layer:
        from napari.utils.colormaps import DirectLabelColormap

        colours = {None: colour, 0: 'transparent'}
        return self.labels(
            data,
            f'{name} labels',
            colormap=DirectLabelColormap(color_dict=colours),
            opacity=1.0,
            blending='additive',
        )
