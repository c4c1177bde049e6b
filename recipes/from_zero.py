"""Write the two models without a network, for registering from zero.

python recipes/from_zero.py
"""

from __future__ import annotations

from pathlib import Path

from napari_adacs.models.bundle import save_bundle
from napari_adacs.models.header import FROM_ZERO, ModelHeader, Preprocessing
from napari_adacs.models.model import build_model

BUNDLED = Path(__file__).parents[1] / 'src/napari_adacs/models/bundled'


def main() -> None:
    """Write a bundle for 2D and one for 3D."""
    for ndim in (2, 3):
        header = ModelHeader(
            name=f'from-zero-{ndim}d',
            ndim=ndim,
            network=FROM_ZERO,
            scheme='vanilla',
            preprocessing=Preprocessing('pad'),
            title=f'From zero, {ndim}D (no network)',
            description='Fits a free displacement field to the pair, coarse '
            'to fine.',
            domain='any modality',
            licence='BSD-3-Clause',
        )
        path = BUNDLED / f'{header.name}.safetensors'
        save_bundle(path, build_model(header))
        print(path.name, path.stat().st_size, 'bytes')


if __name__ == '__main__':
    main()
