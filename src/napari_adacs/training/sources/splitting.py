"""Dividing patients between training and validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def split_groups(
    groups: Sequence[str], share: float, seed: int
) -> tuple[list[int], list[int]]:
    """Divide indices so that no group is on both sides.

    Parameters
    ----------
    groups : sequence of str
        Group (patient) of each element.
    share : float
        Share of the groups that is held out, in [0, 1); at least one is
        kept on the first side, and at least one held out if `share` is
        positive and there are two.
    seed : int
        Chooses them, whatever the order of the elements.

    Returns
    -------
    kept, held_out : list of int
        Indices, in order.
    """
    names = sorted(set(groups))
    count = round(share * len(names))
    if share > 0:
        count = max(1, count)
    count = min(count, len(names) - 1)
    order = np.random.default_rng(seed).permutation(len(names))
    chosen = {names[int(i)] for i in order[: max(0, count)]}
    held_out = [i for i, g in enumerate(groups) if g in chosen]
    kept = [i for i, g in enumerate(groups) if g not in chosen]
    return kept, held_out
