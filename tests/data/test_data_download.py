"""Downloads: whole, checked, or refused with the reason; and the five-second preflight."""

from __future__ import annotations

import errno
import gc
import hashlib
import os
from pathlib import Path

import pytest
from file_server import Server

from pipeline.data import DataError, download
from pipeline.data.catalogue import Published

NAME = "t10k-labels-idx1-ubyte.gz"


def published(server: Server) -> Published:
    content = (server.directory / NAME).read_bytes()
    return Published(len(content), hashlib.sha256(content).hexdigest())


def test_a_download_is_the_file(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "new" / NAME
    size = download.download(server.url + NAME, target, published(server))
    assert target.read_bytes() == (server.directory / NAME).read_bytes()
    assert size == target.stat().st_size
    umask = os.umask(0o022)
    os.umask(umask)
    assert target.stat().st_mode & 0o777 == 0o666 & ~umask
    assert os.listdir(target.parent) == [NAME]


@pytest.mark.parametrize(("path", "found"), [
    ("absent/" + NAME + "x", "the server answered 404 Not Found; look for the file elsewhere"),
    ("cut/" + NAME, r"the download failed \(100 of .* bytes came\); run again"),
    ("train-labels-idx1-ubyte.gz", "the download failed .more than the .* bytes expected came"),
])
def test_a_bad_answer(server: Server, tmp_path: Path, path: str, found: str) -> None:
    (server.directory / NAME).write_bytes(os.urandom(110))
    (server.directory / "train-labels-idx1-ubyte.gz").write_bytes(os.urandom(120))
    with pytest.raises(DataError, match=found) as caught:
        download.download(server.url + path, tmp_path / "new" / NAME, published(server))
    assert str(caught.value).startswith(server.url + path)
    assert os.listdir(tmp_path / "new") == []


def test_another_content_of_the_right_size(server: Server, tmp_path: Path) -> None:
    expected = published(server)
    (server.directory / NAME).write_bytes(bytes(expected.size))
    with pytest.raises(DataError, match=f"found {expected.size:,} bytes with sha256 .*, expected "
                                        f"{expected.size:,} bytes with sha256 {expected.sha256}"):
        download.download(server.url + NAME, tmp_path / NAME, expected)
    assert not (tmp_path / NAME).exists()


# http.client leaves the socket of a response that never began to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_goes_silent(
        server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_STALL_SECONDS", 0.1)
    with pytest.raises(DataError, match=r"the download failed \(.*timed out\)"):
        download.download(f"{server.url}silent/{NAME}", tmp_path / NAME, None)
    gc.collect()


def test_a_full_disk(
        server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"written \(No space left on device\); make room"):
        download.download(server.url + NAME, tmp_path / NAME, None)
    assert not (tmp_path / NAME).exists()


def test_a_directory_that_is_a_file(server: Server) -> None:
    target = server.directory / NAME / "below"
    with pytest.raises(DataError, match="cannot be written"):
        download.download(server.url + NAME, target, None)


def test_any_answer_means_reachable(server: Server) -> None:
    assert download.unreachable(server.url + NAME) is None
    assert download.unreachable(server.url + "absent") is None
    assert server.requests == [f"HEAD /{NAME}", "HEAD /absent"]


def test_why_a_host_is_unreachable(server: Server) -> None:
    url = server.url
    server.shutdown()
    server.server_close()
    assert download.unreachable(url) == "127.0.0.1 is unreachable ([Errno 111] Connection refused)"
    assert "is unreachable" in str(download.unreachable("no address"))


def test_silence_is_unreachable_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the socket's own limit does not hold, as in a name lookup."""
    def hang(*arguments: object, **keywords: object) -> None:
        server.closing.wait(5)
        raise OSError("too late")

    monkeypatch.setattr(download, "PREFLIGHT_SECONDS", 0.2)
    monkeypatch.setattr(download, "urlopen", hang)
    assert download.unreachable(server.url) == (
        "127.0.0.1 is unreachable (no answer within 0.2 s)")
