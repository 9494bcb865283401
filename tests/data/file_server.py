"""A web server that gives and withholds files."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path
from typing import Any


class Server(http.server.ThreadingHTTPServer):
    """Serves `directory`; `/cut/NAME` breaks off, `/silent/NAME` never answers."""

    daemon_threads = True

    def __init__(self, directory: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.directory = directory
        self.requests: list[str] = []
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    """The answers of `Server`."""

    server: Server

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        how, _, name = self.path.rpartition("/")
        file = self.server.directory / name
        if how == "/silent":
            self.server.closing.wait(30)
            return
        if not file.is_file():
            self.send_error(404)
            return
        content = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[:100] if how == "/cut" else content)

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""
