"""Pairs of synthetic echocardiograms with a known displacement.

The model and its figures beside real echo are in ``docs/phantom.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.phantom import gain
from napari_adacs.phantom.anatomy import (
    MYOCARDIUM,
    Heart,
    labels,
    make_heart,
)
from napari_adacs.phantom.beam import Beam, Complex, make_beam, white
from napari_adacs.phantom.flow import Flow, integrate
from napari_adacs.phantom.motion import make_motion
from napari_adacs.phantom.nuisance import draw_nuisance, visible
from napari_adacs.phantom.options import EchoOptions
from napari_adacs.phantom.sector import Sector, make_sector
from napari_adacs.phantom.speckle import Scatterers, display, echo
from napari_adacs.phantom.tissue import Tissue
from napari_adacs.phantom.variety import random_options
from napari_adacs.spatial.grid import Grid

__all__ = ['EchoOptions', 'EchoPair', 'echo_pair', 'random_options']

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

_SHAPES = {2: (128, 128), 3: (64, 64, 64)}
_NODE_STEP = {2: 2.0, 3: 4.5}  # mm between nodes of the motion grid


@dataclass(frozen=True, eq=False)
class EchoPair:
    """An end-diastolic (moving) and an end-systolic (fixed) frame.

    Array axes are (z, y, x) or (y, x); y is the depth, so the probe and the
    apex of the heart are at the top of a napari view. World coordinates are
    LPS millimetres with the probe at the origin.

    Parameters
    ----------
    moving, fixed : (*shape) numpy.ndarray of float32
        Grey values in [0, 1]; exactly 0 outside the sector.
    moving_labels, fixed_labels : (*shape) numpy.ndarray of uint8
        1 left-ventricular cavity, 2 myocardium, 3 left atrium. They are
        anatomy: they may reach out of the sector.
    displacement : (ndim, *shape) numpy.ndarray of float32
        Pull-back in voxels of the fixed grid, component order = axis order:
        fixed anatomy at x comes from moving anatomy at x + u(x).
    moving_nuisance, fixed_nuisance : (*shape) numpy.ndarray of bool
        Where nuisance visibly changes that frame: the absolute difference
        of the frame with and without nuisance, smoothed over 1.5 voxels,
        exceeds 0.08 inside the sector.
    sector : (*shape) numpy.ndarray of bool
        The imaged region, the same in both frames.
    grid : Grid
        The voxel grid of both frames in mm.
    seed : int
        The seed that makes this pair again, bit for bit.
    options : EchoOptions
        The options used (drawn ones included).
    """

    moving: Array
    fixed: Array
    moving_labels: NDArray[np.uint8]
    fixed_labels: NDArray[np.uint8]
    displacement: Array
    moving_nuisance: Mask
    fixed_nuisance: Mask
    sector: Mask
    grid: Grid
    seed: int
    options: EchoOptions


def echo_pair(
    seed: int,
    ndim: int = 3,
    shape: Sequence[int] | None = None,
    spacing: float | Sequence[float] | None = None,
    options: EchoOptions | None = None,
) -> EchoPair:
    """Make an end-diastolic / end-systolic pair of echo frames.

    Parameters
    ----------
    seed : int
        Not negative. Equal arguments give equal bits.
    ndim : {2, 3}, default: 3
        An apical long-axis slice or a volume.
    shape : sequence of int, optional
        Voxels along (z, y, x) or (y, x); (64, 64, 64) or (128, 128).
    spacing : float or sequence of float, optional
        Voxel size in mm in the same order; by default the grid fits the
        sector.
    options : EchoOptions, optional
        By default drawn from the seed by `random_options`; the depth then
        fits `spacing` if that is given.

    Returns
    -------
    EchoPair
        Frames, labels, displacement and nuisance masks.

    Raises
    ------
    InputError
        If an argument is out of range.
    """
    ndim, size, steps = _checked(seed, ndim, shape, spacing)
    streams = np.random.SeedSequence(seed).spawn(5)
    drawing, growing, moving, filling, disturbing = (
        np.random.default_rng(s) for s in streams
    )
    if options is None:
        options = random_options(drawing, ndim)
        if steps is not None:
            options = replace(options, depth=None)
    sector = make_sector(ndim, size, steps, options)
    heart = make_heart(growing, options, ndim)
    tissue = Tissue.draw(growing, heart)
    flow = _flow(moving, heart, sector)
    scene = _Scene(sector, heart, tissue, flow)
    beam = make_beam(sector, options)
    signals = _signals(filling, scene, beam)
    anatomy = (scene.moving_labels, scene.fixed_labels)
    (first, first_mask), (second, second_mask) = (
        _frame(disturbing, scene, beam, signal, where, frame)
        for frame, signal, where in zip(
            ('moving', 'fixed'), signals, anatomy, strict=True
        )
    )
    return EchoPair(
        moving=first,
        fixed=second,
        moving_nuisance=first_mask,
        fixed_nuisance=second_mask,
        moving_labels=scene.moving_labels,
        fixed_labels=scene.fixed_labels,
        displacement=scene.displacement,
        sector=sector.mask,
        grid=sector.grid,
        seed=int(seed),
        options=options,
    )


@dataclass(frozen=True, eq=False)
class _Scene:
    """Anatomy and motion on one voxel grid."""

    sector: Sector
    heart: Heart
    tissue: Tissue
    flow: Flow

    @cached_property
    def millimetres(self) -> Array:
        """Pull-back displacement (ndim, *shape) in mm."""
        return self.flow.at(
            self.sector.positions, self.flow.pull_back, order=3
        )

    @property
    def displacement(self) -> Array:
        """Pull-back displacement (ndim, *shape) in voxels."""
        size = np.array(self.sector.spacing, np.float32)
        voxels: Array = self.millimetres / size.reshape(
            (-1,) + (1,) * self.sector.ndim
        )
        return voxels

    @cached_property
    def moving_labels(self) -> NDArray[np.uint8]:
        """Labels at end-diastole."""
        return labels(self.heart, self.sector.positions)

    @cached_property
    def fixed_labels(self) -> NDArray[np.uint8]:
        """Labels at end-systole."""
        return labels(self.heart, self.sector.positions + self.millimetres)


def _flow(rng: np.random.Generator, heart: Heart, sector: Sector) -> Flow:
    """Integrate the heart's motion around the voxel grid."""
    low = np.array(sector.first, np.float32)
    extent = (np.array(sector.shape) - 1) * np.array(sector.spacing)
    high = low + extent.astype(np.float32)
    return integrate(
        make_motion(rng, heart), low, high, _NODE_STEP[sector.ndim]
    )


def _signals(
    rng: np.random.Generator, scene: _Scene, beam: Beam
) -> list[tuple[Complex, Complex]]:
    """Return (tissue, noise) signals of both frames on the beam grid."""
    o = beam.options
    scatterers = Scatterers.draw(rng, beam)
    power, blood = scene.tissue.scattering(scatterers.positions)
    strength = np.sqrt(power)
    kept = np.where(blood, 0, 1 - np.float32(o.decorrelation))
    kept = kept.astype(np.float32)
    fresh = white(rng, scatterers.amplitudes.shape)
    later = kept * scatterers.amplitudes + np.sqrt(1 - kept**2) * fresh
    moved = scatterers.positions + scene.flow.at(
        scatterers.positions, scene.flow.forward, order=3
    )
    haze = gain.clutter(beam) * beam.noise(rng)
    signals = []
    for positions, amplitudes, factor in zip(
        (scatterers.positions, moved),
        (scatterers.amplitudes, later),
        gain.transmissions(rng, beam),
        strict=True,
    ):
        signal = factor * echo(beam, positions, strength * amplitudes)
        added = haze + gain.noise(beam) * beam.noise(rng)
        signals.append((signal, added))
    return signals


def _frame(
    rng: np.random.Generator,
    scene: _Scene,
    beam: Beam,
    signals: tuple[Complex, Complex],
    where: NDArray[np.uint8],
    frame: str,
) -> tuple[Array, Mask]:
    """Return one displayed frame and its nuisance mask."""
    tissue, added = signals
    sector = scene.sector
    clean = display(beam, sector, tissue + added)
    if beam.options.nuisance_frame not in (frame, 'both'):
        return clean, np.zeros(clean.shape, bool)
    walls = sector.beam_positions[:, sector.mask & (where == MYOCARDIUM)]
    bad = draw_nuisance(rng, beam, walls, beam.options)
    haze = np.sqrt(bad.haze) * beam.noise(rng)
    factor = 10 ** (bad.gain / np.float32(20))
    image = display(beam, sector, factor * tissue + added + haze)
    return image, visible(image, clean, sector.mask)


def _checked(
    seed: int,
    ndim: int,
    shape: Sequence[int] | None,
    spacing: float | Sequence[float] | None,
) -> tuple[int, tuple[int, ...], tuple[float, ...] | None]:
    """Return validated (ndim, shape, spacing)."""
    if ndim not in (2, 3):
        raise InputError(f'The phantom is 2D or 3D, not {ndim}D.')
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise InputError(f'The seed must be an integer, not {seed!r}.')
    if seed < 0:
        raise InputError(f'The seed must not be negative, not {seed}.')
    size = _SHAPES[ndim] if shape is None else tuple(int(n) for n in shape)
    if len(size) != ndim or min(size) < 8:
        raise InputError(
            f'The shape {size} does not fit a {ndim}D phantom.',
            f'Give {ndim} numbers of at least 8 voxels.',
        )
    if spacing is None:
        return ndim, size, None
    return ndim, size, Grid.from_spacing(size, spacing).spacing
