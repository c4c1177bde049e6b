"""The samples are what the menu promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer

from napari_adacs.app.layers import grid_of
from napari_adacs.app.samples import FOLDER, echo2d, echo3d

MANIFEST = Path(__file__).parents[2] / 'src' / 'napari_adacs' / 'napari.yaml'


@pytest.mark.parametrize(('sample', 'ndim'), [(echo3d, 3), (echo2d, 2)])
def test_a_sample_is_a_pair_with_labels(
    sample: Callable[[], list[Any]], ndim: int
) -> None:
    layers = [Layer.create(*data) for data in sample()]
    name = f'echo{ndim}d'
    assert [layer.name for layer in layers] == [
        f'{name}_ED',
        f'{name}_ES',
        f'{name}_ED_labels',
        f'{name}_ES_labels',
    ]
    assert [type(x) for x in layers] == [Image, Image, Labels, Labels]
    assert [x.visible for x in layers] == [True, True, False, False]
    grids = [grid_of(layer) for layer in layers]
    assert all(grid.same_space(grids[0]) for grid in grids)
    assert grids[0].units == 'mm'
    assert grids[0].ndim == ndim
    ed, es = (x.data for x in layers[2:])
    assert set(np.unique(ed)) == set(np.unique(es)) > {0, 1, 2}
    # the cavity is smaller at end-systole
    assert (es == 1).sum() < 0.8 * (ed == 1).sum()


@pytest.mark.parametrize('name', ['echo2d', 'echo3d'])
def test_samples_are_small(name: str) -> None:
    files = list(FOLDER.glob(f'{name}_*'))
    assert len(files) == 4
    assert sum(file.stat().st_size for file in files) < 1_500_000


@pytest.mark.parametrize('name', ['echo2d', 'echo3d'])
def test_the_menu_opens_them(npe2pm: Any, name: str) -> None:
    viewer = ViewerModel()
    with npe2pm.tmp_plugin(manifest=str(MANIFEST)):
        viewer.open_sample('napari-adacs', name)
    assert len(viewer.layers) == 4
    assert {str(unit) for unit in viewer.layers.units} == {'millimeter'}
