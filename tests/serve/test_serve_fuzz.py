"""Random requests, broken in random places: each gets an answer, and none a traceback."""

from __future__ import annotations

import io
import json
import logging
import os
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image
from serve_run import served

from pipeline.serve import Server

CASES = int(os.environ.get("JAXFROST_CASES", "400"))
PATHS = ["/", "/mistakes", "/variables", "/graph", "/report", "/predict", "/favicon.ico", "/nope",
         "//", "/../..", "*", "http://localhost/graph", "/%00", "/graph/%2e%2e", ""]
KEYS = ["example", "true", "predicted", "page", "name", "scope", "x", ""]
VALUES = ["0", "1", "7", "360", "-1", "1e9", "9" * 30, "layer1", "layer1/weights", "layer1/", "/",
          "٣", "\0", "<b>", "%", "layer1/weights/" * 40, "", "nan"]
HEADERS = ["Host: localhost", "Host: evil.example", "Host: 127.0.0.1:1", "Host:",
           "Connection: close",
           "Transfer-Encoding: chunked", "Expect: 100-continue", "Content-Type: image/png",
           "Content-Type: text/html", "Content-Type: " + "a/" * 500, "Range: bytes=0-1", "X:", ":",
           "Content-Length: 5", "Cookie: " + "c" * 3000, "Accept-Encoding: gzip"]
FORMATS = ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"]


@pytest.fixture(scope="module")
def server(run_directory: Path) -> Iterator[Server]:
    subject = served(run_directory, "serve.largest_upload=20000")
    assert subject.evaluation, "and is not under way any more"
    with Server(subject) as started:
        thread = threading.Thread(target=started.serve_forever)
        thread.start()
        yield started
        started.shutdown()
        thread.join()


def picture(dice: random.Random) -> bytes:
    size = dice.choice([(1, 1), (28, 28), (3, 200), (90, 70)])
    pixels = np.frombuffer(dice.randbytes(size[0] * size[1]), np.uint8).reshape(size)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, dice.choice(FORMATS))
    return content.getvalue()


def damage(content: bytes, dice: random.Random) -> bytes:
    """A few bytes changed, lost or doubled."""
    damaged = bytearray(content)
    for _ in range(dice.choice([0, 0, 1, 3, 20])):
        if damaged:
            at = dice.randrange(len(damaged))
            damaged[at:at + dice.choice([0, 1, 9])] = dice.randbytes(dice.choice([0, 1, 1, 5]))
    return bytes(damaged)


def request(dice: random.Random) -> bytes:
    query = "&".join(f"{dice.choice(KEYS)}={quote(dice.choice(VALUES))}"
                     for _ in range(dice.choice([0, 0, 1, 1, 2, 30])))
    body = damage(picture(dice), dice) if dice.random() < 0.4 else b""
    method = dice.choice(["GET", "GET", "HEAD", "POST", "PUT", "OPTIONS", "get", "\xff"])
    path = "/predict" if body and dice.random() < 0.7 else dice.choice(PATHS)
    method = "POST" if body and dice.random() < 0.8 else method
    address = f"{path}?{query}" if query else path
    lines = [f"{method} {address} HTTP/{dice.choice(['1.1', '1.1', '1.0', '9'])}",
             *(["Host: localhost"] if dice.random() < 0.8 else []),
             *dice.sample(HEADERS, dice.choice([0, 0, 1, 2, 4]))]
    if body and dice.random() < 0.9:
        lines += ["Content-Type: image/png",
                  f"Content-Length: {len(body) + dice.choice([0, 0, 0, 0, -3, 7, 10**6])}"]
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    return (damage(head, dice) if dice.random() < 0.3 else head) + body


def ask(server: Server, sent: bytes) -> bytes:
    with socket.create_connection(server.server_address[:2], timeout=30) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def test_random_requests_are_answered(
    server: Server, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    statuses: Counter[int] = Counter()
    with caplog.at_level(logging.WARNING):
        for case in range(CASES):
            sent = request(random.Random(case))
            head, _, body = ask(server, sent).partition(b"\r\n\r\n")
            status = int(head.split()[1]) if head else 0
            statuses[status] += 1
            assert status != 500, f"case {case}: {sent[:300]!r}"
            assert b"Traceback" not in body
            if body.startswith(b"{"):   # what follows it on the connection is another answer
                content, _ = json.JSONDecoder().raw_decode(body.decode("utf-8", "replace"))
                assert status == 200 or set(content) == {"error"}, f"case {case}"
    assert not caplog.records
    assert "Traceback" not in "".join(capfd.readouterr())
    assert statuses[0] < CASES / 20, "only where nothing was asked"
    assert {200, 400, 404, 405, 411, 413, 415, 421, 422, 501} <= set(statuses), statuses
    assert b" 200 OK\r\n" in ask(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
