"""Windows of token grids: any grid, any window."""

from __future__ import annotations

import itertools

import pytest
import torch

from napari_adacs.networks.swin_block import SwinBlock
from napari_adacs.networks.windows import (
    crop_grid,
    pad_grid,
    padded_grid,
    partition,
    relative_position_index,
    shift_mask,
    unite,
)

CASES = [((6, 10), (4, 3)), ((5, 4, 7), (2, 3, 2)), ((8, 8), (8, 8))]


@pytest.mark.parametrize(('grid', 'window'), CASES)
def test_partition_is_undone_exactly(grid, window):
    tokens = torch.randn(2, *grid, 3)
    padded = pad_grid(tokens, window)
    windows = partition(padded, window)
    united = unite(windows, window, padded.shape[1:-1])
    torch.testing.assert_close(united, padded, rtol=0, atol=0)
    cropped = crop_grid(united, grid)
    torch.testing.assert_close(cropped, tokens, rtol=0, atol=0)


def test_padding_goes_to_the_end_of_the_axis_that_needs_it():
    padded = pad_grid(torch.ones(1, 6, 8, 1), (4, 8))
    assert padded.shape == (1, 8, 8, 1)
    assert padded[0, :6].min() == 1
    assert padded[0, 6:].max() == 0


def test_windows_hold_neighbouring_tokens():
    grid = torch.arange(24).reshape(1, 4, 6, 1)
    windows = partition(grid, (2, 3)).squeeze(-1)
    assert windows[1].tolist() == [3, 4, 5, 9, 10, 11]
    assert windows[2].tolist() == [12, 13, 14, 18, 19, 20]


@pytest.mark.parametrize('window', [(2, 3), (2, 3, 4)])
def test_relative_positions_tell_offsets_apart(window):
    index = relative_position_index(window)
    places = list(itertools.product(*(range(w) for w in window)))
    offset_of = {}
    for (i, p), (j, q) in itertools.product(enumerate(places), repeat=2):
        offset = tuple(a - b for a, b in zip(p, q, strict=True))
        assert offset_of.setdefault(int(index[i, j]), offset) == offset
    lowest = tuple(1 - w for w in window)
    assert offset_of[0] == lowest
    assert offset_of[1] == (*lowest[:-1], lowest[-1] + 1)


def expected_attention(block, tokens, shift):
    """Return the attention of a block, one token after the other."""
    attention, window, grid = block.attn, block.window, tokens.shape[1:-1]
    whole = [-(-n // w) * w for n, w in zip(grid, window, strict=True)]
    every = list(itertools.product(*(range(n) for n in whole)))
    table = attention.relative_position_bias_table
    dim = tokens.shape[-1]

    def token(place):
        inside = all(p < n for p, n in zip(place, grid, strict=True))
        return tokens[(0, *place)] if inside else torch.zeros(dim).double()

    def group(place):
        # Window after the shift, and which part of a wrapped one.
        moved = [
            (p - s) % n for p, s, n in zip(place, shift, whole, strict=True)
        ]
        wrapped = [p < s for p, s in zip(place, shift, strict=True)]
        return [m // w for m, w in zip(moved, window, strict=True)], wrapped

    def row(place, other):
        index = 0
        for p, q, w in zip(place, other, window, strict=True):
            index = index * (2 * w - 1) + p - q + w - 1
        return index

    qkv = torch.stack([attention.qkv(token(p)) for p in every])
    qkv = qkv.view(len(every), 3, attention.heads, -1)
    out = torch.zeros_like(tokens)
    for i, place in enumerate(every):
        if not all(p < n for p, n in zip(place, grid, strict=True)):
            continue
        near = [j for j, q in enumerate(every) if group(q) == group(place)]
        logits = torch.einsum('hc,nhc->nh', qkv[i, 0], qkv[near, 1])
        logits = logits / qkv.shape[-1] ** 0.5
        logits = logits + table[[row(place, every[j]) for j in near]]
        chosen = torch.softmax(logits, 0)
        mixed = torch.einsum('nh,nhc->hc', chosen, qkv[near, 2])
        out[(0, *place)] = attention.proj(mixed.flatten())
    return out


@pytest.mark.parametrize('shifted', [False, True])
@pytest.mark.parametrize(
    ('grid', 'window'),
    [((6, 4), (4, 2)), ((3, 7), (3, 4)), ((3, 4, 2), (2, 2, 2))],
)
def test_attention_of_a_grid_that_is_not_square(grid, window, shifted):
    torch.manual_seed(0)
    shift = tuple(w // 2 if shifted else 0 for w in window)
    block = SwinBlock(8, 2, window, shift, 0.0).double().eval()
    with torch.no_grad():
        block.attn.relative_position_bias_table.normal_()
        tokens = torch.randn(1, *grid, 8).double()
        mask = shift_mask(padded_grid(grid, window), window, shift, tokens)
        found = block.attend(tokens, mask)
        wanted = expected_attention(block, tokens, shift)
    torch.testing.assert_close(found, wanted)
