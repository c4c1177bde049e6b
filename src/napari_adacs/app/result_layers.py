"""The only code that writes result layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_adacs.app.layer_specs import LayerSpec, Role
from napari_adacs.app.layers import layer_kwargs

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

METADATA_KEY = 'napari_adacs'
# Marks a layer that shows something else about a result.
COMPANION_KEY = 'napari_adacs_companion'


@dataclass(frozen=True, eq=False)
class ResultGroup:
    """The layers of one registration in one viewer.

    Layers are found by what their metadata say, never by name or position:
    a person may rename, reorder, restyle and delete them. Showing a result
    again updates what is there.

    Parameters
    ----------
    viewer : ViewerModel
        Where the layers are.
    group_id : str
        The same for every run on the same images with the same model.
    title : str
        First part of the names.
    placement : mapping
        From `layers.layer_kwargs` of the fixed layer.
    record : mapping
        Run record, JSON-able; goes into the metadata.
    looks : mapping of Role to mapping
        Options of new layers taken from the user's own, such as the
        contrast limits of the moving image for the warped one.
    """

    viewer: ViewerModel
    group_id: str
    title: str = ''
    placement: Mapping[str, Any] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    looks: Mapping[Role, Mapping[str, Any]] = field(default_factory=dict)

    def layers(self) -> dict[Role, Layer]:
        """Return the layers that exist, by role."""
        found = {}
        for layer in self.viewer.layers:
            about = tag(layer)
            if about is not None and about['group'] == self.group_id:
                found[Role(about['role'])] = layer
        return found

    def show(self, specs: Iterable[LayerSpec]) -> Iterator[Layer]:
        """Add or update the layers, step by step.

        Each step costs the GUI thread some tens of milliseconds; take them
        in turns of the event loop. Layers of roles that this result does
        not have are removed with the last step. The user's selection is
        kept. New maps want `add_colorbars` afterwards.
        """
        selected = {str(x.unique_id) for x in self.viewer.layers.selection}
        shown = set()
        for spec in specs:
            shown.add(spec.role)
            layer = self.layers().get(spec.role)
            if layer is not None and not _fits(layer, spec):
                self.viewer.layers.remove(layer)
                layer = None
            if layer is None:
                layer = self._add(spec)
            else:
                self._update(layer, spec)
            yield layer
        self._remove(set(Role) - shown)
        self._select(selected)

    def add_colorbars(self, specs: Iterable[LayerSpec]) -> Iterator[Layer]:
        """Give maps their colour bars, one per step.

        The first one ever drawn costs more than any layer: napari makes the
        digits for it. A bar that a person has hidden stays hidden.
        """
        for spec in specs:
            layer = self.layers().get(spec.role)
            if layer is None or not spec.colorbar:
                continue
            if (tag(layer) or {})['new']:
                layer.colorbar.visible = True
                yield layer

    def remove(self) -> None:
        """Remove the layers of this group and what shows more of it."""
        for layer in list(self.viewer.layers):
            if companion_of(layer) == self.group_id:
                self.viewer.layers.remove(layer)
        self._remove(set(Role))

    def _add(self, spec: LayerSpec) -> Layer:
        from napari import layers

        options = {**spec.options, **self.looks.get(spec.role, {})}
        options |= {
            'name': f'{self.title} {spec.role}',
            'visible': spec.visible,
            **self.placement,
        }
        if spec.kind == 'vectors':
            options |= _arrow_options(spec)
        elif spec.limits is not None:
            options['contrast_limits'] = spec.limits
        kind = getattr(layers, spec.kind.capitalize())
        layer: Layer = kind(spec.data, **options)
        # Whoever hears of the new layer can already see whose it is; its
        # name is final only in the list.
        self._tag(layer, spec, new=True)
        self.viewer.add_layer(layer)
        self._tag(layer, spec, new=True)
        return layer

    def _update(self, layer: Layer, spec: LayerSpec) -> None:
        before = tag(layer) or {}
        layer.data = spec.data
        if spec.features is not None:
            layer.features = dict(spec.features)
            layer.refresh_colors()
        if spec.limits is not None:
            _set_limits(layer, spec, before.get('limits'))
        _place(layer, self.placement)
        if layer.name == before.get('name'):
            layer.name = f'{self.title} {spec.role}'
        self._tag(layer, spec, new=False)

    def _tag(self, layer: Layer, spec: LayerSpec, *, new: bool) -> None:
        limits = spec.limits
        layer.metadata = {
            **layer.metadata,
            METADATA_KEY: {
                'group': self.group_id,
                'role': spec.role.value,
                # A copy that a person makes of the layer is not ours.
                'layer': str(layer.unique_id),
                'name': layer.name,
                'limits': None if limits is None else list(limits),
                'new': new,
                'record': dict(self.record),
            },
        }

    def _remove(self, roles: set[Role]) -> None:
        for role, layer in self.layers().items():
            if role in roles:
                self.viewer.layers.remove(layer)

    def _select(self, keys: set[str]) -> None:
        layers = self.viewer.layers
        chosen = [x for x in layers if str(x.unique_id) in keys]
        if chosen:
            layers.selection = set(chosen)


def tag(layer: Layer) -> dict[str, Any] | None:
    """Return what a result layer says about itself; None for others."""
    about = layer.metadata.get(METADATA_KEY)
    if not isinstance(about, dict) or 'group' not in about:
        return None
    return about if about.get('layer') == str(layer.unique_id) else None


def companion(layer: Layer, group: str) -> dict[str, Any]:
    """Return the metadata of a layer that goes when a group is removed."""
    return {COMPANION_KEY: {'group': group, 'layer': str(layer.unique_id)}}


def companion_of(layer: Layer) -> str | None:
    """Return the group that a layer goes with; None for other layers.

    A copy that a person has made of it stays.
    """
    about = layer.metadata.get(COMPANION_KEY)
    if not isinstance(about, dict):
        return None
    own = about.get('layer') == str(layer.unique_id)
    return about.get('group') if own else None


def is_result(layer: Layer) -> bool:
    """Whether a registration made a layer."""
    return tag(layer) is not None


def is_input(layer: Layer) -> bool:
    """Whether a person opened or made a layer."""
    return tag(layer) is None and not is_view_layer(layer)


def is_view_layer(layer: Layer) -> bool:
    """Whether a layer is part of a view: neither a person's nor a result."""
    about = layer.metadata.get(METADATA_KEY)
    return isinstance(about, dict) and 'view' in about


def groups_in(viewer: ViewerModel) -> list[str]:
    """Return the ids of the groups of which a viewer has a layer."""
    tags = [tag(layer) for layer in viewer.layers]
    return list(dict.fromkeys(x['group'] for x in tags if x is not None))


def _fits(layer: Layer, spec: LayerSpec) -> bool:
    ndim = spec.data.shape[-1] if spec.kind == 'vectors' else spec.data.ndim
    return bool(layer.ndim == ndim)


def _arrow_options(spec: LayerSpec) -> dict[str, Any]:
    features = dict(spec.features or {})
    return {
        'features': features,
        'edge_color': next(iter(features)),
        'edge_contrast_limits': spec.limits,
    }


def _set_limits(layer: Layer, spec: LayerSpec, ours: Any) -> None:
    """Set the contrast limits unless a person has chosen others."""
    name = 'contrast_limits'
    if spec.kind == 'vectors':
        name = f'edge_{name}'
    if ours is not None and np.allclose(getattr(layer, name), ours):
        setattr(layer, name, spec.limits)


def _place(layer: Layer, placement: Mapping[str, Any]) -> None:
    """Move a layer to a placement, touching only what differs."""
    now = layer_kwargs(layer)
    for name, value in placement.items():
        if not _same(now[name], value):
            setattr(layer, name, value)


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, tuple):
        return list(map(str, first)) == list(map(str, second))
    return np.shape(first) == np.shape(second) and np.allclose(first, second)
