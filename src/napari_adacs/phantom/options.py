"""The knobs of the echo phantom, their defaults, ranges and random draw."""

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
    decorrelation: float = _knob(
        0.25, 0, 1, 'part of the speckle redrawn between the frames'
    )
    # Tissue
    blood: float = _knob(-13, -60, 0, 'blood, dB')
    background: float = _knob(-5, -40, 10, 'tissue around the heart, dB')
    pericardium: float = _knob(9, -10, 30, 'pericardium, dB')
    annulus: float = _knob(9, -10, 30, 'mitral annulus, dB')
    texture: float = _knob(3, 0, 10, 'slow echogenicity variation, dB')
    anisotropy: float = _knob(
        5, 0, 20, 'loss of walls parallel to the beam, dB'
    )
    attenuation: float = _knob(3, -15, 30, 'loss at full depth, dB')
    clutter: float = _knob(-18, -60, 0, 'stationary haze, dB')
    noise: float = _knob(-28, -80, 0, 'electronic noise at full depth, dB')
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


def random_options(rng: np.random.Generator, ndim: int) -> EchoOptions:
    """Draw options over the variety of real studies.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all randomness.
    ndim : {2, 3}
        Dimension of the phantom; 3D echo has coarser speckle and less
        contrast than 2D echo.

    Returns
    -------
    EchoOptions
        Options with a nuisance of one or two kinds in one random frame, in
        both or (one time in four) in none.
    """
    if ndim not in (2, 3):
        raise InputError(f'The phantom is 2D or 3D, not {ndim}D.')
    values = {
        **_random_anatomy(rng),
        **_random_placement(rng, ndim),
        **_random_motion(rng),
        **_random_sector(rng, ndim),
        **_random_look(rng, ndim),
    }
    kinds = rng.permutation(len(NUISANCE_KINDS))[: rng.integers(1, 3)]
    frames: tuple[Frame, ...] = ('moving', 'fixed', 'both', 'none')
    return EchoOptions(
        **values,
        nuisance_frame=frames[int(rng.integers(4))],
        nuisance_kinds=tuple(NUISANCE_KINDS[int(k)] for k in kinds),
        nuisance_strength=float(rng.uniform(0.5, 1.5)),
    )


def _clipped(
    rng: np.random.Generator, mean: float, sd: float, low: float, high: float
) -> float:
    """Draw from a normal distribution cut to [low, high]."""
    return float(np.clip(rng.normal(mean, sd), low, high))


def _random_anatomy(rng: np.random.Generator) -> dict[str, Any]:
    long_axis = _clipped(rng, 84, 10, 60, 112)
    ratio = _clipped(rng, 0.56, 0.08, 0.42, 0.78)
    return {
        'long_axis': long_axis,
        'short_axis': float(np.clip(long_axis * ratio, 32, 72)),
        'ellipticity': _clipped(rng, 1.0, 0.08, 0.82, 1.2),
        'wall': _clipped(rng, 9.5, 1.8, 6, 14),
        'base_fraction': float(rng.uniform(0.12, 0.38)),
        'bend': _clipped(rng, 0, 2.5, -6, 6),
        'lumpiness': float(rng.uniform(0, 1.8)),
        'atrium': float(rng.uniform(28, 62)),
    }


def _random_placement(rng: np.random.Generator, ndim: int) -> dict[str, Any]:
    tilt = 14 if ndim == 3 else 9
    roll = rng.uniform(-180, 180) if ndim == 3 else 0.0
    if ndim == 2 and rng.random() < 0.15:
        roll = 180.0
    return {
        'apex_depth': _clipped(rng, 20, 9, -4, 45),
        'shift_x': _clipped(rng, 0, 7, -20, 20),
        'shift_z': _clipped(rng, 0, 7, -20, 20),
        'tilt': _clipped(rng, 0, tilt, -32, 32),
        'tilt_z': _clipped(rng, 0, tilt, -32, 32),
        'roll': float(roll),
    }


def _random_motion(rng: np.random.Generator) -> dict[str, Any]:
    ef = _clipped(rng, 0.53, 0.14, 0.25, 0.75)
    return {
        'ejection_fraction': ef,
        'shortening': ef * float(rng.uniform(0.18, 0.36)),
        'apex_share': float(rng.uniform(0, 0.4)),
        'twist': _clipped(rng, 10, 6, -5, 24),
        'bulk': float(rng.uniform(0, 4)),
        'irregularity': float(rng.uniform(0, 1.4)),
    }


def _random_sector(rng: np.random.Generator, ndim: int) -> dict[str, Any]:
    angle = float(rng.uniform(58, 92))
    return {
        'angle': angle,
        'angle_z': float(np.clip(angle + rng.normal(0, 6), 50, 95)),
        'depth': float(
            rng.uniform(115, 165) if ndim == 3 else rng.uniform(120, 195)
        ),
        'near': float(rng.uniform(1, 9)),
    }


def _random_look(rng: np.random.Generator, ndim: int) -> dict[str, Any]:
    volume = ndim == 3
    return {
        'scatterers': float(np.exp(rng.uniform(np.log(2.5), np.log(12)))),
        'axial': float(
            rng.uniform(1.8, 5.0) if volume else rng.uniform(0.8, 2.6)
        ),
        'lateral': float(
            rng.uniform(2.6, 6.5) if volume else rng.uniform(1.2, 3.6)
        ),
        'focus': float(rng.uniform(0.3, 0.8)),
        'defocus': float(rng.uniform(0, 1)),
        'decorrelation': float(rng.uniform(0.05, 0.9)),
        'blood': float(
            rng.uniform(-22, -6) if volume else rng.uniform(-30, -10)
        ),
        'background': float(rng.uniform(-12, 2)),
        'pericardium': float(rng.uniform(2, 14)),
        'annulus': float(rng.uniform(0, 14)),
        'texture': float(rng.uniform(1, 5)),
        'anisotropy': float(rng.uniform(0, 9)),
        'attenuation': float(rng.uniform(-4, 9)),
        'clutter': float(rng.uniform(-32, -9)),
        'noise': float(rng.uniform(-40, -16)),
        'dynamic_range': float(rng.uniform(40, 66)),
        'gain': float(rng.uniform(-9, 5)),
        'gamma': float(np.exp(rng.uniform(np.log(0.75), np.log(1.35)))),
        'smoothing': float(rng.uniform(0, 0.9)),
    }
