"""What became of a run whose process ended without saying so."""

from __future__ import annotations

import signal
from pathlib import Path

from napari_adacs.errors import InputError
from napari_adacs.runs.files import CONFIG, OUTPUT
from napari_adacs.runs.process import Life
from napari_adacs.runs.state import State
from napari_adacs.training.config import load_config
from napari_adacs.training.what_fits import what_fits

# Exit codes of Windows: access violation, stack overflow, no memory.
_WINDOWS = {
    0xC0000005: 'it crashed (access violation)',
    0xC00000FD: 'it crashed (stack overflow)',
    0xC0000017: 'the computer ran out of memory',
    0xC000013A: 'it was interrupted',
}
_CRASHES = ('SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP')
_TAIL = 4096


def verdict(folder: Path, life: Life, step: int) -> tuple[State, str]:
    """Return how a run ended that is dead and has not said it.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    life : Life
        A process that is not alive, with its exit code if that is known.
    step : int
        Steps that were done.
    """
    code = life.code
    if code is None:
        return State.STOPPED, (
            f'Its process is gone since step {step}: it was killed, ran out '
            'of memory, or the computer was switched off.'
        )
    if code < 0:
        return _by_signal(folder, -code, step)
    if code in _WINDOWS:
        return State.FAILED, f'At step {step} {_WINDOWS[code]}.'
    last = last_line(folder)
    return State.FAILED, last or (
        f'Its process ended at step {step} with code {code} and no word.'
    )


def _by_signal(folder: Path, number: int, step: int) -> tuple[State, str]:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f'signal {number}'
    if name == 'SIGKILL':
        return State.FAILED, (
            f'It was killed at step {step} (SIGKILL), as the system does '
            f'when memory runs out. {_advice(folder)}'
        )
    if name in _CRASHES:
        return State.FAILED, (
            f'It crashed at step {step} ({name}). The last checkpoint is '
            f'kept; {OUTPUT} may say more.'
        )
    return State.STOPPED, f'It was ended at step {step} ({name}).'


def _advice(folder: Path) -> str:
    try:
        return what_fits(load_config(folder / CONFIG))
    except InputError:
        return "Raise 'optimiser.accumulation', and resume."


def last_line(folder: Path) -> str:
    """Return the last line that a run has printed."""
    try:
        with (folder / OUTPUT).open('rb') as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL))
            text = file.read().decode('utf-8', 'replace')
    except OSError:
        return ''
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix('napari-adacs: ') if lines else ''
