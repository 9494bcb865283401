"""From nodes to a program: what the outputs need, rewired, ordered, checked and given its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pipeline import dtypes, graph
from pipeline.execution import registry
from pipeline.execution.errors import ExecutionError
from pipeline.execution.liveness import select_branches
from pipeline.execution.program import Program, Step
from pipeline.execution.registry import Node
from pipeline.execution.wires import Wire, Wires, cut, data_refs, feed_name
from pipeline.graph import Ref

_LIFTED_BYTES = 1024       # constants from this size on are arguments of the compiled function
_PLACEHOLDERS = ("Placeholder", "PlaceholderV2")


class Compiler:
    """Compiles parts of one graph and collects everything that stands in the way.

    Args:
        lifted: says of a constant's name whether it becomes an argument however small it is.
    """

    def __init__(self, lifted: Callable[[str], bool] = lambda name: False) -> None:
        self._lifted = lifted
        self._problems: dict[str, list[str]] = {}

    def compile(self, wires: Wires, inputs: Sequence[Ref], outputs: Sequence[Ref]) -> Program:
        """The program that computes `outputs` from `inputs`.

        Raises:
            ExecutionError: whatever has no rule or is not understood, all in one message; a
                placeholder that is needed and is not among the inputs.
            GraphError: a missing node, a cycle, a malformed attribute.
        """
        program = self.compile_part(wires, inputs, outputs)
        self.raise_problems()
        return program

    def raise_problems(self) -> None:
        """Raises one ExecutionError for all that was found, if anything was."""
        if self._problems:
            lines = [f"  {what}: {_some(nodes)}" for what, nodes in sorted(self._problems.items())]
            raise ExecutionError("graph cannot be run here:\n" + "\n".join(lines))

    def compile_part(self, wires: Wires, inputs: Sequence[Ref], outputs: Sequence[Ref]) -> Program:
        """As `compile`, but problems are only collected."""
        wires = cut(wires, inputs)
        fed = {ref: Ref(feed_name(index), 0) for index, ref in enumerate(inputs)}
        targets = [fed.get(ref, ref) for ref in outputs]
        for ref in targets:
            if ref.node not in wires:
                raise graph.missing_node(ref.node, wires)
        every = graph.topological_order(wires, [ref.node for ref in targets])
        wires, alive = select_branches(wires, every)
        nodes = [self._node(wires[name]) for name in _needed(wires, every, targets)]
        steps = tuple(
            Step(node, rule, alive.get(node.name, frozenset()))
            for node in nodes if (rule := registry.find(node.op)) is not None)
        demanded = _demanded(steps)
        static = {index for index in range(len(inputs)) if Ref(feed_name(index), 0) in demanded}
        return Program(tuple(inputs), tuple(targets), steps, self._constants(steps, demanded),
                       frozenset(static))

    def _node(self, wire: Wire) -> Node:
        """The node for a rule; what is wrong with it is noted."""
        attrs = graph.read_attrs(wire.proto) if wire.proto is not None else {}
        attrs.update(wire.attrs)
        node = Node(wire.name, wire.op, tuple(data_refs(wire)), attrs)
        if wire.op in _PLACEHOLDERS:
            self._note(f"You must feed a value for placeholder tensor {_placeholder(node)}", "")
        elif wire.op != "\0Feed":
            self._check(node)
        return node

    def _check(self, node: Node) -> None:
        if registry.find(node.op) is None:
            self._note(f"op {node.op} is not supported", node.name)
            return
        for key, value in registry.refused_attrs(node.op, node.attrs).items():
            self._note(f"op {node.op} is not supported with {key}={value!r}", node.name)

    def _note(self, what: str, name: str) -> None:
        self._problems.setdefault(what, []).append(name)

    def _constants(
        self, steps: Iterable[Step], demanded: set[Ref]
    ) -> dict[str, np.ndarray[Any, Any]]:
        found = {}
        for step in steps:
            name, value = step.node.name, step.node.attrs.get("value")
            if step.node.op == "Const" and isinstance(value, np.ndarray) and value.dtype != object:
                large = value.nbytes >= _LIFTED_BYTES and Ref(name, 0) not in demanded
                if large or self._lifted(name):
                    found[name] = value
        return found


def _needed(wires: Wires, every: Sequence[str], targets: Iterable[Ref]) -> list[str]:
    """Of `every` in order: what `targets` and the writes they order before them take as data."""
    pending = [ref.node for ref in targets]
    pending += [name for name in every
                if (rule := registry.find(wires[name].op)) is not None and rule.writes]
    found = set(pending)
    while pending:
        for ref in data_refs(wires[pending.pop()]):
            if ref.node not in found:
                found.add(ref.node)
                pending.append(ref.node)
    return [name for name in every if name in found]


def _demanded(steps: Sequence[Step]) -> set[Ref]:
    """The tensors that must be known before running, back to where they come from."""
    found: set[Ref] = set()
    wanted_of: set[str] = set()
    for step in reversed(steps):
        refs = step.node.inputs
        wanted = refs if step.node.name in wanted_of and step.rule.folds else [
            refs[position] for position in step.rule.static if -len(refs) <= position < len(refs)]
        found.update(wanted)
        wanted_of.update(ref.node for ref in wanted)
    return found


def _placeholder(node: Node) -> str:
    """A placeholder as TensorFlow's message describes it."""
    shape = node.attrs.get("shape")
    sizes = None if shape is None else ",".join("?" if n is None else str(n) for n in shape)
    text = "<unknown>" if sizes is None else f"[{sizes}]"
    dtype = dtypes.name(node.attrs.get("dtype", 0)).removeprefix("DT_").lower()
    return f"{node.name!r} with dtype {dtype} and shape {text}"


def _some(nodes: Sequence[str]) -> str:
    named = [name for name in nodes if name]
    more = f" and {len(named) - 10} more" if len(named) > 10 else ""
    return ", ".join(named[:10]) + more if named else "add it to the inputs"
