"""Small models, small studies on oblique grids, and a way to run commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_adacs.cli import main
from napari_adacs.io.nifti import save_volume
from napari_adacs.spatial.grid import Grid
from tests.small_models import save_small_model


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@dataclass(frozen=True)
class Study:
    """Files of a pair: an image and a segmentation each."""

    moving: Path
    fixed: Path
    moving_labels: Path
    fixed_labels: Path
    model: str


@pytest.fixture(scope='session')
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one model for 2D and one for 3D."""
    folder = tmp_path_factory.mktemp('models')
    for ndim in (2, 3):
        save_small_model(folder, ndim)
    return folder


@pytest.fixture(autouse=True)
def _only_small_models(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('NAPARI_ADACS_MODELS', str(model_folder))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def run(*words: object) -> Ran:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


def turned(degrees: float, spacing: tuple[float, ...]) -> np.ndarray:
    """Return steps of axes turned in the first plane."""
    a = np.deg2rad(degrees)
    rotation = np.eye(len(spacing))
    rotation[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    return rotation @ np.diag(spacing)


def centred(shape: tuple[int, ...], steps: np.ndarray) -> Grid:
    """Make a grid (z, y, x) around the point (10, 20, 30)."""
    ndim = len(shape)
    affine = np.eye(ndim + 1)
    affine[:-1, :-1] = steps
    middle = (np.asarray(shape[::-1]) - 1) / 2
    affine[:-1, -1] = np.array([10.0, 20.0, 30.0])[:ndim] - steps @ middle
    return Grid(shape[::-1], affine).transposed()


FIXED = {
    2: centred((26, 30), turned(20, (0.8, 1.3))),
    3: centred((18, 20, 24), turned(25, (0.9, 1.2, 1.7))),
}
MOVING = {
    2: centred((34, 30), turned(-10, (0.9, 0.9))),
    3: centred((26, 28, 22), turned(-15, (1.1, 0.8, 1.3))),
}


def heart(grid: Grid, size: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return an image and labels (1 inside, 2 wall) in the world's middle."""
    index = np.stack(np.indices(grid.shape), -1).reshape(-1, grid.ndim)
    world = grid.index_to_world(index)
    centre = np.array([10.0, 20.0, 30.0])[: grid.ndim]
    radius = np.linalg.norm(world - centre, axis=1).reshape(grid.shape)
    labels = np.zeros(grid.shape, np.uint8)
    labels[radius < 8 * size] = 2
    labels[radius < 5 * size] = 1
    wave = np.sin(world @ np.linspace(0.3, 0.7, grid.ndim))
    image = 100 * (labels == 2) + 30 * (labels == 1) + 40
    image = image + 15 * wave.reshape(grid.shape)
    return gaussian_filter(image.astype(np.float32), 1.0), labels


def save_study(folder: Path, ndim: int) -> Study:
    """Write a moving and a fixed image with labels, on two oblique grids."""
    for role, grid, size in (
        ('moving', MOVING[ndim], 1.0),
        ('fixed', FIXED[ndim], 0.85),
    ):
        image, labels = heart(grid, size)
        save_volume(folder / f'{role}.nii.gz', image, grid, axis_order='zyx')
        save_volume(
            folder / f'{role}_labels.nii.gz',
            labels,
            grid,
            labels=True,
            axis_order='zyx',
        )
    names = ('moving', 'fixed', 'moving_labels', 'fixed_labels')
    paths = [folder / f'{name}.nii.gz' for name in names]
    return Study(*paths, model=f'small-{ndim}d')


@pytest.fixture(params=[2, 3], ids=['2D', '3D'])
def study(request: pytest.FixtureRequest, tmp_path: Path) -> Study:
    """A pair in 2D and one in 3D."""
    return save_study(tmp_path, request.param)


@pytest.fixture
def study3d(tmp_path: Path) -> Study:
    """A pair in 3D."""
    return save_study(tmp_path, 3)
