"""Graphs that mean harm: a named error or a result, never another exception, hang or blow-up.

`JAXFROST_CASES=100000 pytest tests/execution/test_execution_hostile.py` mutates so many files.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline import execution, graph
from pipeline.errors import PipelineError

CASES = int(os.environ.get("JAXFROST_CASES", "300"))
HERE = Path(__file__).parent


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


def deep_functions() -> Any:
    """Each of 400 functions calls the next one, and the last the first."""
    made = doubling_functions()
    del made.library.function[:]
    for level in range(400):
        function = made.library.function.add()
        function.signature.name = f"f{level}"
        function.signature.input_arg.add(name="x", type=1)
        function.signature.output_arg.add(name="y", type=1)
        node = function.node_def.add(name="n", op="PartitionedCall", input=["x"])
        node.attr["f"].func.name = f"f{(level + 1) % 400}"
        node.attr["Tin"].list.type.append(1)
        node.attr["Tout"].list.type.append(1)
        function.ret["y"] = "n:output:0"
    return made


def absurd_range() -> Any:
    nodes = [const("begin", np.int32(0)), const("end", np.int32(2**31 - 1)),
             const("step", np.int32(1))]
    inputs = [("begin", 3), ("end", 3), ("step", 3)]
    return GraphDef(node=[*nodes, graph.build_node("Range", "a", inputs)])


def absurd_tile() -> Any:
    nodes = [const("x", np.ones((2, 2), np.float32)), const("times", np.int32([2**30, 2**30]))]
    return GraphDef(node=[*nodes, graph.build_node("Tile", "a", [("x", 1), ("times", 3)])])


def negative_placeholder() -> Any:
    made = GraphDef(node=[graph.build_node("Placeholder", "a", attrs={"dtype": 1, "shape": [3]})])
    made.node[0].attr["shape"].shape.dim[0].size = -7
    return made


def switch_without_predicate() -> Any:
    nodes = [const("x", np.float32(1)), graph.build_node("Neg", "a", [("switch:1", 1)])]
    made = GraphDef(node=nodes)
    made.node.add(name="switch", op="Switch", input=["x"]).attr["T"].type = 1
    return made


def loop_without_body() -> Any:
    made = GraphDef(node=[const("x", np.float32(1))])
    made.node.add(name="a", op="Exit", input=["x"]).attr["T"].type = 1
    return made


BAD: list[tuple[Callable[[], Any], str]] = [
    (cycle, "cycle"), (missing_input, "no node 'nothing'"), (twice, "defined twice"),
    (absurd_fill, "2\\^31"), (absurd_constant, "less than 2 GiB"), (short_constant, "5 bytes"),
    (endless_reference, "output 999999999"), (recursive_function, "calls itself"),
    (doubling_functions, "more than 200000 nodes"), (deep_functions, "calls itself"),
    (absurd_range, "2\\^27"), (absurd_tile, "2\\^31"),
    (negative_placeholder, "negative dimension"), (switch_without_predicate, "has 1 inputs"),
    (loop_without_body, "belongs to no loop"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[make.__name__ for make, _ in BAD])
def test_hostile_graph_is_refused_by_name(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        execution.function(make(), [], ["a"])()


def test_a_long_chain_needs_no_recursion() -> None:
    nodes = [const("n0", np.float32(1))]
    nodes += [graph.build_node("Neg", f"n{i}", [(f"n{i - 1}", 1)]) for i in range(1, 20_001)]
    assert execution.function(GraphDef(node=nodes[::-1]), [], ["n20000"])()[0] == 1


def test_mutated_files_are_read_or_refused() -> None:
    """In a process of its own, whose memory and time are limited; it says how to repeat a case."""
    out = subprocess.run([sys.executable, str(HERE / "graph_fuzzer.py"), str(CASES)],
                         capture_output=True, text=True, check=False,
                         env=os.environ | {"PYTHONPATH": str(HERE.parents[1])})
    assert out.returncode == 0, out.stdout + out.stderr


@pytest.mark.parametrize("op", ["ReadFile", "WriteFile", "PyFunc", "MatchingFiles", "Save",
                                "ShardedFilename", "TFRecordReaderV2", "XlaCallModule"])
def test_what_reaches_beyond_the_graph_is_refused(op: str) -> None:
    made = GraphDef(node=[const("x", np.float32(1))])
    made.node.add(name="a", op=op, input=["x"])
    with pytest.raises(PipelineError, match=f"op {op} "):
        execution.function(made, [], ["a"])
