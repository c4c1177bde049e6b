"""Options that several commands have."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser

IMAGES = 'NIfTI (.nii, .nii.gz) or NumPy (.npy, .npz)'
FRAME = 'frame of a 4D file, from 0'

Verbs = argparse._SubParsersAction  # noqa: SLF001 - has no public name


def add_out(
    parser: ArgumentParser, metavar: str, text: str, required: bool = True
) -> None:
    """Add where to write."""
    parser.add_argument(
        '-o', '--out', required=required, metavar=metavar, help=text
    )


def add_frames(parser: ArgumentParser) -> None:
    """Add which frames of sequences to take."""
    for side in ('moving', 'fixed'):
        parser.add_argument(
            f'--{side}-frame', type=count, metavar='T', help=FRAME
        )


def add_compare(parser: ArgumentParser) -> None:
    """Add which labels to compare."""
    parser.add_argument(
        '--compare',
        type=count,
        nargs='+',
        metavar='LABEL',
        help='labels to compare (default: all; they must be in both)',
    )


def count(text: str) -> int:
    """Return a number, 0 or more."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f'{text} is negative')
    return value
