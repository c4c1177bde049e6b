"""``napari-adacs prepare``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from napari_adacs.cli.console import ProgressLine, say
from napari_adacs.io.staging import check_folder


def run(chosen: Namespace) -> int:
    """Turn a download into the pairs of the papers."""
    target = Path(chosen.out).expanduser()
    check_folder(target)
    from napari_adacs.training.preparation.datasets import prepare_dataset

    with ProgressLine() as line:

        def progress(done: int, total: int, patient: str) -> None:
            line(done / total, patient)

        prepared = prepare_dataset(
            chosen.dataset,
            Path(chosen.source).expanduser(),
            target,
            chosen.seed,
            progress,
        )
    for name, reason in prepared.skipped:
        say(f'Skipped {name}: {reason}')
    counts = ', '.join(f'{n} {split}' for split, n in prepared.counts.items())
    say(f'Prepared {sum(prepared.counts.values())} pairs: {counts}')
    say(f'Train with: napari-adacs train {chosen.out} --config RECIPE -o RUN')
    return 0
