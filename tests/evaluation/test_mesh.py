"""Meshes of masks, and distances between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize

from napari_adacs.evaluation.mesh import Mesh, mesh_distances, surface_mesh
from napari_adacs.evaluation.simplices import squared_distances
from tests.evaluation.conftest import ball

POINTS = st.floats(-3, 3, allow_nan=False, width=32)


def by_search(point, corners):
    """Minimise over barycentric coordinates, from several starts."""
    n = len(corners)

    def cost(w):
        return float(((w @ corners - point) ** 2).sum())

    best = np.inf
    for start in (*np.eye(n), np.full(n, 1 / n)):
        found = minimize(
            cost,
            start,
            bounds=[(0, 1)] * n,
            constraints={'type': 'eq', 'fun': lambda w: w.sum() - 1},
        )
        best = min(best, found.fun)
    return best


@settings(max_examples=40)
@given(
    arrays(np.float64, 3, elements=POINTS),
    arrays(np.float64, (3, 3), elements=POINTS),
)
def test_a_point_and_a_triangle(point, corners):
    found = squared_distances(point[None], corners[None])[0]
    assert found == pytest.approx(by_search(point, corners), abs=1e-4)


@settings(max_examples=40)
@given(
    arrays(np.float64, 2, elements=POINTS),
    arrays(np.float64, (2, 2), elements=POINTS),
)
def test_a_point_and_a_segment(point, corners):
    found = squared_distances(point[None], corners[None])[0]
    assert found == pytest.approx(by_search(point, corners), abs=1e-4)


def test_a_triangle_without_area_is_a_segment():
    corners = np.array([[0, 0, 0], [1, 0, 0], [3, 0, 0]], float)
    points = np.array([[2, 0, 1], [-1, 0, 0], [0, 0, 0]], float)
    found = squared_distances(points, np.stack([corners] * 3))
    assert found == pytest.approx([1, 1, 0])


def brute_force(mesh: Mesh, other: Mesh, spacing) -> np.ndarray:
    simplices = (other.vertices * spacing)[other.faces]
    return np.array(
        [
            np.sqrt(
                squared_distances(
                    np.tile(point, (len(simplices), 1)), simplices
                ).min()
            )
            for point in mesh.vertices * spacing
        ]
    )


@pytest.mark.parametrize('spacing', [(1, 1, 1), (9, 1, 0.7)])
def test_brute_force(spacing):
    rng = np.random.default_rng(1)
    a = rng.random((7, 8, 6)) > 0.6
    b = rng.random((7, 8, 6)) > 0.6
    first, second = surface_mesh(a), surface_mesh(b)
    found = mesh_distances(first, second, spacing)
    expected = brute_force(first, second, spacing)
    assert found == pytest.approx(expected, abs=1e-9)


def test_a_mask_lies_on_itself():
    mesh = surface_mesh(ball(6, 20, 9))
    assert mesh_distances(mesh, mesh, (2, 1, 1)).max() < 1e-9


def test_a_shift_is_measured_in_mm():
    mask = np.zeros((30, 12, 12), bool)
    mask[5:15, 3:9, 3:9] = True
    first, second = surface_mesh(mask), surface_mesh(np.roll(mask, 2, 0))
    found = mesh_distances(first, second, (1.5, 1, 1))
    assert found.max() == pytest.approx(3.0)
    top = first.vertices[:, 0] < 5
    assert found[top] == pytest.approx(3.0, abs=0.2)


@pytest.mark.parametrize('ndim', [2, 3])
def test_the_surface_runs_half_way(ndim):
    mask = np.zeros((9,) * ndim, bool)
    mask[(slice(3, 6),) * ndim] = True
    mesh = surface_mesh(mask)
    assert mesh.faces.shape[1] == ndim
    assert mesh.vertices.min(axis=0) == pytest.approx([2.5] * ndim)
    assert mesh.vertices.max(axis=0) == pytest.approx([5.5] * ndim)
    assert mesh.faces.max() < len(mesh)


@pytest.mark.parametrize('ndim', [2, 3])
def test_the_border_of_the_image_closes_the_surface(ndim):
    mesh = surface_mesh(np.ones((4,) * ndim, bool))
    assert mesh.vertices.min() == pytest.approx(-0.5)
    assert mesh.vertices.max() == pytest.approx(3.5)
    edges = np.concatenate(
        [mesh.faces[:, [i, j]] for i in range(ndim) for j in range(i)]
    )
    if ndim == 3:
        _, counts = np.unique(np.sort(edges, 1), axis=0, return_counts=True)
    else:
        _, counts = np.unique(mesh.faces, return_counts=True)
    assert set(counts.tolist()) == {2}


def test_nothing_has_no_surface():
    mesh = surface_mesh(np.zeros((4, 4, 4), bool))
    assert len(mesh) == 0
    assert mesh.faces.shape == (0, 3)


def test_two_parts_are_two_contours():
    mask = np.zeros((12, 12), bool)
    mask[2:4, 2:4] = mask[7:10, 7:10] = True
    mesh = surface_mesh(mask)
    gaps = np.diff(mesh.vertices[mesh.faces], axis=1)
    assert np.abs(gaps).max() <= 1


def test_smoothing_keeps_size_and_place():
    mask = ball(8, 24, 11)
    mesh = surface_mesh(mask)
    smooth = mesh.smoothed()
    moved = np.abs(smooth.vertices - mesh.vertices)
    assert 0 < moved.max() <= 0.5
    radius = np.linalg.norm(smooth.vertices - 11, axis=1)
    before = np.linalg.norm(mesh.vertices - 11, axis=1)
    assert radius.mean() == pytest.approx(before.mean(), abs=0.1)
    assert radius.std() < 0.7 * before.std()
    assert np.array_equal(smooth.faces, mesh.faces)


def test_slabs_make_one_surface(monkeypatch):
    """Cut into slabs of one plane, the surface is the same and closed."""
    mask = ball(6, 18, 8) | ball(3, 18, 14)
    whole = surface_mesh(mask)
    monkeypatch.setattr('napari_adacs.evaluation.mesh._VOXELS_AT_ONCE', 1)
    slabs = surface_mesh(mask)
    assert np.array_equal(slabs.vertices, whole.vertices)
    same = [
        {tuple(sorted(face)) for face in mesh.faces.tolist()}
        for mesh in (whole, slabs)
    ]
    assert same[0] == same[1]
