"""What the text of the networks says is what is registered."""

from __future__ import annotations

from napari_adacs.networks.described import described_networks
from napari_adacs.networks.registry import DISPLACEMENT


def test_every_network_is_described() -> None:
    assert [n.name for n in described_networks()] == list(DISPLACEMENT)
    assert all(len(n.summary) > 5 for n in described_networks())
