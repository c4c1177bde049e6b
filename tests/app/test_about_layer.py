"""What layers say of their images."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.layers import Image

from napari_adacs.app.about_layer import about_layer
from napari_adacs.app.layers import FILE_KEY


def layer(**metadata: Any) -> Image:
    return Image(np.zeros((4, 4)), name='one', metadata=metadata)


@pytest.mark.parametrize(
    'metadata',
    [
        {'Modality': 'US'},
        {'dicom': {'header': {'modality': 'US'}}},
        {'headers': [SimpleNamespace(Modality='US')]},
        {'header': SimpleNamespace(Modality='US')},
    ],
)
def test_the_modality_is_found_wherever_a_reader_puts_it(
    metadata: dict[str, Any],
) -> None:
    assert about_layer(layer(**metadata)).modality == 'US'


def test_names_folders_and_descriptions_count() -> None:
    about = about_layer(
        layer(
            **{
                FILE_KEY: {
                    'path': '/data/of/somebody/acdc/p1/image.nii.gz',
                    'description': 'TE=1.2',
                }
            }
        ),
        frame=0,
    )
    assert about.text == 'one acdc p1 image.nii.gz TE=1.2'
    assert about.modality == ''
    assert about.in_frames


def test_odd_metadata_are_no_obstacle() -> None:
    deep: dict[str, Any] = {}
    deep['self'] = deep
    many = {str(i): {'a': i} for i in range(10_000)}
    for metadata in (deep, many, {'modality': 3}, {1: None, 'path': None}):
        image = layer()
        image.metadata = metadata
        assert about_layer(image).modality == ''
