"""Training shared between processes, started by ``torchrun``.

Plain `torch.distributed`: torchrun starts the processes and names them in
the environment; what they exchange are gradients, figures and wishes to
stop.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import Parameter

from napari_adacs.errors import InputError

# Making phantom pairs or reading a large folder may take one process a while.
_PATIENCE = timedelta(hours=1)


@dataclass(frozen=True)
class Processes:
    """The processes of a run, seen from one of them.

    Parameters
    ----------
    rank : int, default: 0
        Number of this one; 0 writes the files.
    size : int, default: 1
        How many there are.
    local_rank : int, default: 0
        Number of this one on its machine, which is that of its GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def writes(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    @property
    def together(self) -> bool:
        """Whether there are several, connected to each other."""
        return self.size > 1 and dist.is_initialized()

    def any(self, wish: bool) -> bool:
        """Return whether any process wishes it; all get the same answer."""
        if not self.together:
            return wish
        flag = torch.tensor(float(wish), device=_exchange_device())
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag.item())

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean over processes of equal shares of a batch."""
        if not self.together:
            return values
        total = values.detach().clone()
        dist.all_reduce(total)
        return total / self.size

    def average_gradients(self, parameters: Iterable[Parameter]) -> None:
        """Replace gradients by their mean over processes, in one message."""
        if not self.together:
            return
        found = [p.grad for p in parameters if p.grad is not None]
        if not found:
            return
        flat = torch.cat([g.flatten() for g in found])
        dist.all_reduce(flat)
        flat /= self.size
        parts = torch.split(flat, [g.numel() for g in found])
        for gradient, part in zip(found, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def collect(self, value: Any) -> list[Any]:
        """Return the values of all processes, by rank."""
        if not self.together:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def from_first(self, value: Any) -> Any:
        """Return what the first process has."""
        if not self.together:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]


def _exchange_device() -> torch.device:
    if dist.get_backend() == 'nccl':
        return torch.device('cuda', torch.cuda.current_device())
    return torch.device('cpu')


def named_in_environment() -> Processes:
    """Return what torchrun says about the processes; one without it.

    Raises
    ------
    InputError
        If what it says cannot be read.
    """
    try:
        found = Processes(
            int(os.environ.get('RANK', '0')),
            int(os.environ.get('WORLD_SIZE', '1')),
            int(os.environ.get('LOCAL_RANK', '0')),
        )
    except ValueError as error:
        raise InputError(
            'RANK, WORLD_SIZE or LOCAL_RANK is not a number.',
            'Start several processes with torchrun, or unset them.',
        ) from error
    if not 0 <= found.rank < found.size:
        raise InputError(
            f'RANK {found.rank} and WORLD_SIZE {found.size} do not fit.',
            'Start several processes with torchrun, or unset them.',
        )
    return found


@contextlib.contextmanager
def connected(device: torch.device) -> Iterator[Processes]:
    """Connect with the other processes that torchrun has started.

    Parameters
    ----------
    device : torch.device
        Where this process computes: NCCL on CUDA, else gloo.
    """
    processes = named_in_environment()
    if processes.size == 1 or dist.is_initialized():
        yield processes
        return
    if device.type == 'cuda':
        torch.cuda.set_device(device)
    backend = 'nccl' if device.type == 'cuda' else 'gloo'
    dist.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield processes
    finally:
        dist.destroy_process_group()
