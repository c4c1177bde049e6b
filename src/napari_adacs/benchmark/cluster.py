"""Tasks on a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from napari_adacs.benchmark.task import Record, Task, perform
from napari_adacs.errors import InputError


class Cluster:
    """A context that does tasks on the workers of a Dask cluster.

    The workers need this package, the same version, and must see the data
    under the same path. Unlike here, all methods share the process of a
    worker; where two of them do not bear each other, run them one by one.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://host:8786``.

    Raises
    ------
    InputError
        If dask.distributed is not installed or nobody answers.
    """

    def __init__(self, address: str) -> None:
        if find_spec('distributed') is None:
            raise InputError(
                'A Dask cluster needs the package distributed.',
                "Install it: pip install 'napari-adacs[benchmark]'.",
            )
        import distributed

        try:
            self._client: Any = distributed.Client(
                address, timeout='10s', set_as_default=False
            )
        except (OSError, ValueError) as error:
            raise InputError(
                f"No Dask scheduler answers at '{address}'.",
                'Check the address, such as tcp://host:8786.',
            ) from error

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def run(self, tasks: Sequence[Task]) -> Iterator[Record]:
        """Yield the record of each task, in the order they finish."""
        from distributed import as_completed

        # Not pure: the same task may be wanted again after a failure.
        futures = {
            self._client.submit(perform, task, pure=False, retries=1): task
            for task in tasks
        }
        for future in as_completed(list(futures), loop=self._client.loop):
            task = futures.pop(future)
            error = future.exception()
            if error is None:
                yield future.result()
            else:
                yield task.record(
                    'failed', f'The cluster gave up: {type(error).__name__}.'
                )
            future.release()
