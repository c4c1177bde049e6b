"""The knobs of the echo phantom, their defaults and their ranges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

import numpy as np

from napari_adacs.errors import InputError

Frame = Literal['moving', 'fixed', 'both', 'none']
NuisanceKind = Literal['shadow', 'dropout', 'gain', 'haze']

NUISANCE_KINDS: tuple[NuisanceKind, ...] = get_args(NuisanceKind)
FRAMES: tuple[Frame, ...] = get_args(Frame)


def _knob(default: float, low: float, high: float, text: str) -> Any:
    """Return a dataclass field that knows its range and its meaning."""
    return field(
        default=default, metadata={'range': (low, high), 'text': text}
    )


@dataclass(frozen=True)
class EchoOptions:
    """Every knob of the echo phantom.

    Lengths are millimetres, angles degrees, levels decibel relative to the
    myocardium. The defaults describe a clear adult 3D apical view; the text
    and the range of each knob are in its field metadata (``'text'``,
    ``'range'``) and in ``docs/phantom.md``.

    Raises
    ------
    InputError
        If a value is not finite or outside its range.
    """

    # Anatomy at end-diastole
    long_axis: float = _knob(85, 40, 130, 'cavity, apex to mitral plane, mm')
    short_axis: float = _knob(46, 20, 85, 'cavity diameter at equator, mm')
    ellipticity: float = _knob(1.0, 0.75, 1.3, 'ratio of the two diameters')
    wall: float = _knob(9.5, 4, 18, 'myocardial thickness, mm')
    base_fraction: float = _knob(
        0.25, 0.05, 0.45, 'part of the long axis between equator and base'
    )
    bend: float = _knob(0, -8, 8, 'sideways bend of the long axis, mm')
    lumpiness: float = _knob(0.8, 0, 4, 'irregularity of the walls, mm')
    atrium: float = _knob(45, 15, 80, 'left atrium length, mm')
    # Placement in front of the probe
    apex_depth: float = _knob(20, -15, 90, 'depth of the cavity apex, mm')
    shift_x: float = _knob(0, -60, 60, 'lateral offset of the apex, mm')
    shift_z: float = _knob(0, -60, 60, 'elevational offset (3D), mm')
    tilt: float = _knob(0, -60, 60, 'long axis against the beam axis, deg')
    tilt_z: float = _knob(0, -60, 60, 'the same in elevation (3D), deg')
    roll: float = _knob(
        0, -180, 180, 'rotation about the long axis, deg; 0: right heart left'
    )
    # Motion from end-diastole to end-systole
    ejection_fraction: float = _knob(0.6, 0.1, 0.8, '1 - ESV / EDV')
    shortening: float = _knob(
        0.16, 0.0, 0.3, 'relative shortening of the long axis'
    )
    apex_share: float = _knob(
        0.2, 0, 1, 'part of the shortening done by the moving apex'
    )
    twist: float = _knob(12, -20, 30, 'rotation of apex against base, deg')
    bulk: float = _knob(1.5, 0, 10, 'translation of the whole heart, mm')
    irregularity: float = _knob(0.6, 0, 4, 'random extra motion, mm')
    # Sector
    angle: float = _knob(76, 30, 120, 'lateral opening angle, deg')
    angle_z: float = _knob(76, 20, 120, 'elevational opening angle, deg')
    depth: float | None = field(
        default=None,
        metadata={
            'range': (30.0, 300.0),
            'text': 'range of the deepest echo, mm; None: fits the grid',
        },
    )
    near: float = _knob(4, 0, 20, 'range of the first echo, mm')
    # Speckle
    scatterers: float = _knob(6, 0.5, 40, 'scatterers per resolution cell')
    axial: float = _knob(3.2, 0.4, 10, 'pulse length (FWHM), mm')
    lateral: float = _knob(4.5, 0.5, 15, 'beam width (FWHM), deg')
    focus: float = _knob(0.55, 0, 1, 'focal range as a part of the depth')
    defocus: float = _knob(
        0.5, 0, 2, 'relative widening of the beam away from the focus'
    )
    looks: float = _knob(
        1, 1, 8, 'independent speckle patterns averaged (compounding)'
    )
    decorrelation: float = _knob(
        0.25, 0, 1, 'part of the speckle redrawn between the frames'
    )
    # Tissue
    blood: float = _knob(-13, -60, 0, 'blood, dB')
    background: float = _knob(-5, -40, 10, 'tissue around the heart, dB')
    pericardium: float = _knob(9, -10, 30, 'pericardium, dB')
    annulus: float = _knob(9, -10, 30, 'mitral annulus, dB')
    chest: float = _knob(-4, -40, 15, 'chest wall under the probe, dB')
    papillary: float = _knob(-4, -60, 10, 'papillary muscles, dB')
    texture: float = _knob(3, 0, 10, 'slow echogenicity variation, dB')
    anisotropy: float = _knob(
        5, 0, 20, 'loss of walls parallel to the beam, dB'
    )
    attenuation: float = _knob(3, -15, 30, 'loss at full depth, dB')
    edge: float = _knob(6, 0, 40, 'loss at the sides of the sector, dB')
    unevenness: float = _knob(
        2, 0, 8, 'uneven gain over the sector, dB (standard deviation)'
    )
    clutter: float = _knob(-22, -60, 0, 'stationary haze, dB')
    noise: float = _knob(-32, -80, 0, 'electronic noise at full depth, dB')
    # Display
    dynamic_range: float = _knob(52, 20, 100, 'black to white, dB')
    gain: float = _knob(0, -25, 25, 'dB; at 0 the myocardium is mid-grey')
    gamma: float = _knob(1.0, 0.4, 2.5, 'exponent of the grey map')
    smoothing: float = _knob(0.5, 0, 3, 'display smoothing, voxels (sigma)')
    # Nuisance
    nuisance_frame: Frame = 'fixed'
    nuisance_kinds: tuple[NuisanceKind, ...] = NUISANCE_KINDS
    nuisance_strength: float = _knob(
        1.0, 0, 2, 'scales the loss in dB of every nuisance'
    )

    def __post_init__(self) -> None:
        for knob in fields(self):
            if 'range' in knob.metadata:
                _check_range(
                    knob.name, getattr(self, knob.name), knob.metadata
                )
        if self.nuisance_frame not in FRAMES:
            raise InputError(
                f'Unknown nuisance frame {self.nuisance_frame!r}.',
                f'Choose one of {", ".join(FRAMES)}.',
            )
        kinds = tuple(self.nuisance_kinds)
        unknown = [k for k in kinds if k not in NUISANCE_KINDS]
        if isinstance(self.nuisance_kinds, str) or unknown:
            raise InputError(
                f'Unknown nuisance kinds {self.nuisance_kinds!r}.',
                f'Give a tuple of {", ".join(NUISANCE_KINDS)}.',
            )
        object.__setattr__(self, 'nuisance_kinds', kinds)


def _check_range(name: str, value: object, meta: Mapping[str, Any]) -> None:
    """Raise a readable error for a value outside the documented range."""
    if value is None and name == 'depth':
        return
    low, high = meta['range']
    number = isinstance(value, (int, float, np.integer, np.floating))
    if (
        not number
        or isinstance(value, bool)
        or not math.isfinite(float(value))  # type: ignore[arg-type]
        or not low <= float(value) <= high  # type: ignore[arg-type]
    ):
        raise InputError(
            f'Phantom option {name} ({meta["text"]}) is {value!r}.',
            f'Choose a number from {low:g} to {high:g}.',
        )
