"""What functions of a graph do, by way of those that they call."""

from __future__ import annotations

import pytest
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline.execution.library import Library

DEPTH = 200


def chain(*, closed: bool = False) -> Library:
    """`f0` calls `f1` calls … the last, which holds `Assign`; `other` calls the last, too."""
    graph_def = GraphDef()
    calls = {f"f{at}": f"f{at + 1}" for at in range(DEPTH)}
    calls |= {f"f{DEPTH}": "f0" if closed else "Neg", "other": f"f{DEPTH}", "alone": "Neg"}
    for name, op in calls.items():
        definition = graph_def.library.function.add()
        definition.signature.name = name
        definition.node_def.add(name="call", op=op)
        if name == f"f{DEPTH}":
            definition.node_def.add(name="assign", op="Assign")
    return Library(graph_def.library.function)


@pytest.mark.parametrize("closed", [False, True])
def test_each_node_is_looked_at_once(closed: bool) -> None:
    library, looked = chain(closed=closed), []

    def is_assign(op: str) -> bool:
        looked.append(op)
        return op == "Assign"

    assert all(library.uses(f"f{at}", is_assign) for at in range(DEPTH + 1))
    assert library.uses("other", is_assign)
    assert not library.uses("alone", is_assign)
    assert not library.uses("missing", is_assign)
    assert len(looked) == DEPTH + 4
