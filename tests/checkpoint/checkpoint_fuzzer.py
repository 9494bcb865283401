"""Mutated inputs for everything that reads bytes: `python checkpoint_fuzzer.py COUNT [SEED]`.

Each case ends with the right data or a `CheckpointError`, within seconds of work and little memory;
anything else is printed with the command that repeats it, and ends the program. Below checksums,
which would stop nearly every mutation, inputs are wrapped in valid ones: `KINDS` says what of.

`--guide FILE` is guided by coverage: inputs that reach lines in an order no other did are mutated
further, and added to the file. `fuzz_seeds.txt` came from such a run, and every run begins with it.
"""

from __future__ import annotations

import argparse
import base64
import logging
import resource
import signal
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from pipeline.checkpoint import (
    CheckpointError,
    CheckpointReader,
    CheckpointState,
    PartitionedTensor,
    crc,
    describe,
    latest_checkpoint,
    snappy,
    write_bundle,
)
from pipeline.checkpoint.block import BlockBuilder
from pipeline.checkpoint.coding import decode_varint, encode_varint
from pipeline.checkpoint.entry import Entry, Header
from pipeline.checkpoint.graph_summary import summarise_graph
from pipeline.checkpoint.object_graph import ObjectGraph, encode_object_graph
from pipeline.checkpoint.table import MAGIC, encode_table

TENSORS: dict[str, Any] = {
    "layer1/weights": np.arange(6, dtype=np.float32).reshape(2, 3), "layer1/biases": np.ones(3),
    "part": PartitionedTensor.split(np.arange(20).reshape(10, 2), 3), "scalar": np.int8(1),
    "strings": np.array([b"a\0", b"", b"c" * 130], np.object_), "empty": np.zeros((0, 3)),
}
HUGE = [b"\xff" * 9 + b"\1", b"\xff" * 11, b"\x80" * 5, b"\xff\xff\xff\xff\x0f", b"\x7f", b"\0",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x10", b"\xff\xff\x03"]
SECONDS, BYTES = 3, 300 << 20  # of the processor; of address space


class Arena:
    """A directory with a whole checkpoint, and its files' content."""

    def __init__(self, directory: Path) -> None:
        self.prefix = directory / "x"
        write_bundle(self.prefix, TENSORS, durable=False)
        self.index = (directory / "x.index").read_bytes()
        self.data = (directory / "x.data-00000-of-00001").read_bytes()
        self.whole = {name: array.tolist() for name, array in CheckpointReader(self.prefix).items()}

    def put(self, index: bytes, data: bytes) -> None:
        Path(f"{self.prefix}.index").write_bytes(index)
        Path(f"{self.prefix}.data-00000-of-00001").write_bytes(data)


def read_all(arena: Arena, index: bytes, data: bytes, *, exact: bool = False) -> None:
    """Opens and touches everything; `exact`: what is read must be what was written."""
    arena.put(index, data)
    try:
        reader = CheckpointReader(arena.prefix)
    except CheckpointError:
        reader = CheckpointReader(arena.prefix, salvage=True)
    reader.debug_string()
    for name in (*reader, "no/such/path"):
        try:
            found = reader.get_tensor(name)
        except CheckpointError:
            continue
        assert not exact or found.tolist() == arena.whole[name]
    describe(arena.prefix, verify=True, statistics=True)


def table_of(block: bytes, *, compress: bool = False) -> bytes:
    """A table whose one data block holds these bytes, under a valid checksum."""
    out, index = bytearray(), BlockBuilder(1)

    def append(content: bytes, kind: int) -> bytes:
        handle = encode_varint(len(out)) + encode_varint(len(content))
        typed = content + bytes((kind,))
        out.extend(typed + crc.masked_crc(typed).to_bytes(4, "little"))
        return handle

    index.add(b"\xff", append(block, int(compress)))
    handles = append(BlockBuilder(16).finish(), 0) + append(index.finish(), 0)
    return bytes(out) + handles.ljust(40, b"\0") + MAGIC


def read_entry(arena: Arena, message: bytes) -> None:
    """An entry of any content; its checksum, where it has one, covers other bytes."""
    read_all(arena, encode_table([(b"", Header(1).encode()), (b"x", message)]), arena.data)


def read_strings(arena: Arena, content: bytes) -> None:
    """Lengths of three strings and what follows, with the checksums put in."""
    position, words = 0, b""
    for _ in range(3):
        length, position = decode_varint(content, position, len(content))
        words += length.to_bytes(4 if length < 1 << 32 else 8, "little")
    stored = crc.masked_crc(words).to_bytes(4, "little")
    data = content[:position] + stored + content[position:]
    total = crc.mask(crc.extend(crc.extend(0, words), stored + content[position:]))
    entry = Entry(7, (3,), size=len(data), crc=total)
    read_all(arena, encode_table([(b"", Header(1).encode()), (b"x", entry.encode())]), data)


def read_objects(arena: Arena, message: bytes) -> None:
    graph = ObjectGraph(message)
    for name in (*graph.keys, "a/b", "a/a/a/a"):
        graph.find(name)


def read_state(arena: Arena, content: bytes) -> None:
    directory = arena.prefix.parent
    (directory / "checkpoint").write_bytes(content)
    CheckpointState.decode(content)
    latest_checkpoint(directory)


def read_file(arena: Arena, content: bytes) -> None:
    path = arena.prefix.parent / "file.pb"
    path.write_bytes(content)
    describe(path)


KINDS: dict[str, Callable[[Arena, bytes], None]] = {
    "index": lambda arena, content: read_all(arena, content, arena.data, exact=True),
    "data": lambda arena, content: read_all(arena, arena.index, content, exact=True),
    "block": lambda arena, content: read_all(arena, table_of(content), arena.data),
    "snappy": lambda arena, content: read_all(arena, table_of(content, compress=True), arena.data),
    "stream": lambda arena, content: void(snappy.decode(content)),
    "entry": read_entry,
    "strings": read_strings,
    "objects": read_objects,
    "state": read_state,
    "file": read_file,
    "graph": lambda arena, content: void(summarise_graph(content)),
}


def void(_: object) -> None:
    """Only whether it ends matters."""


def seeds(arena: Arena) -> list[tuple[str, bytes]]:
    """One whole input of each kind, and those that a guided run kept."""
    plain = BlockBuilder(16)
    for key, value in ((b"", Header(1).encode()), (b"a", Entry(1, (2, 3), size=24).encode()),
                       (b"abc", Entry(7, (2,), 0, 3, 9, 5).encode())):
        plain.add(key, value)
    built = plain.finish()
    literal = encode_varint(len(built)) + bytes((61 << 2,)) + (len(built) - 1).to_bytes(
        2, "little") + built
    node = b"\x0a\x05w/dev\x12\x0bPlaceholder"
    graph = b"\x0a" + bytes((len(node),)) + node + b"\x22\2\x08\x1b"
    state = CheckpointState("m-3", ("m-1", "m\n\"é"), (1.5,), 2.0).encode()
    found = [
        ("index", arena.index), ("data", arena.data), ("block", built), ("snappy", literal),
        ("stream", b"\x28\x08abc\x16\3\0\x1f\4\0\0\0\x1d\7"), ("strings", b"\1\2\3abcdef"),
        ("entry", Entry(1, (2, 3), 0, 1, 24, 7).encode()),
        ("entry", Entry(9, (4, 2), slices=(((0, 2), (0, -1)), ((2, 2), (0, 2)))).encode()),
        ("objects", encode_object_graph(["a/b", "a/c.d", "e"])), ("state", state),
        ("file", state), ("file", graph), ("file", arena.index), ("graph", graph),
        ("graph", b"\x12" + bytes((len(graph),)) + graph + b"\x22\3\x0a\1v"),
    ]
    kept = (Path(__file__).parent / "fuzz_seeds.txt").read_text().splitlines()
    pairs = (line.partition(" ") for line in kept)
    return found + [(kind, base64.b64decode(content)) for kind, _, content in pairs]


def mutate(random: np.random.Generator, content: bytes, other: bytes) -> bytes:
    """A few changes: bits, truncation, huge numbers, parts doubled, moved or taken elsewhere."""
    out = bytearray(content)
    for _ in range(int(random.integers(1, 5))):
        at = int(random.integers(0, len(out) + 1))
        span = int(random.integers(1, 9))
        choice = int(random.integers(0, 9))
        if choice <= 2 and at < len(out):
            out[at] ^= 1 << int(random.integers(0, 8))
        elif choice == 3 and at < len(out):
            out[at] = int(random.integers(0, 256))
        elif choice == 4:
            del out[at : at + span]
        elif choice == 5:
            out[at:at] = out[at : at + span] * int(random.integers(1, 4))
        elif choice == 6:
            piece = HUGE[int(random.integers(len(HUGE)))]
            out[at : at + int(random.integers(0, 3))] = piece
        elif choice == 7 and other:
            start = int(random.integers(0, len(other)))
            out[at:at] = other[start : start + 4 * span]
        elif choice == 8 and random.random() < 0.2:
            del out[at:]
    return bytes(out)


class Trace:
    """Which lines of the package ran after which: the edges that guided runs look for."""

    def __init__(self) -> None:
        self.edges: set[tuple[str, int, int]] = set()
        self._last = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        if "/pipeline/checkpoint/" not in frame.f_code.co_filename:
            return None
        if event == "line":
            self.edges.add((frame.f_code.co_filename, self._last, frame.f_lineno))
            self._last = frame.f_lineno
        return self


def run(arena: Arena, kind: str, content: bytes, *, measure: bool) -> None:
    """One case. Raises what a reader must not raise."""
    if measure:
        tracemalloc.start()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        KINDS[kind](arena, content)
    except CheckpointError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        peak = tracemalloc.get_traced_memory()[1] if measure else 0
        tracemalloc.stop()
    assert peak < (1 << 20) + 300 * len(content), f"{peak} bytes for {len(content)}"


def fuzz(arena: Arena, count: int, seed: int, guide: Path | None) -> None:
    """Runs `count` cases; a guided run adds to its inputs, and to the file."""
    corpus, random, known = seeds(arena), np.random.default_rng(seed), Trace()
    for case in range(count):
        kind, content = corpus[int(random.integers(len(corpus)))]
        _, other = corpus[int(random.integers(len(corpus)))]
        mutated = mutate(random, content, other)
        trace = Trace()
        try:
            if guide is not None:
                sys.settrace(trace)
            run(arena, kind, mutated, measure=guide is None and case % 20 == 0)
        except BaseException:
            print(f"--kind {kind} --content {base64.b64encode(mutated).decode()}")
            raise
        finally:
            sys.settrace(None)
        if guide is not None and trace.edges - known.edges:
            known.edges |= trace.edges
            corpus.append((kind, mutated))
            with guide.open("a") as file:
                file.write(f"{kind} {base64.b64encode(mutated).decode()}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--guide", type=Path)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--content", type=base64.b64decode)
    options = parser.parse_args()
    logging.disable()
    signal.signal(signal.SIGPROF, lambda *_: sys.exit("a case took too long"))
    with tempfile.TemporaryDirectory() as directory:
        arena = Arena(Path(directory))
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, used + BYTES))
        if options.content is not None:
            run(arena, options.kind, options.content, measure=True)
        else:
            fuzz(arena, options.count, options.seed, options.guide)
    print(f"{options.count} cases")


if __name__ == "__main__":
    main()
