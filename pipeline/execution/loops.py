"""While loops as single nodes with a condition and a body, whichever TensorFlow wrote them.

A loop variable of TF1 is a ring of nodes in one frame
(tensorflow/python/ops/control_flow_ops.py, `WhileContext.BuildLoop`):

    Enter → Merge → Switch(·, LoopCond) → 1: body … → NextIteration → back to Merge
                                        → 0: Exit
    Enter(is_constant): a value from outside that the loop only reads

TF2's `While` has two functions of the variables.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pipeline import graph
from pipeline.execution.errors import ExecutionError
from pipeline.execution.library import Library
from pipeline.execution.liveness import MERGES, SWITCHES
from pipeline.execution.wires import Wire, Wires, data_ref, data_refs
from pipeline.graph import Ref

LOOP = "\0while_loop"
WHILES = ("While", "StatelessWhile")
_EXITS = ("Exit", "RefExit")
_ENTERS = ("Enter", "RefEnter")
_NEXT = ("NextIteration", "RefNextIteration")


class Part(NamedTuple):
    """What a condition or a body takes and gives, within the wires that it lies in.

    `effects` has for each output the nodes that it waits for though nothing takes their outputs.
    """

    wires: Wires
    inputs: list[Ref]
    outputs: list[Ref]
    effects: list[list[Ref]]


class Loop(NamedTuple):
    """The first `size` inputs of the parts are the loop's variables; the others never change."""

    cond: Part
    body: Part
    size: int


class _Variable(NamedTuple):
    enter: Wire
    merge: Wire
    next: Wire
    switch: Wire | None


class _Frames:
    """The loops of a graph by frame name."""

    def __init__(self, wires: Wires) -> None:
        self._wires = wires
        switches = {data_ref(wire, 0).node: wire for wire in wires.values()
                    if wire.op in SWITCHES and self._is_loop_switch(wire)}
        self.variables: dict[str, list[_Variable]] = {}
        self.constants: dict[str, list[Wire]] = {}
        looped = set()
        for merge in wires.values():
            if merge.op not in MERGES:
                continue
            into = [wires[ref.node] for ref in data_refs(merge) if ref.node in wires]
            enters = [wire for wire in into if wire.op in _ENTERS]
            nexts = [wire for wire in into if wire.op in _NEXT]
            if enters and nexts:
                looped.add(enters[0].name)
                self.variables.setdefault(_frame(enters[0]), []).append(
                    _Variable(enters[0], merge, nexts[0], switches.get(merge.name)))
        for wire in wires.values():
            if wire.op in _ENTERS and wire.name not in looped:
                self.constants.setdefault(_frame(wire), []).append(wire)

    def _is_loop_switch(self, wire: Wire) -> bool:
        refs = data_refs(wire)
        predicate = self._wires.get(refs[1].node) if len(refs) == 2 else None
        return predicate is not None and predicate.op == "LoopCond"

    def of_exit(self, wire: Wire) -> tuple[str, int]:
        """The frame that an Exit leaves, and which of its variables it takes out."""
        switch = data_ref(wire, 0).node
        for frame, variables in self.variables.items():
            for index, variable in enumerate(variables):
                if variable.switch is not None and variable.switch.name == switch:
                    return frame, index
        raise ExecutionError(f"{wire.op} node {wire.name!r} belongs to no loop that is built of "
                             "Enter, Merge, Switch and NextIteration")

    def loop(self, frame: str) -> tuple[Wire, Loop]:
        """The node that stands for a frame's loop, and its parts."""
        variables, constants = self.variables[frame], self.constants.get(frame, [])
        conditions = [self._wires[data_ref(each.switch, 1).node]
                      for each in variables if each.switch is not None]
        if not conditions:
            raise ExecutionError(f"the loop of frame {frame!r} has no Switch on a LoopCond")
        condition = conditions[0]
        outside = [Ref(wire.name, 0) for wire in constants]
        merges = [Ref(each.merge.name, 0) for each in variables]
        inside = [Ref(each.switch.name, 1) if each.switch is not None else merge
                  for each, merge in zip(variables, merges, strict=True)]
        cond = Part(self._wires, merges + outside, [data_ref(condition, 0)], [[]])
        body = Part(self._wires, inside + outside, [data_ref(each.next, 0) for each in variables],
                    [_waited_for(each.next) for each in variables])
        enters = [each.enter for each in variables] + constants
        inputs = [str(data_ref(wire, 0)) for wire in enters]
        inputs += [f"^{ref.node}" for wire in enters for ref in _waited_for(wire)]
        return (Wire(_loop_name(frame), LOOP, tuple(inputs), None),
                Loop(cond, body, len(variables)))


def loop_of_functions(wire: Wire, library: Library) -> Loop:
    """The parts of a `While` node.

    Raises:
        ExecutionError: a function is missing or malformed, or takes another number of values.
    """
    attrs = library.attrs(wire.proto, wire.caller) if wire.proto is not None else {}
    count, parts = len(data_refs(wire)), []
    for name in ("cond", "body"):
        if not isinstance(attrs.get(name), graph.FunctionName):
            raise ExecutionError(f"{wire.op} node {wire.name!r} names no function as its {name}")
        found = library.body(attrs[name])
        outputs = count if name == "body" else 1
        if (len(found.inputs), len(found.outputs)) != (count, outputs):
            raise ExecutionError(
                f"{wire.op} node {wire.name!r} has {count} variables; its {name} "
                f"{attrs[name].name!r} takes {len(found.inputs)} and gives {len(found.outputs)}")
        effects = library.effects(attrs[name])
        parts.append(Part(found.wires, found.inputs, found.outputs, [effects] * outputs))
    cond, body = parts
    return Loop(cond, body, count)


def lift_loops(wires: Wires, roots: Iterable[str]) -> tuple[Wires, dict[str, Loop]]:
    """The wires with every outermost loop that `roots` need made one node, and the loops' parts.

    Raises:
        ExecutionError: a loop is not built as TensorFlow builds them.
    """
    loops: dict[str, Loop] = {}
    if not any(wire.op in _EXITS for wire in wires.values()):
        return wires, loops
    frames, lifted = _Frames(wires), dict(wires)
    pending, seen = list(roots), set(roots)
    while pending:
        wire = lifted.get(pending.pop())
        if wire is None:
            continue   # the walk that orders the nodes says which input is missing
        if wire.op in _EXITS:
            frame, index = frames.of_exit(wire)
            name = _loop_name(frame)
            if name not in loops:
                lifted[name], loops[name] = frames.loop(frame)
            wire = lifted[wire.name] = Wire(wire.name, "Identity", (f"{name}:{index}",), None)
        for text in wire.input:
            below = graph.parse_ref(text).node
            if below not in seen:
                seen.add(below)
                pending.append(below)
    return lifted, loops


def _waited_for(wire: Wire) -> list[Ref]:
    return [graph.parse_ref(text) for text in wire.input if text.startswith("^")]


def _frame(enter: Wire) -> str:
    if enter.proto is None or "frame_name" not in enter.proto.attr:
        raise ExecutionError(f"{enter.op} node {enter.name!r} names no frame")
    return str(graph.decode_attr(enter.proto.attr["frame_name"]))


def _loop_name(frame: str) -> str:
    """A name with a blank, which no node can have."""
    return f"loop {frame.translate({ord(':'): '_', ord('^'): '_'})}"
