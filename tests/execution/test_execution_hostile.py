"""Graphs that mean harm: a named error or a result, never another exception, hang or blow-up.

`JAXFROST_CASES=100000 pytest tests/execution/test_execution_hostile.py` mutates so many files.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline import execution, graph
from pipeline.errors import PipelineError

CASES = int(os.environ.get("JAXFROST_CASES", "300"))


def const(name: str, value: Any) -> Any:
    array = np.asarray(value)
    return graph.build_node("Const", name, attrs={"value": array, "dtype": array.dtype})


def cycle() -> Any:
    nodes = [graph.build_node("Neg", "a", [("b", 1)]), graph.build_node("Neg", "b", [("a", 1)])]
    return GraphDef(node=nodes)


def missing_input() -> Any:
    return GraphDef(node=[graph.build_node("Neg", "a", [("nothing", 1)])])


def twice() -> Any:
    return GraphDef(node=[const("a", 1.0), const("a", 2.0)])


def absurd_fill() -> Any:
    nodes = [const("shape", np.int32([2**30, 2**30])), const("value", np.float32(1))]
    return GraphDef(node=[*nodes, graph.build_node("Fill", "a", [("shape", 3), ("value", 1)])])


def absurd_constant() -> Any:
    made = GraphDef(node=[const("a", np.float32([1, 2]))])
    made.node[0].attr["value"].tensor.tensor_shape.dim[0].size = 2**62
    return made


def short_constant() -> Any:
    made = GraphDef(node=[const("a", np.float32([1, 2, 3]))])
    made.node[0].attr["value"].tensor.tensor_content = b"\0" * 5
    return made


def endless_reference() -> Any:
    made = GraphDef(node=[graph.build_node("Neg", "a", [("b", 1)]), const("b", np.float32(1))])
    made.node[0].input[0] = "b:999999999"
    return made


def recursive_function() -> Any:
    made = GraphDef(node=[const("x", np.float32(1))])
    function = made.library.function.add()
    function.signature.name = "f"
    function.signature.input_arg.add(name="x", type=1)
    function.signature.output_arg.add(name="y", type=1)
    for nodes, ref, name in ((made.node, "x", "a"), (function.node_def, "x", "call")):
        node = nodes.add(name=name, op="PartitionedCall", input=[ref])
        node.attr["f"].func.name = "f"
        node.attr["Tin"].list.type.append(1)
        node.attr["Tout"].list.type.append(1)
    function.ret["y"] = "call:output:0"
    return made


def doubling_functions() -> Any:
    """Each of 60 functions calls the next one twice."""
    made = GraphDef(node=[const("x", np.float32(1))])

    def call(nodes: Any, name: str, ref: str, callee: str) -> None:
        node = nodes.add(name=name, op="PartitionedCall", input=[ref])
        node.attr["f"].func.name = callee
        node.attr["Tin"].list.type.append(1)
        node.attr["Tout"].list.type.append(1)

    for level in range(60):
        function = made.library.function.add()
        function.signature.name = f"f{level}"
        function.signature.input_arg.add(name="x", type=1)
        function.signature.output_arg.add(name="y", type=1)
        if level < 59:
            call(function.node_def, "one", "x", f"f{level + 1}")
            call(function.node_def, "two", "one:output:0", f"f{level + 1}")
            function.ret["y"] = "two:output:0"
        else:
            function.node_def.add(name="n", op="Neg", input=["x"]).attr["T"].type = 1
            function.ret["y"] = "n:y:0"
    call(made.node, "a", "x", "f0")
    return made


BAD: list[tuple[Callable[[], Any], str]] = [
    (cycle, "cycle"), (missing_input, "no node 'nothing'"), (twice, "defined twice"),
    (absurd_fill, "2\\^31"), (absurd_constant, "less than 2 GiB"), (short_constant, "5 bytes"),
    (endless_reference, "output 999999999"), (recursive_function, "calls itself"),
    (doubling_functions, "more than 10000000 nodes"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[make.__name__ for make, _ in BAD])
def test_hostile_graph_is_refused_by_name(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        execution.function(make(), [], ["a"])()


def test_a_long_chain_needs_no_recursion() -> None:
    nodes = [const("n0", np.float32(1))]
    nodes += [graph.build_node("Neg", f"n{i}", [(f"n{i - 1}", 1)]) for i in range(1, 20_001)]
    assert execution.function(GraphDef(node=nodes[::-1]), [], ["n20000"])()[0] == 1


def seeds() -> list[bytes]:
    """Small graphs to mutate: a network, a loop, a branch."""
    rng = np.random.default_rng(0)
    made = GraphDef()
    made.versions.producer = 26
    made.node.append(graph.build_node("Placeholder", "x", attrs={"dtype": 1, "shape": [None, 4]}))
    made.node.append(const("w", rng.normal(size=(4, 3)).astype(np.float32)))
    made.node.append(const("shape", np.int32([-1, 3])))
    made.node.append(graph.build_node("MatMul", "m", [("x", 1), ("w", 1)]))
    made.node.append(graph.build_node("Reshape", "r", [("m", 1), ("shape", 3)]))
    made.node.append(graph.build_node("Softmax", "y", [("r", 1)]))
    return [made.SerializeToString(), recursive_function().SerializeToString(),
            absurd_fill().SerializeToString()]


def mutate(rng: np.random.Generator, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(len(data)))
        kind = int(rng.integers(4))
        if kind == 0:
            data[place] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            data[place] = int(rng.choice([0, 1, 127, 128, 255]))
        elif kind == 2:
            del data[place:place + int(rng.integers(1, 5))]
        else:
            data[place:place] = bytes(rng.integers(0, 256, int(rng.integers(1, 5))).tolist())
        if not data:
            break
    return bytes(data)


def test_mutated_files_are_read_or_refused(tmp_path: Path) -> None:
    rng, path = np.random.default_rng(0), tmp_path / "graph.pb"
    originals, ran = seeds(), 0
    for _ in range(CASES):
        path.write_bytes(mutate(rng, originals[int(rng.integers(len(originals)))]))
        try:
            loaded = graph.load_graph(path)
            names = [node.name for node in loaded.node]
            output = "y" if "y" in names else names[-1] if names else "y"
            inputs = ["x"] if "x" in names and "y" in names else []
            f = execution.function(loaded, inputs, [output])
            if ran < 50:
                f.apply(f.constants, *[np.ones((2, 4), np.float32)] * len(inputs))
                ran += 1
        except PipelineError:
            continue
    assert ran
