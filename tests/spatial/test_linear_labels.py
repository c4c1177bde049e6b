"""Warped labels are the same wherever one looks for them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_adacs.spatial import operators
from napari_adacs.spatial.sampling import linear_labels


def everywhere(values, coordinates):
    """Compare the shares of all labels in all places, without shortcuts."""
    labels = [label for label in np.unique(values) if label]
    shares = [
        operators.sample(
            torch.from_numpy((values == label).astype(np.float32))[None, None],
            coordinates,
        )[0, 0]
        for label in labels
    ]
    shares.insert(0, 1 - sum(shares))
    # ties go to the label, and to the smaller one
    stack = torch.stack([shares[0] - 1e-6, *shares[1:]])
    return np.array([0, *labels], values.dtype)[stack.argmax(0).numpy()]


@pytest.mark.parametrize('far', [0, 100])
@pytest.mark.parametrize('spread', [0.4, 3.0])
@pytest.mark.parametrize(
    ('shape', 'target'), [((20, 31), (24, 17)), ((12, 14, 9), (10, 13, 15))]
)
def test_only_places_near_a_label_matter(shape, target, spread, far):
    rng = np.random.default_rng(len(shape))
    values = np.zeros(shape, np.uint16)
    for label in (3, 7, 500):
        low = [rng.integers(0, n - 5) for n in shape]
        values[tuple(slice(a, a + 5) for a in low)] = label
    noise = rng.normal(0, spread, (1, len(target), *target))
    coordinates = operators.identity_coordinates(target) + torch.from_numpy(
        (noise + far).astype(np.float32)
    )
    found = linear_labels(values, coordinates)
    assert found.dtype == values.dtype
    assert np.array_equal(found, everywhere(values, coordinates))
    assert found.any() == (far == 0)
