"""A made-up data set in a directory, and a web server for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import Server
from idx_files import arrays, write


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A directory with the four files of `idx_files.arrays()`."""
    return write(tmp_path / "idx", arrays())


@pytest.fixture
def server(files: Path) -> Iterator[Server]:
    """A web server for `files`, on the loopback interface."""
    server = Server(files)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()
