"""A FIFO, a socket or a device under any name that is read: refused, at once, by name."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import checkpoint, graph, reading
from pipeline.checkpoint.recognise import recognise
from pipeline.data.idx import read_images
from pipeline.data.pictures import read_picture
from pipeline.errors import PipelineError
from pipeline.execution.saved_model import load_saved_model


def fifo(path: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        directory = os.open(path.parent, os.O_RDONLY)   # a socket's own path may have 107 bytes
        made.bind(f"/proc/self/fd/{directory}/{path.name}")
        os.close(directory)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


KINDS = {"a FIFO": fifo, "a socket": bound_socket, "a character device": device}
READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "idx": ("train-images-idx3-ubyte", read_images),
    "picture": ("seven.png", read_picture),
    "graph": ("graph.pb", graph.load_graph),
    "meta graph": ("graph.meta", graph.load_meta_graph),
    "saved model": ("saved_model.pb", lambda path: load_saved_model(path.parent)),
    "index": ("m.index", lambda path: checkpoint.CheckpointReader(path.with_suffix(""))),
    "anything": ("unnamed", recognise),
    "state": ("any", lambda path: checkpoint.load_checkpoint(path)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reader", READERS)
def test_only_ordinary_files_are_read(reader: str, kind: str, tmp_path: Path) -> None:
    name, read = READERS[reader]
    KINDS[kind](tmp_path / name)
    with pytest.raises(PipelineError) as refused:
        read(tmp_path / name)
    assert name.split(".")[0] in str(refused.value) or str(tmp_path) in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_refusal_says_what_it_is(kind: str, tmp_path: Path) -> None:
    KINDS[kind](tmp_path / "it")
    with pytest.raises(reading.NotAFileError, match=f"it is {kind}; only ordinary files are read"):
        reading.open_file(tmp_path / "it")


def test_a_file_and_a_link_to_one_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert reading.read_bytes(tmp_path / "link") == b"content"
    with pytest.raises(IsADirectoryError):
        reading.open_file(tmp_path)
