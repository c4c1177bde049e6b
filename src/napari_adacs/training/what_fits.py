"""What to change when a run does not fit into memory (no torch)."""

from __future__ import annotations

from collections.abc import Iterator

from napari_adacs.training.config import TrainConfig

# Every network divides its grid by this at most.
_MULTIPLE = 16
_SMALLER = 0.75


def what_fits(config: TrainConfig, on_gpu: bool = False) -> str:
    """Return advice for a run that ran out of memory.

    Parameters
    ----------
    config : TrainConfig
        What did not fit.
    on_gpu : bool, default: False
        Whether layers in half precision save memory there.

    Returns
    -------
    str
        One sentence, with numbers, what changes least first.
    """
    ways = list(_ways(config, on_gpu))
    text = '; if that is not enough, '.join(ways[:2])
    return f'{text[:1].upper()}{text[1:]}, and resume.'


def _ways(config: TrainConfig, on_gpu: bool) -> Iterator[str]:
    parts = more_parts(config)
    if parts:
        size = config.batch_size // parts
        pairs = f'{size} pairs' if size > 1 else 'one pair'
        yield (
            f"set 'optimiser.accumulation' to {parts} ({pairs} at a time, "
            'same result)'
        )
    if on_gpu and config.optimiser.precision == 'float32':
        yield "set 'optimiser.precision' to 'bfloat16'"
    shape = [
        max(_MULTIPLE, int(n * _SMALLER) // _MULTIPLE * _MULTIPLE)
        for n in config.shape
    ]
    yield f"lower 'shape' to {shape} in a new run"


def more_parts(config: TrainConfig) -> int:
    """Return the next number of parts for a batch; 0 if there is none."""
    size, parts = config.batch_size, config.optimiser.accumulation
    return next((n for n in range(parts + 1, size + 1) if size % n == 0), 0)
