"""Whether the process of a run is alive, also seen from another session."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

# Start times are counted from a boot time that may be corrected by seconds.
_SAME_START = 2.0
# What a process elsewhere may be silent for, such as a long validation.
_SILENCE = 900.0
# What a process needs to say who it is.
_BIRTH = 120.0

# Processes that this session has started: their exit codes are known.
_children: dict[Path, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class ProcessId:
    """A process, told apart from a later one with the same number.

    Parameters
    ----------
    pid : int
        Its number.
    started : float
        When it started, in seconds since 1970.
    host : str
        The computer it runs on.
    """

    pid: int
    started: float
    host: str

    @classmethod
    def own(cls) -> ProcessId:
        """Return this process."""
        mine = psutil.Process()
        return cls(mine.pid, mine.create_time(), platform.node())

    @classmethod
    def read(cls, values: dict[str, Any]) -> ProcessId | None:
        """Return the process that a status names, if it does."""
        try:
            return cls(
                int(values['pid']),
                float(values['started']),
                str(values['host']),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {'pid': self.pid, 'started': self.started, 'host': self.host}

    def alive(self, folder: Path, written: float) -> bool:
        """Return whether it still runs.

        Parameters
        ----------
        folder : Path
            Folder of the run, which its command names.
        written : float
            When it last wrote; all there is to know of another computer.
        """
        if self.host != platform.node():
            return time.time() - written < _SILENCE
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            if abs(process.create_time() - self.started) < _SAME_START:
                return True
            # The clock was set: the command tells who it is.
            return str(folder) in process.cmdline()
        except psutil.AccessDenied:
            return False  # of somebody else: a later one with that number
        except psutil.Error:
            return False


def remember(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Keep a process that this session has started."""
    _children[folder] = process


@dataclass(frozen=True)
class Life:
    """Whether a run's process lives.

    Parameters
    ----------
    alive : bool
        Whether it does.
    code : int or None
        Its exit code, where this session has started it and it ended.
    """

    alive: bool
    code: int | None = None


def life_of(folder: Path, status: dict[str, Any]) -> Life:
    """Return whether the process of a run lives.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    status : dict
        Content of its status file, read after nothing else.
    """
    named = ProcessId.read(status)
    written = float(status.get('written', 0.0))
    child = _children.get(folder)
    if child is None:
        if named is None:
            return Life(time.time() - written < _BIRTH)
        return Life(named.alive(folder, written))
    code = child.poll()
    if code is None:
        return Life(True)
    # Windows starts Python by another process, with another number.
    own = named is None or named.pid == child.pid or os.name == 'nt'
    if named is not None and named.alive(folder, written):
        return Life(True)  # of another session, which has resumed the run
    return Life(False, code if own else None)


def end_process(folder: Path, status: dict[str, Any]) -> None:
    """End the process of a run at once, if it lives here."""
    child = _children.get(folder)
    if child is not None and child.poll() is None:
        child.kill()
        child.wait(10)
        return
    named = ProcessId.read(status)
    here = named is not None and named.host == platform.node()
    if named is None or not here or not life_of(folder, status).alive:
        return
    try:
        process = psutil.Process(named.pid)
        process.kill()
        process.wait(10)
    except psutil.Error:
        return
