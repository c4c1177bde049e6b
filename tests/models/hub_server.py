"""A server that speaks enough of the Hugging Face hub for its client."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = '0123456789abcdef0123456789abcdef01234567'
_PATH = re.compile(r'/(?P<repo>[^/]+/[^/]+)/resolve/[^/]+/(?P<file>.+)$')


@dataclass
class Hub:
    """What the server has, how it misbehaves, and what it was asked.

    Parameters
    ----------
    files : dict of (repository, file) to bytes
        What it has.
    cut_after : int
        Bytes after which the next answers break off; 0 for none.
    cuts : int
        How many answers do.
    corrupt : bool
        Whether other bytes are sent than announced.
    status : int
        Answered to everything; 0 for none.
    asked : list of (method, path, range)
        Every request.
    """

    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    cut_after: int = 0
    cuts: int = 0
    corrupt: bool = False
    status: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    url: str = ''


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, with_body: bool) -> None:
            asked_range = self.headers.get('Range', '')
            hub.asked.append((self.command, self.path, asked_range))
            match = _PATH.match(self.path)
            key = (match['repo'], match['file']) if match else ('', '')
            if hub.status:
                return self._refuse(hub.status, '')
            if key[0] not in {repo for repo, _ in hub.files}:
                return self._refuse(401, 'RepoNotFound')
            if key not in hub.files:
                return self._refuse(404, 'EntryNotFound')
            return self._send(hub.files[key], asked_range, with_body)

        def _refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header('X-Repo-Commit', COMMIT)
            if code:
                self.send_header('X-Error-Code', code)
            self.send_header('Content-Length', '0')
            self.end_headers()

        def _send(self, data: bytes, asked: str, with_body: bool) -> None:
            start = int(asked.removeprefix('bytes=').rstrip('-') or 0)
            self.send_response(206 if asked else 200)
            digest = hashlib.sha256(data).hexdigest()
            self.send_header('X-Repo-Commit', COMMIT)
            self.send_header('X-Linked-Etag', f'"{digest}"')
            self.send_header('X-Linked-Size', str(len(data)))
            self.send_header('ETag', f'"{digest}"')
            self.send_header('Accept-Ranges', 'bytes')
            if asked:
                last = len(data) - 1
                self.send_header(
                    'Content-Range', f'bytes {start}-{last}/{len(data)}'
                )
            self.send_header('Content-Length', str(len(data) - start))
            self.end_headers()
            if not with_body:
                return
            if hub.corrupt:
                data = bytes(len(data))
            part = data[start:]
            if hub.cuts:
                hub.cuts -= 1
                self.wfile.write(part[: hub.cut_after])
                self.wfile.flush()
                self.close_connection = True
                return
            self.wfile.write(part)

    return Handler


@contextmanager
def serving() -> Iterator[Hub]:
    """Run a hub on this machine."""
    hub = Hub()
    server = ThreadingHTTPServer(('127.0.0.1', 0), _handler(hub))
    server.daemon_threads = True
    hub.url = f'http://127.0.0.1:{server.server_address[1]}'
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
