"""Mutated graph files: `python graph_fuzzer.py COUNT [SEED]`.

Each case is read, compiled and traced, or refused with a `PipelineError`, within seconds of work
and bounded memory; anything else is printed with the command that repeats it, and ends the program.
"""

from __future__ import annotations

import argparse
import base64
import logging
import os
import resource
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import numpy as np
from google.protobuf import text_format
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

from pipeline import execution, graph
from pipeline.checkpoint.coding import encode_varint
from pipeline.errors import PipelineError

HERE = Path(__file__).parent
SECONDS, BYTES = 10, 3 << 30   # of the processor; of address space
X = np.ones((2, 4), np.float32)
OPS = execution.supported_ops()


def read_graph(directory: Path, content: bytes) -> None:
    path = directory / "graph.pb"
    path.write_bytes(content)
    trace(graph.load_graph(path))


def trace(graph_def: Any) -> None:
    """Compiles to steps and traces, with `x` fed where there is one."""
    names = [node.name for node in graph_def.node]
    inputs = ["x"] if "x" in names else []
    outputs = ["y"] if "y" in names else names[-1:]
    f = execution.function(graph_def, inputs, outputs)

    def traced(fed: list[Any]) -> list[Any]:
        found = f.apply(f.constants, *fed)   # known strings are NumPy's, which no trace holds
        return [each for each in found if getattr(each, "dtype", X.dtype).kind not in "OSU"]

    jax.eval_shape(traced, [X for _ in inputs])


def read_meta_graph(directory: Path, content: bytes) -> None:
    path = directory / "model.meta"
    path.write_bytes(content)
    trace_imported(execution.import_meta_graph(path))


def read_saved_model(directory: Path, content: bytes) -> None:
    (directory / "saved_model.pb").write_bytes(content)
    trace_imported(execution.import_saved_model(directory))


def trace_imported(imported: execution.Graph) -> None:
    names = [operation.name for operation in imported.get_operations()]
    if "y" in names:
        f = imported.function(["x"] if "x" in names else [], ["y"])
        shapes = {name: np.ones((4, 3), np.float32) for name in f.variables}
        jax.eval_shape(lambda values: f(values, *[X for _ in f.inputs]), shapes)


KINDS: dict[str, Callable[[Path, bytes], None]] = {
    "graph": read_graph, "text": read_graph, "meta": read_meta_graph, "saved": read_saved_model,
}


def seeds() -> list[tuple[str, bytes]]:
    """Small files of each kind: a network, a loop, a branch, functions, variables."""
    kept = (line.split(" ") for line in (HERE / "graph_seeds.txt").read_text().splitlines())
    found = [(kind, base64.b64decode(content)) for kind, content in kept]
    text = [("text", text_format.MessageToString(GraphDef.FromString(content)).encode())
            for kind, content in found if kind == "graph"]
    meta = [MetaGraphDef.FromString(content) for kind, content in found if kind == "meta"]
    for each in meta:
        each.meta_info_def.tags.append("serve")
        each.ClearField("saver_def")   # no variables lie beside it
    tagged = [each.SerializeToString() for each in meta]   # SavedModel: 1 version, 2 MetaGraphDef
    return found + text + [("saved", b"\x08\x01\x12" + encode_varint(len(each)) + each)
                           for each in tagged]


def mutate(random: np.random.Generator, content: bytes, other: bytes) -> bytes:
    """A few changes: bits, huge numbers, parts cut out, doubled or taken from elsewhere."""
    out = bytearray(content)
    for _ in range(int(random.integers(1, 5))):
        at, span = int(random.integers(0, len(out) + 1)), int(random.integers(1, 9))
        choice = int(random.integers(0, 8))
        if choice <= 2 and at < len(out):
            out[at] ^= 1 << int(random.integers(0, 8))
        elif choice == 3 and at < len(out):
            out[at] = int(random.choice([0, 1, 48, 57, 127, 128, 255]))
        elif choice == 4:
            del out[at:at + span]
        elif choice == 5:
            out[at:at] = out[at:at + span] * int(random.integers(1, 4))
        elif choice == 6:
            out[at:at + span] = b"\xff" * int(random.integers(0, 9)) + b"\1"
        else:
            start = int(random.integers(0, len(other)))
            out[at:at] = other[start:start + 4 * span]
    return bytes(out)


def rewire(random: np.random.Generator, content: bytes) -> bytes:
    """A well-formed GraphDef with a few nodes of other ops, inputs and attributes."""
    made = GraphDef.FromString(content)
    nodes = [*made.node, *(node for f in made.library.function for node in f.node_def)]
    for _ in range(int(random.integers(1, 4))):
        node, other = (nodes[int(at)] for at in random.integers(0, len(nodes), 2))
        choice = int(random.integers(0, 6))
        if choice == 0:
            node.op = str(random.choice(OPS))
        elif choice == 1 and node.input:
            suffix = str(random.choice(["", "", ":1", ":0", ":7"]))
            node.input[int(random.integers(len(node.input)))] = other.name + suffix
        elif choice == 2:
            node.input.append(str(random.choice(["", "^"])) + other.name)
        elif choice == 3 and node.input:
            del node.input[int(random.integers(len(node.input)))]
        elif choice == 4 and other.attr:
            key = str(random.choice(sorted(other.attr)))
            node.attr[key].CopyFrom(other.attr[key])
        elif choice == 5 and node.attr:
            _distort(random, node.attr[str(random.choice(sorted(node.attr)))])
    return made.SerializeToString()


def _distort(random: np.random.Generator, attr: Any) -> None:
    """Another number in an attribute, most of them absurd."""
    number = int(random.choice([0, 1, -1, 2, 3, 9, 23, 101, 2**31 - 1, -2**31]))
    for field in (attr.list, attr.tensor.tensor_shape, attr.shape):
        if field.ByteSize():
            if field is attr.list:
                field.i.append(number)
            else:
                field.dim.add(size=number)
            return
    if attr.tensor.ByteSize():
        attr.tensor.tensor_content = random.bytes(len(attr.tensor.tensor_content))
    elif attr.WhichOneof("value") == "type":
        attr.type = abs(number) % 30
    elif attr.WhichOneof("value") in ("i", "b"):
        attr.i = number


def run(directory: Path, kind: str, content: bytes) -> bool:
    """Whether a case was accepted. Raises what a reader must not raise."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        KINDS[kind](directory, content)
    except PipelineError:
        return False
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return True


def fuzz(directory: Path, count: int, seed: int) -> int:
    """How many of `count` cases were accepted."""
    corpus, random, accepted = seeds(), np.random.default_rng(seed), 0
    for kind, content in corpus:
        assert run(directory, kind, content), f"a seed of kind {kind} is refused"
    for _ in range(count):
        kind, content = corpus[int(random.integers(len(corpus)))]
        if kind == "graph" and random.random() < 0.7:
            mutated = rewire(random, content)
        else:
            mutated = mutate(random, content, corpus[int(random.integers(len(corpus)))][1])
        try:
            accepted += run(directory, kind, mutated)
        except BaseException:
            print(f"--kind {kind} --content {base64.b64encode(mutated).decode()}", flush=True)
            raise
    return accepted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--content", type=base64.b64decode)
    options = parser.parse_args()
    logging.disable()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGPROF, lambda *_: sys.exit("a case took too long"))
    jax.eval_shape(lambda: jax.numpy.zeros(3))   # JAX's own threads and pages come first
    with tempfile.TemporaryDirectory() as folder:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, used + BYTES))
        if options.content is not None:
            accepted = run(Path(folder), options.kind, options.content)
        else:
            accepted = fuzz(Path(folder), options.count, options.seed)
    print(f"{options.count} cases, {accepted} accepted")


if __name__ == "__main__":
    main()
