"""The classical methods that are known.

To add one, write an adapter in a file of its own and a line here.
"""

from __future__ import annotations

from napari_adacs.benchmark.peers.ants_syn import AntsSyn
from napari_adacs.benchmark.peers.base import Peer
from napari_adacs.benchmark.peers.demons import Demons
from napari_adacs.benchmark.peers.elastix import Elastix
from napari_adacs.benchmark.peers.greedy import Greedy

PEERS: dict[str, type[Peer]] = {
    'demons': Demons,
    'greedy': Greedy,
    'ants-syn': AntsSyn,
    'elastix': Elastix,
}


def installed_peers() -> list[str]:
    """Return the names of the methods whose packages are installed."""
    return [name for name, peer in PEERS.items() if peer.installed()]
