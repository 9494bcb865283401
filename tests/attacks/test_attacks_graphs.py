"""Graphs of a few bytes that ask for memory or time without end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attack import Attack, carry_out
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline import graph

DEEP = 10_000


def const(name: str, value: Any, shape: Sequence[int] | None = None) -> Any:
    """A constant; with `shape` its one value fills that."""
    array = np.asarray(value)
    node = graph.build_node("Const", name, attrs={"value": array, "dtype": array.dtype})
    if shape is not None:
        node.attr["value"].tensor.tensor_shape.CopyFrom(graph.encode_shape(shape))
    return node


def saved(nodes: Sequence[Any]) -> Callable[[Path], None]:
    return lambda theirs: graph.save_graph(GraphDef(node=nodes), theirs / "graph.pb")


def many(dtype: Any, number: int) -> list[Any]:
    """40 constants of 2^27 that are folded, each by a node of its own, and added: 21 GB."""
    nodes = [const(f"c{index}", dtype(1), [2**27]) for index in range(40)]
    nodes += [graph.build_node("Neg", f"n{index}", [(f"c{index}", number)]) for index in range(40)]
    sources = [(f"n{index}", number) for index in range(40)]
    return [*nodes, graph.build_node("AddN", "y", sources)]


def called(depth: int, calls: int) -> Callable[[Path], None]:
    """Functions of which each calls the one before, so many times."""
    made = GraphDef(node=[const("x", np.float32(1))])
    for level in range(depth):
        function = made.library.function.add()
        function.signature.name = f"f{level}"
        function.signature.input_arg.add(name="x", type=1)
        function.signature.output_arg.add(name="y", type=1)
        source = "x"
        for call in range(calls):
            node = function.node_def.add(name=f"n{call}", op=f"f{level - 1}" if level else "Neg",
                                         input=[source])
            if not level:
                node.attr["T"].type = 1
            source = f"n{call}:y:0"
        function.ret["y"] = source
    made.node.add(name="y", op=f"f{depth - 1}", input=["x"])
    return lambda theirs: graph.save_graph(made, theirs / "graph.pb")


def text(content: str) -> Callable[[Path], None]:
    return lambda theirs: (theirs / "graph.pb").write_text(content) and None


NESTED = "/".join(["a"] * DEEP)
INSPECT = ("task=inspect", "path={}/graph.pb")
ATTACKS = [
    Attack("constants", saved(many(np.float32, 1)), INSPECT, "5,368,709,120 parameters", code=0),
    Attack("folded-constants", saved(many(np.int32, 3)), INSPECT, "Neg 40", code=0),
    Attack("billion-laughs", called(60, 2), INSPECT, "· 0 FLOPs(.|\n)*f58 2", code=0),
    Attack("deep-calls", called(DEEP, 1), INSPECT, "nests functions .* too deeply: 10000", code=0),
    Attack("deep-scopes", saved([const("x", np.float32(1)),
                                 graph.build_node("Neg", NESTED, [("x", 1)])]),
           (*INSPECT, "destination=outputs/page.html"), "Neg 1", code=0),
    Attack("deep-json", text('{"node": [{"attr": ' * DEEP), INSPECT, "recursion depth", code=4),
    Attack("deep-text", text("node { attr { value { func { " + "attr { value { func { " * DEEP),
           INSPECT, "recursion", code=4),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_a_graph_takes_no_more_than_its_due(attack: Attack, tmp_path: Path) -> None:
    carry_out(attack, tmp_path)
