"""Make the sample data that the package ships, from the echo phantom.

    python recipes/make_sample_data.py [FOLDER]

writes an end-diastolic and an end-systolic frame with labels in 3D and in
2D to FOLDER (by default the package's own `sample_data`). No real patient
is in them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_adacs.io.nifti import save_volume
from napari_adacs.phantom.echo import EchoOptions, EchoPair, echo_pair

PACKAGED = Path(__file__).parents[1] / 'src' / 'napari_adacs' / 'sample_data'

# An apical 3D study with a rib shadow over the wall at end-systole.
ECHO3D = EchoOptions(
    apex_depth=19,
    tilt=5,
    tilt_z=-4,
    roll=20,
    ejection_fraction=0.58,
    bulk=2,
    depth=132,
    blood=-14,
    background=-8,
    pericardium=12,
    annulus=11,
    papillary=-5,
    chest=-10,
    texture=4,
    anisotropy=6,
    edge=14,
    clutter=-21,
    noise=-27,
    axial=2.6,
    lateral=3.8,
    dynamic_range=40,
    gain=-1,
    nuisance_frame='fixed',
    nuisance_kinds=('shadow',),
    nuisance_strength=1.2,
)
# An apical four-chamber slice, with the finer speckle of 2D echo.
ECHO2D = EchoOptions(
    apex_depth=18,
    tilt=-4,
    ejection_fraction=0.6,
    bulk=2,
    depth=150,
    blood=-19,
    background=-9,
    pericardium=12,
    annulus=9,
    papillary=-7,
    chest=-8,
    texture=4,
    anisotropy=7,
    edge=14,
    clutter=-23,
    noise=-28,
    axial=1.1,
    lateral=1.6,
    looks=3,
    dynamic_range=48,
    gain=-2,
    smoothing=0.6,
    nuisance_frame='fixed',
    nuisance_kinds=('dropout',),
)


def sample_pairs() -> dict[str, EchoPair]:
    """Return the sample pairs by the first part of their file names."""
    return {
        'echo3d': echo_pair(38, 3, (64, 64, 64), options=ECHO3D),
        'echo2d': echo_pair(14, 2, (256, 256), options=ECHO2D),
    }


def sample_arrays(pair: EchoPair) -> dict[str, NDArray[np.uint8]]:
    """Return what is stored of a pair, by the last part of the file name."""
    return {
        'ED': np.round(pair.moving * 255).astype(np.uint8),
        'ES': np.round(pair.fixed * 255).astype(np.uint8),
        'ED_labels': pair.moving_labels,
        'ES_labels': pair.fixed_labels,
    }


def main() -> None:
    """Write the samples."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGED
    folder.mkdir(parents=True, exist_ok=True)
    for name, pair in sample_pairs().items():
        for role, values in sample_arrays(pair).items():
            save_volume(
                folder / f'{name}_{role}.nii.gz',
                values,
                pair.grid,
                labels=role.endswith('labels'),
                description=f'napari-adacs echo phantom, seed {pair.seed}',
            )


if __name__ == '__main__':
    main()
