from __future__ import annotations

import numpy as np
import pytest

from napari_adacs.io.label_guess import as_labels

RNG = np.random.default_rng(8)
FEW = RNG.integers(0, 4, (8, 9, 10))
GREY = RNG.integers(0, 256, (8, 9, 10))


@pytest.mark.parametrize(
    'name',
    [
        'patient0053_4CH_ED_gt.nii.gz',
        'ED_label.nii.gz',
        'aligned_seg35.nii.gz',
        'LVseg.nii',
        'Segmentation.nii',
        'mask.nii',
        'x-labels.nii',
    ],
)
def test_names_of_labels(name: str) -> None:
    found = as_labels(FEW.astype(np.float32), name)
    assert found is not None and found.dtype == np.uint8
    np.testing.assert_array_equal(found, FEW)


@pytest.mark.parametrize('name', ['weight.nii', 'ED.nii', 'length.nii'])
def test_floats_with_other_names_are_images(name: str) -> None:
    assert as_labels(FEW.astype(np.float32), name) is None


def test_integers_need_no_name() -> None:
    for dtype in (np.uint8, np.int16, np.int64, np.uint64):
        data = FEW.astype(dtype)
        assert as_labels(data, 'ED.nii') is data
    assert as_labels(GREY.astype(np.uint8), 'ED.nii') is None
    assert as_labels(np.zeros((4, 4), np.uint8), 'ED.nii') is None


def test_a_name_does_not_make_labels_of_an_image() -> None:
    assert as_labels(GREY.astype(np.uint8), 'masked_image.nii') is None
    assert as_labels(FEW + 0.5, 'label.nii') is None
    assert as_labels(FEW - 1, 'label.nii') is None
    assert as_labels(FEW * np.nan, 'label.nii') is None
    assert as_labels(FEW * 1e6, 'label.nii') is None
    assert as_labels(np.zeros((0, 3)), 'label.nii') is None


def test_empty_and_declared_labels() -> None:
    empty = np.zeros((4, 4), np.float32)
    found = as_labels(empty, 'ED_label.nii')
    assert found is not None and not found.any()
    many = np.arange(1000.0).reshape(10, 100)
    assert as_labels(many, 'x.nii') is None
    declared = as_labels(many, 'x.nii', declared=True)
    assert declared is not None and declared.dtype == np.uint16
