"""Published files over http: quick to say that there is no network, whole or absent, checked."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
from collections.abc import Generator, Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from pipeline.data.catalogue import Published
from pipeline.data.errors import DataError
from pipeline.data.progress import progress
from pipeline.files import replacing

PREFLIGHT_SECONDS = 5.0
_STALL_SECONDS = 30.0   # without a byte from the server
_CHUNK = 1 << 18
_LARGEST = 1 << 30      # bytes of a file whose published size is not known
_NETWORK = (OSError, HTTPException, ValueError)   # urlopen says ValueError to what is no URL

_log = logging.getLogger("pipeline.data")


def unreachable(url: str) -> str | None:
    """Why the host of `url` cannot be reached, or None when it answers within 5 seconds.

    The limit holds for name lookup and all addresses together, which a socket's timeout does not.
    """
    reasons: list[str] = []

    def ask() -> None:
        try:
            urlopen(Request(url, method="HEAD"), timeout=PREFLIGHT_SECONDS).close()
        except HTTPError as answer:
            answer.close()  # what is wrong with the file will show when it is fetched
        except _NETWORK as error:
            reasons.append(_reason(error))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PREFLIGHT_SECONDS)
    host = urlsplit(url).hostname or url
    if thread.is_alive():
        reasons.append(f"no answer within {PREFLIGHT_SECONDS:g} s")
    return f"{host} is unreachable ({reasons[0]})" if reasons else None


def download(url: str, target: Path, published: Published | None) -> int:
    """Fetch `url` into the file `target`; the number of bytes.

    `target` appears when it is complete and, where `published` says what to expect, right.

    Raises:
        DataError: the network, the server, the content or the disk is at fault.
    """
    _log.info("downloading %s to %s", url, target)
    digest, size = hashlib.sha256(), 0
    body = _fetch(url, target.name, published.size if published else _LARGEST)
    try:
        with contextlib.closing(body), replacing(target) as file:
            for chunk in body:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
            if published and (size, digest.hexdigest()) != (published.size, published.sha256):
                raise DataError(
                    f"{url}: found {size:,} bytes with sha256 {digest.hexdigest()}, expected "
                    f"{published.size:,} bytes with sha256 {published.sha256}; something on the "
                    "way sends another file: try another network or fetch it by hand")
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error.strerror}); make room or choose "
                        "another directory") from error
    return size


def _fetch(url: str, description: str, largest: int) -> Generator[bytes, None, None]:
    """The body, in chunks, one byte beyond `largest` at most."""
    try:
        with urlopen(url, timeout=_STALL_SECONDS) as response:
            yield from _body(response, description, largest)
    except HTTPError as error:
        error.close()
        raise DataError(f"{url}: the server answered {error.code} {error.reason}; look for the "
                        "file elsewhere and put it in place by hand") from error
    except _NETWORK as error:
        raise DataError(f"{url}: the download failed ({_reason(error)}); run again to "
                        "fetch it anew") from error


def _body(response: HTTPResponse, description: str, largest: int) -> Iterator[bytes]:
    announced = response.headers.get("Content-Length")
    total = int(announced) if announced and announced.isdecimal() else None
    received = 0
    with progress(description, total, in_bytes=True) as advance:
        while received <= largest and (chunk := response.read(min(_CHUNK, largest + 1 - received))):
            received += len(chunk)
            advance(len(chunk))
            yield chunk
    if received > largest:
        raise OSError(f"more than the {largest:,} bytes expected came")
    if total is not None and received != total:
        raise OSError(f"{received:,} of {total:,} bytes came")


def _reason(error: Exception) -> str:
    """`[Errno 111] Connection refused` out of `<urlopen error [Errno 111] Connection refused>`."""
    return str(getattr(error, "reason", error)) or type(error).__name__
