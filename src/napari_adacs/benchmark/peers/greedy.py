"""Greedy diffeomorphic registration (Yushkevich, PICSL)."""

from __future__ import annotations

from napari_adacs.benchmark.case import Case
from napari_adacs.benchmark.method import Outcome
from napari_adacs.benchmark.peers.base import Peer
from napari_adacs.benchmark.peers.itk_frame import outcome
from napari_adacs.benchmark.peers.simple_images import simple_image, vectors


class Greedy(Peer):
    """Local normalised correlation, three levels."""

    module = 'picsl_greedy'
    package = 'picsl-greedy'
    licence = 'Apache-2.0'
    settings = '-m NCC 4x4[x4] -n 100x50x25'

    def _displacement(self, case: Case, threads: int) -> Outcome:
        import picsl_greedy

        ndim = case.fixed.grid.ndim
        radius = 'x'.join(['4'] * ndim)
        tool = getattr(picsl_greedy, f'Greedy{ndim}D')()
        limit = f'-threads {threads} ' if threads else ''
        tool.execute(
            f'-i fixed moving -m NCC {radius} -n 100x50x25 {limit}'
            '-o field -V 0',
            fixed=simple_image(case.fixed),
            moving=simple_image(case.moving),
            field=None,
        )
        return outcome(case, vectors(tool['field']))
