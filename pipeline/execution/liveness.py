"""Which branch of TF1's conditionals a node lies on.

`Switch(data, predicate)` sends its data to output 1 when the predicate is true and to output 0
when not; what depends on the other output, through data or control edges, is dead; `Merge` passes
on the input that is alive (tensorflow/core/common_runtime/executor.cc). Here every branch is
computed unless the predicate is known, and `Merge` selects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipeline import graph
from pipeline.execution.errors import ExecutionError
from pipeline.execution.wires import Wire, Wires, data_ref
from pipeline.graph import Ref

SWITCHES = ("Switch", "RefSwitch")
MERGES = ("Merge", "RefMerge")
SELECT = "\0Merge"
_SAME_VALUE = ("Identity", "RefIdentity", "StopGradient")


class Condition(NamedTuple):
    """Alive when `predicate` is `side`."""

    predicate: Ref
    side: bool


Conditions = frozenset[Condition]


def select_branches(wires: Wires, order: Sequence[str]) -> tuple[Wires, dict[str, Conditions]]:
    """Leads the deciding predicate to every `Merge`, and says when each node is alive.

    A `Merge` becomes `\\0Merge(inputs…, predicate)` with `true_index`, its input for a true
    predicate. One that does not join the two sides of one predicate stays as it is.
    """
    alive: dict[str, Conditions] = {}
    if not any(wires[name].op in SWITCHES for name in order):
        return wires, alive
    wires = dict(wires)
    for name in order:
        wire = wires[name]
        conditions = [_condition(graph.parse_ref(text), wires, alive) for text in wire.input]
        if wire.op in MERGES:
            data = [c for c, text in zip(conditions, wire.input, strict=True) if text[0] != "^"]
            choice = _choice(data)
            if choice is not None:
                wires[name] = Wire(name, SELECT, (*_data(wire), str(choice.predicate)), None,
                                   {"true_index": 0 if choice.side else 1})
            alive[name] = frozenset.intersection(*data)
        elif any(conditions):
            alive[name] = frozenset().union(*conditions)
    return wires, alive


def _condition(ref: Ref, wires: Wires, alive: dict[str, Conditions]) -> Conditions:
    """When one output of a node is alive."""
    found = alive.get(ref.node, frozenset())
    wire = wires[ref.node]
    if wire.op in SWITCHES and ref.output >= 0:
        predicate = _source(data_ref(wire, 1), wires)
        return found | {Condition(predicate, ref.output == 1)}
    return found


def _source(ref: Ref, wires: Wires) -> Ref:
    """The tensor that a chain of identities passes on: predicates are compared by it."""
    while wires[ref.node].op in _SAME_VALUE:
        ref = data_ref(wires[ref.node], 0)
    return ref


def _choice(data: Sequence[Conditions]) -> Condition | None:
    """The condition under which a `Merge`'s first input is the one that is alive."""
    if len(data) == 2:
        for condition in sorted(data[0]):
            if Condition(condition.predicate, not condition.side) in data[1]:
                return condition
    return None


def unjoined(wire: Wire) -> ExecutionError:
    """The error for a `Merge` that nothing decides."""
    return ExecutionError(f"{wire.op} node {wire.name!r} does not join the two sides of one Switch "
                          f"predicate; its inputs are {', '.join(wire.input)}")


def _data(wire: Wire) -> list[str]:
    return [text for text in wire.input if not text.startswith("^")]
