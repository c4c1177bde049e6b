"""Fetching files from the Hugging Face hub, when a person asks for them."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from napari_adacs.errors import CancelledError, ModelError

Progress = Callable[[float, str], None]
Cancelled = Callable[[], bool]

_USUAL_ENDPOINT = 'https://huggingface.co'
_TRUE = {'1', 'ON', 'YES', 'TRUE'}
_SHA256 = re.compile(r'[0-9a-f]{64}$')
_BLOCK = 1 << 20
_SECONDS = 10.0
_STORAGE = (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT)


def fetch(
    repository: str,
    file: str,
    revision: str = 'main',
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Path:
    """Return the local copy of a file on the hub; download it if need be.

    The cache is that of every program that uses the hub (HF_HOME), and so are
    its settings: HF_ENDPOINT, HF_HUB_OFFLINE, HF_TOKEN. A connection that
    breaks is taken up again, at the last 10 MB that had arrived. What arrives
    is compared with the checksum that the hub states.

    Parameters
    ----------
    repository, file, revision : str
        What to fetch.
    progress : callable, optional
        Called with (fraction, message).
    cancelled : callable, optional
        Returns True to stop.

    Raises
    ------
    ModelError
        If it cannot be fetched: no connection, no such file, no access, or
        other bytes than announced.
    CancelledError
        If `cancelled` said so. Nothing is left behind.
    """
    from huggingface_hub import hf_hub_download

    name = file.rsplit('/', 1)[-1]
    where: dict[str, Any] = {
        'repo_id': repository,
        'filename': file,
        'revision': revision,
        'cache_dir': os.environ.get('HF_HUB_CACHE'),
    }
    if _is_set('HF_HUB_OFFLINE'):
        return _cached(where) or _fail(_forbidden(name))
    try:
        checksum = _announced(repository, file, revision)
    except ModelError as error:
        if isinstance(error, _UnreachableError) and (found := _cached(where)):
            return found
        raise
    try:
        path = Path(
            hf_hub_download(
                **where,
                endpoint=os.environ.get('HF_ENDPOINT'),
                library_name='napari-adacs',
                tqdm_class=_meter(name, progress, cancelled),
            )
        )
    except CancelledError:
        raise
    # What the client raises depends on its version and its transport.
    except Exception as error:  # noqa: BLE001
        raise _explained(repository, file, error) from error
    _verify(path, name, checksum)
    return path


class _UnreachableError(ModelError):
    """There is no connection to the hub."""


def _fail(error: ModelError) -> Path:
    raise error


def _cached(where: dict[str, Any]) -> Path | None:
    """Return the file if it was downloaded before."""
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(**where, local_files_only=True))
    except (OSError, ValueError):
        return None


def _announced(repository: str, file: str, revision: str) -> str:
    """Ask the hub once for the checksum of a file; '' if it has none.

    The download itself would ask five times, with pauses, before it says
    that there is no connection.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    endpoint = os.environ.get('HF_ENDPOINT')
    try:
        url = hf_hub_url(
            repository, file, revision=revision, endpoint=endpoint
        )
        found = get_hf_file_metadata(url, timeout=_SECONDS, endpoint=endpoint)
    except Exception as error:  # noqa: BLE001  as in `fetch`
        raise _explained(repository, file, error) from error
    etag = found.etag or ''
    return etag if _SHA256.fullmatch(etag) else ''


def endpoint_host() -> str:
    """Return the host that files come from."""
    endpoint = os.environ.get('HF_ENDPOINT') or _USUAL_ENDPOINT
    return urlsplit(endpoint).netloc or endpoint


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, '').upper() in _TRUE


def _meter(
    name: str, progress: Progress | None, cancelled: Cancelled | None
) -> Any:
    """Return what the client takes for a progress bar."""
    from tqdm.auto import tqdm  # type: ignore[import-untyped,unused-ignore]

    class Meter(tqdm):  # type: ignore[misc,unused-ignore]
        """Passes on how much has arrived, and a wish to stop."""

        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop('name', None)
            options['disable'] = True
            super().__init__(*args, **options)
            self.arrived = int(options.get('initial') or 0)
            self.expected = int(options.get('total') or 0)
            self.update(0)

        def update(self, n: float | None = 1) -> None:
            if cancelled is not None and cancelled():
                raise CancelledError('The download was cancelled.')
            self.arrived += int(n or 0)
            if progress is not None and self.expected:
                done = min(self.arrived / self.expected, 1.0)
                size = f'{self.expected / 1e6:.1f} MB'
                progress(done, f'Downloading {name}, {size}')

    return Meter


def _verify(path: Path, name: str, checksum: str) -> None:
    """Compare a file with its checksum; the client compares sizes only.

    Small files, kept by git itself, have none.
    """
    blob = path.resolve()
    if not checksum:
        return
    digest = hashlib.sha256()
    with blob.open('rb') as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if digest.hexdigest() != checksum:
        path.unlink(missing_ok=True)
        blob.unlink(missing_ok=True)
        raise ModelError(
            f"'{name}' arrived with other bytes than the hub announced; it "
            'was deleted.',
            'Try again; if it happens again, something on the way changes '
            'files.',
        )


def _explained(repository: str, file: str, error: Exception) -> ModelError:
    """Say what an error of the client means."""
    from huggingface_hub.errors import EntryNotFoundError, HFValidationError

    host, name = endpoint_host(), file.rsplit('/', 1)[-1]
    status = getattr(getattr(error, 'response', None), 'status_code', 0)
    if isinstance(error, HFValidationError):
        return ModelError(
            f"'{repository}' is no repository on the hub.",
            'Write it as OWNER/REPOSITORY/FILE.',
        )
    if isinstance(error, EntryNotFoundError) and status == 404:
        return ModelError(
            f"There is no file '{file}' in '{repository}' on {host}.",
            'Look at its list of files there.',
        )
    if status in (401, 403, 404):
        return ModelError(
            f"'{repository}' does not exist on {host}, or is not open to you.",
            'If it is private, log in with "hf auth login".',
        )
    if status:
        return ModelError(
            f"{host} answered {status} for '{name}'.", 'Try again later.'
        )
    if getattr(error, 'errno', None) in _STORAGE:
        return ModelError(
            f"'{name}' could not be stored: {error}.",
            'Free some space, or set HF_HOME to another folder.',
        )
    return _UnreachableError(
        f"'{name}' could not be downloaded: {host} cannot be reached.",
        'Check the connection and try again; models that are here already '
        'need none.',
    )


def _forbidden(name: str) -> ModelError:
    return ModelError(
        f"'{name}' was not downloaded before, and HF_HUB_OFFLINE forbids "
        'downloading it now.',
        'Unset HF_HUB_OFFLINE, or copy the file and load that.',
    )
