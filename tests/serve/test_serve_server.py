"""The HTTP around the routes: limits, headers, names, and how the process ends."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from configured import ROOT, configured
from serve_run import served

from pipeline.config import ConfigError
from pipeline.serve import Response, Server, open_run

LIMIT = 2000


@pytest.fixture(scope="module")
def server(run_directory: Path) -> Iterator[Server]:
    with Server(served(run_directory, f"serve.largest_upload={LIMIT}")) as started:
        thread = threading.Thread(target=started.serve_forever)
        thread.start()
        yield started
        started.shutdown()
        thread.join()


def raw(server: Server, sent: bytes) -> Answer:
    """Bytes as they are, and what comes back until the connection is closed."""
    with socket.create_connection(server.server_address[:2], timeout=30) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return Answer(int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def ask(server: Server, method: str, path: str, body: bytes | None = None,
        **headers: str) -> Answer:
    host, port = server.server_address[:2]
    with closing(http.client.HTTPConnection(str(host), port, timeout=30)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())


def test_it_listens_on_this_machine_alone(server: Server) -> None:
    assert server.loopback
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d+/", server.url)


def test_pages_come_with_their_headers(server: Server) -> None:
    answer = ask(server, "GET", "/")
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert "Python" not in answer.headers["Server"]
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    head = ask(server, "HEAD", "/")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == answer.headers["Content-Length"]


def test_several_requests_on_one_connection(server: Server) -> None:
    host, port = server.server_address[:2]
    with closing(http.client.HTTPConnection(str(host), port, timeout=30)) as connection:
        for path, status in (("/graph", 200), ("/nope", 404), ("/favicon.ico", 204), ("/", 200)):
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            assert response.status == status


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        (b"nonsense\r\n\r\n", 400, "Bad request syntax ('nonsense')"),
        (b"GET / HTTP/9\r\n\r\n", 400, "Bad request version ('HTTP/9')"),
        (b"GET / HTTP/3.0\r\n\r\n", 505, "Invalid HTTP version (3.0)"),
        (b"DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501, "Unsupported method ('DELETE')"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414, "Too Long"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431, "headers"),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "Host: evil.example; expected http"),
        (b"GET / HTTP/1.1\r\nHost: [::\r\n\r\n", 421, "expected http://127.0.0.1"),
        (b"GET / HTTP/1.1\r\n\r\n", 421, "Host: None"),
        (b"GET /?" + b"&".join(b"a%d=1" % k for k in range(50))
         + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "more than 20 fields"),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\n\r\n", 411, "Content-Length"),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 411, "Length"),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1e3\r\n\r\n", 411, "bytes"),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
         b"Content-Length: 3\r\n\r\n0\r\n\r\n", 411, "Content-Length"),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc", 400,
         "the body ended after 3 of 9 bytes"),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n"
         b"\r\n", 413, "at most serve.largest_upload=2,000"),
    ],
    ids=lambda value: str(value[:40]) if isinstance(value, bytes) else str(value),
)
def test_what_is_no_proper_request_gets_json(
    server: Server, sent: bytes, status: int, words: str
) -> None:
    found, headers, body = raw(server, sent)
    assert found == status
    assert headers["Content-Type"] == "application/json"
    assert words in json.loads(body)["error"]
    assert b"Traceback" not in body


def test_bodies_are_bounded(server: Server) -> None:
    within = ask(server, "POST", "/predict", b"x" * LIMIT, **{"Content-Type": "image/png"})
    assert within.status == 422
    beyond = ask(server, "POST", "/predict", b"x" * (LIMIT + 1), **{"Content-Type": "image/png"})
    assert beyond.status == 413
    assert json.loads(beyond.body)["error"] == (
        "a body of 2,001 bytes; expected at most serve.largest_upload=2,000")
    much = ask(server, "POST", "/predict", b"x" * 5_000_000, **{"Content-Type": "image/png"})
    assert much.status == 413


def test_dripping_connections_keep_nobody_out(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.serve.server._CONNECTIONS", 8)
    before = threading.active_count()
    with ExitStack() as opened:
        dripping = []
        for _ in range(50):
            one = opened.enter_context(socket.create_connection(server.server_address[:2]))
            one.sendall(b"GET / HT")
            dripping.append(one)
            assert threading.active_count() <= before + 8
        assert ask(server, "GET", "/favicon.ico").status == 204
        assert dripping[0].recv(1) == b"", "the most overdue makes room"


def test_a_request_that_does_not_come_in_time_is_cut(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.serve.server._SECONDS", 0.5)
    with socket.create_connection(server.server_address[:2], timeout=60) as connection:
        for byte in b"GET / HTTP/1.1\r\nX: " + b"y" * 10_000:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                break
            time.sleep(0.05)
        else:
            raise AssertionError("a byte at a time, for ever")


def test_requests_are_answered_beside_each_other(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(3, timeout=60)

    def wait(subject: object, request: object) -> Response:
        together.wait()
        return Response(HTTPStatus.OK, "text/plain", b"met")

    monkeypatch.setattr("pipeline.serve.server.respond", wait)
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: ask(server, "GET", "/"), range(3)))
    assert [answer.body for answer in answers] == [b"met"] * 3


def test_a_report_is_streamed_into_an_origin_of_its_own(server: Server) -> None:
    answer = ask(server, "GET", "/report")
    assert answer.status == 200
    assert answer.body == (server.subject.directory / "report.html").read_bytes()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'; ")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy, "default-src is none"


def test_a_connection_that_is_dropped_disturbs_nobody(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    for sent in (b"", b"GET / HT", b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"
                 b"Content-Length: 900\r\n\r\nabc"):
        with socket.create_connection(server.server_address[:2]) as connection:
            connection.sendall(sent)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert ask(server, "GET", "/").status == 200
    assert "Traceback" not in "".join(capfd.readouterr())


def test_an_address_that_cannot_be_had_is_told(server: Server, run_directory: Path) -> None:
    port = server.server_address[1]
    with pytest.raises(ConfigError, match=f"serve.port={port}: in use; serve.port=0 picks one"):
        Server(served(run_directory, f"serve.port={port}"))
    with pytest.raises(ConfigError, match=r"serve\.host=192\.0\.2\.1: cannot listen there"):
        Server(served(run_directory, "serve.host=192.0.2.1"))


def test_other_names_are_accepted_only_where_others_may_come(run_directory: Path) -> None:
    with Server(served(run_directory, "serve.host=0.0.0.0")) as open_to_all:
        assert not open_to_all.loopback
        assert open_to_all.accepts("laptop.example:8000")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_address_and_ends_when_told(
    run_directory: Path, number: signal.Signals, tmp_path: Path
) -> None:
    before = sorted(run_directory.rglob("*"))
    # A test run started in the background ignores Ctrl-C, and what it starts would too.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), "task=serve", f"run={run_directory}"], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, handler)
    assert process.stdout is not None
    line = process.stdout.readline()
    url = urlsplit(line.split()[0])
    with closing(http.client.HTTPConnection(str(url.hostname), url.port, timeout=60)) as connection:
        connection.request("GET", "/graph")
        assert connection.getresponse().read().startswith(b"<!DOCTYPE html>")
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert sorted(run_directory.rglob("*")) == before
    assert not list(tmp_path.iterdir()), "looking leaves nothing behind"


def test_what_is_no_run_is_told(run_directory: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="run: task=serve needs it; give the directory of a"):
        open_run(configured("task=serve"))
    for path, why in ((tmp_path, r"no run there \(no \.hydra/config\.yaml\)"),
                      (run_directory / "nowhere", "there is no such directory")):
        with pytest.raises(ConfigError, match=f"run=.*: {why}"):
            open_run(configured("task=serve", f"run={path}"))
