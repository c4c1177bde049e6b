"""Random numbers that depend on a place in the run and on nothing else.

Every random number of training is drawn from a generator made for its
place: seed, step, position in the batch. A run that is resumed, divided
into parts or shared between processes therefore draws the same numbers as
one that is not.
"""

from __future__ import annotations

import hashlib

from torch import Generator


def seed_of(*place: int | str) -> int:
    """Return a seed for a place, in [0, 2^63)."""
    digest = hashlib.blake2b(repr(place).encode(), digest_size=8).digest()
    return int.from_bytes(digest, 'little') >> 1


def generator(*place: int | str) -> Generator:
    """Return a generator for a place.

    Parameters
    ----------
    *place : int or str
        Such as the seed of the run, what is drawn, and the step.
    """
    return Generator().manual_seed(seed_of(*place))
