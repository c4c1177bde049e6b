"""What every test may lean on: real data, a viewer model, quiet threads."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from napari.components import ViewerModel

# Read by torch when it is first imported: the same bits on every machine,
# and no competition between threads over tensors this small.
for _variable in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS'):
    os.environ.setdefault(_variable, '1')

# The same examples in every run, and no clock: machines differ.
settings.register_profile('house', deadline=None, derandomize=True)
settings.load_profile('house')

ON_LINUX = sys.platform.startswith('linux')
HAS_SCREEN = not ON_LINUX or bool(os.environ.get('DISPLAY'))
if not HAS_SCREEN:
    os.environ.setdefault('QT_QPA_PLATFORM', 'offscreen')

REAL_VIEWER_FIXTURES = {'make_napari_viewer', 'make_napari_viewer_proxy'}


def _shared_data() -> Path | None:
    """Find the folder of real images; ADACS_SHARED may name it."""
    beside = Path(__file__).resolve().parents[1].parent / 'shared'
    root = Path(os.environ.get('ADACS_SHARED', beside))
    for folder in (root / 'data', root):
        if (folder / 'mitea-034').is_dir():
            return folder
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that open a window or use real images."""
    for item in items:
        fixtures = set(getattr(item, 'fixturenames', ()))
        if fixtures & REAL_VIEWER_FIXTURES:
            item.add_marker('gui')
        if 'shared_data' in fixtures:
            item.add_marker('shared')


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run, and say why."""
    if item.get_closest_marker('gui') and not HAS_SCREEN:
        pytest.skip('no display; run the tests under xvfb-run')
    if item.get_closest_marker('cuda'):
        torch = pytest.importorskip('torch')
        if not torch.cuda.is_available():
            pytest.skip('no CUDA device')


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Folder with real images (``../shared/data`` or ADACS_SHARED)."""
    folder = _shared_data()
    if folder is None:
        pytest.skip('no real images; set ADACS_SHARED to their folder')
    return folder


@pytest.fixture
def viewer_model() -> ViewerModel:
    """A napari viewer without a window: layers and dims, no OpenGL."""
    from napari.components import ViewerModel

    return ViewerModel()
