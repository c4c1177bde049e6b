"""Distance from points to triangles, and to line segments."""

from __future__ import annotations

import numpy as np

from napari_adacs.evaluation.inputs import FloatArray


def squared_distances(points: FloatArray, simplices: FloatArray) -> FloatArray:
    """Return the squared distance of each point to its own simplex.

    Parameters
    ----------
    points : (N, ndim) numpy.ndarray of float64
        Positions.
    simplices : (N, n_corners, ndim) numpy.ndarray of float64
        A triangle (3 corners) or a line segment (2) for each point. They
        may be degenerate.
    """
    corners = np.moveaxis(simplices, 1, 0)
    if len(corners) == 2:
        return _to_segments(points, *corners)
    a, b, c = corners
    nearest: FloatArray = np.minimum(
        np.minimum(_to_segments(points, a, b), _to_segments(points, b, c)),
        _to_segments(points, c, a),
    )
    return np.minimum(nearest, _to_plane_inside(points, a, b, c))


def _to_segments(p: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    along, towards = b - a, p - a
    length = _dot(along, along)
    share = np.zeros(len(p))
    np.divide(_dot(towards, along), length, out=share, where=length > 0)
    rest = towards - np.clip(share, 0, 1)[:, None] * along
    return _dot(rest, rest)


def _to_plane_inside(
    p: FloatArray, a: FloatArray, b: FloatArray, c: FloatArray
) -> FloatArray:
    """Return the distance to the plane, infinite beside the triangle."""
    first, second, towards = b - a, c - a, p - a
    ff, fs, ss = _dot(first, first), _dot(first, second), _dot(second, second)
    tf, ts = _dot(towards, first), _dot(towards, second)
    area = ff * ss - fs * fs
    flat = area <= 1e-12 * ff * ss
    area[flat] = 1.0
    u, v = (ss * tf - fs * ts) / area, (ff * ts - fs * tf) / area
    rest = towards - u[:, None] * first - v[:, None] * second
    squared = _dot(rest, rest)
    squared[flat | (u < 0) | (v < 0) | (u + v > 1)] = np.inf
    return squared


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    products: FloatArray = np.einsum('ij,ij->i', a, b)
    return products
