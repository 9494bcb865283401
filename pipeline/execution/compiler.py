"""From nodes to a program: what the outputs need, rewired, ordered, checked and given its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from pipeline import dtypes, graph
from pipeline.execution import legality, registry
from pipeline.execution.custom_gradients import named_gradient, refusal
from pipeline.execution.cutting import find_cut
from pipeline.execution.early import demanded_tensors, early_steps
from pipeline.execution.effects import is_on_stacks, is_write, is_write_without_rule
from pipeline.execution.errors import ExecutionError
from pipeline.execution.library import Library, called_functions
from pipeline.execution.liveness import MERGES, select_branches, unjoined
from pipeline.execution.loops import WHILES, lift_loops
from pipeline.execution.program import CALLS, Program, Step
from pipeline.execution.pruning import Kept, Pruner
from pipeline.execution.registry import Node
from pipeline.execution.types import Types
from pipeline.execution.values import is_repeated
from pipeline.execution.wires import FEED, Wire, Wires, cut, data_refs, feed_name
from pipeline.graph import FunctionName, Ref

_LIFTED_BYTES = 1024       # constants from this size on are arguments of the compiled function
_REPEATED_BYTES = 1 << 26  # one value repeated so often stays one value
_MUST_FEED = "You must feed a value for placeholder tensor"
_PLACEHOLDERS = ("Placeholder", "PlaceholderV2")


class Compiler:
    """Compiles parts of one graph and collects everything that stands in the way.

    Args:
        library: the functions that nodes may call.
        lifted: says of a constant's name whether it becomes an argument however small it is.
    """

    def __init__(
        self, library: Library, lifted: Callable[[str], bool] = lambda name: False
    ) -> None:
        self._library = library
        self._lifted = lifted
        self._keeps_stacks = False   # until something that is needed pops from one
        self._forget()

    def _forget(self) -> None:
        self._problems: dict[str, list[str]] = {}
        self._functions: dict[str, Program | None] = {}   # None: being compiled
        self._wanted: dict[str, FunctionName] = {}        # called, and not compiled yet
        self._pruner = Pruner(self._library, self._writes)

    def compile(self, wires: Wires, inputs: Sequence[Ref], outputs: Sequence[Ref]) -> Program:
        """The program that computes `outputs` from `inputs`.

        Raises:
            ExecutionError: whatever has no rule or is not understood, all in one message; a
                placeholder that is needed and is not among the inputs.
            GraphError: a missing node, a cycle, a malformed attribute.
        """
        try:
            program = self._complete(lambda: self._part(wires, inputs, outputs))
            if program.stacks and not self._keeps_stacks:
                self._keeps_stacks = True
                self._forget()
                program = self._complete(lambda: self._part(wires, inputs, outputs))
        except RecursionError:
            raise ExecutionError("graph nests loops too deeply") from None
        if self._problems:
            raise self._refusal(wires, inputs, outputs)
        return program

    def _refusal(
        self, wires: Wires, inputs: Sequence[Ref], outputs: Sequence[Ref]
    ) -> ExecutionError:
        """The error that tells all problems, and where the graph can be cut instead."""
        targets = [ref for ref in outputs if ref not in inputs]
        found = find_cut(cut(wires, inputs), targets, self._library)
        lines = [f"  {what}: {_some(nodes)}" for what, nodes in sorted(self._problems.items())
                 if found is None or not what.startswith(_MUST_FEED) or any(
                     f" {name!r} " in what for name in found.left)]
        if found is not None:
            fed = [f"{ref.node}:{ref.output}" for index, ref in enumerate(inputs)
                   if feed_name(index) in found.left]
            fed += [f"{name}:0" for name, wire in wires.items()
                    if name in found.left and wire.op in _PLACEHOLDERS]
            names = [*fed, *(point.name for point in found.points)]
            lines += ["feed what follows from these nodes instead:",
                      *(f"  {point}" for point in found.points),
                      f"as in graph.function({names}, "
                      f"{[f'{ref.node}:{ref.output}' for ref in targets]})"]
        return ExecutionError("graph cannot be run here:\n" + "\n".join(lines))

    def _complete(self, make: Callable[[], Program]) -> Program:
        """The program that `make` gives once every function that it calls is compiled.

        Those come first, one after the other instead of one within the other: functions may call
        one another 10,000 deep.
        """
        pending = [("", make)]
        while True:
            key, make = pending[-1]
            if self._functions.get(key) is not None:
                pending.pop()
                continue
            self._functions[key] = None
            problems = {what: list(names) for what, names in self._problems.items()}
            self._wanted = {}
            program = make()
            if self._wanted:    # it was made without them: again later
                self._problems = problems
                pending += [(called, partial(self._body, function))
                            for called, function in self._wanted.items()]
                continue
            program.look_within()
            self._functions[key] = program
            pending.pop()
            if not pending:
                return program

    def _body(self, function: FunctionName) -> Program:
        body = self._library.body(function)
        return self._part(body.wires, body.inputs, body.outputs, self._library.effects(function))

    def _part(
        self, wires: Wires, inputs: Sequence[Ref], outputs: Sequence[Ref],
        effects: Sequence[Ref] = (),
    ) -> Program:
        """As `compile`, but problems are only noted; of `effects` only what writes is run."""
        before, wires = wires, cut(wires, inputs)
        fed = {ref: Ref(feed_name(index), 0) for index, ref in enumerate(inputs)}
        targets = [fed.get(ref, ref) for ref in outputs]
        for ref in targets:
            if ref.node not in wires:
                raise graph.missing_node(ref.node, wires)
        roots = [ref.node for ref in (*targets, *effects)]
        wires, loops = lift_loops(wires, roots)
        every = graph.topological_order(wires, roots)
        wires, alive = select_branches(wires, every)
        needed = self._pruner.needed(wires, every, targets, alive, loops)
        types = Types(self._library, {**before, **wires}, inputs)
        nodes = [self._node(wires[name], needed.loops, types) for name in needed.names]
        steps = tuple(
            Step(node, rule, alive.get(node.name, frozenset()))
            for node in nodes if (rule := registry.find(node.op)) is not None)
        demanded = demanded_tensors(steps)
        early = early_steps(steps, demanded)
        wanted = {ref.node for ref in demanded} | early
        steps = tuple(
            replace(step, demanded=True, early=step.node.name in early and not step.rule.folds)
            if step.node.name in wanted else step for step in steps)
        static = {index for index in range(len(inputs)) if Ref(feed_name(index), 0) in demanded}
        return Program(tuple(inputs), tuple(targets), steps, self._constants(steps, wanted),
                       frozenset(static))

    def _function(self, function: FunctionName, caller: str) -> Program | None:
        """The program of a function, compiled once; None where it has to be compiled first.

        None, and a note, where it calls itself.
        """
        key = f"{function.name}\0{sorted(function.attrs.items())}"
        if key not in self._functions:
            self._wanted[key] = function
            return None
        if self._functions[key] is None:
            self._note(f"function {function.name} calls itself, which is not supported", caller)
        return self._functions[key]

    def _node(self, wire: Wire, loops: Mapping[str, Kept], types: Types) -> Node:
        """The node for a rule; what is wrong with it is noted."""
        attrs = self._library.attrs(wire.proto, wire.caller) if wire.proto is not None else {}
        attrs.update(wire.attrs)
        op, refs = wire.op, data_refs(wire)
        if op in MERGES:
            raise unjoined(wire)
        if registry.find(op) is None and op in self._library:
            attrs, op = _call_attrs(FunctionName(op, attrs)), "PartitionedCall"
        if op in CALLS and (gradient := self._library.gradient_of(attrs["f"])) is not None:
            attrs["gradient"] = gradient
        for problem in legality.problems(wire, attrs, types):
            self._note(problem, wire.name)
        node = Node(wire.name, op, tuple(refs), attrs)
        if op in _PLACEHOLDERS and registry.forbidden_attrs(op, attrs):
            self._check(node)
        elif op in _PLACEHOLDERS:
            self._note(f"{_MUST_FEED} {_placeholder(node)}", "")
        elif op != FEED:
            self._check(node)
        if wire.name in loops:
            return self._loop(node, loops[wire.name])
        unknown = "" if wire.proto is None else named_gradient(wire.proto)
        shapes = legality.declared_shapes(wire)
        if shapes is not None:
            node = replace(node, shapes=tuple(shapes))
        return replace(node, barred=refusal(op, wire.name, unknown)) if unknown else node

    def _loop(self, node: Node, kept: Kept) -> Node:
        """A loop with the programs of what it keeps of its condition and its body."""
        programs = {}
        for name, part in (("cond", kept.loop.cond), ("body", kept.loop.body)):
            part = kept.part(part)
            programs[name] = self._part(part.wires, part.inputs, part.outputs,
                                        [ref for each in part.effects for ref in each])
        attrs = {**node.attrs, **programs, "variables": kept.variables, "count": kept.loop.size}
        return replace(node, inputs=tuple(node.inputs[each] for each in kept.positions),
                       attrs=attrs)

    def _check(self, node: Node) -> None:
        rule = registry.find(node.op)
        forbidden = registry.forbidden_attrs(node.op, node.attrs)
        for key, expected in forbidden.items():
            self._note(f"op {node.op} has {key}={node.attrs.get(key)!r}; expected {expected}",
                       node.name)
        if rule is None and not forbidden:
            self._note(f"op {node.op} is not supported", node.name)
        if rule is None:
            return
        for key, value in registry.refused_attrs(node.op, node.attrs).items():
            self._note(f"op {node.op} is not supported with {key}={value!r}", node.name)
        for key in rule.attrs & node.attrs.keys() if node.op not in WHILES else ():
            value = node.attrs[key]
            if isinstance(value, FunctionName):
                node.attrs[key] = self._function(value, node.name)
            elif isinstance(value, list) and value and isinstance(value[0], FunctionName):
                node.attrs[key] = [self._function(each, node.name) for each in value]

    def _note(self, what: str, name: str) -> None:
        self._problems.setdefault(what, []).append(name)

    def _writes(self, wire: Wire) -> bool:
        """Whether a node assigns to variables, itself or in a function that it calls."""
        if is_write(wire.op) or (self._keeps_stacks and is_on_stacks(wire.op)):
            return True
        if wire.op not in self._library and is_write_without_rule(wire.op):
            return True
        if wire.proto is None:
            return False
        called = [wire.op, *called_functions(wire.proto)]
        return any(self._library.uses(name, is_write) for name in called if name in self._library)

    def _constants(
        self, steps: Iterable[Step], demanded: set[str]
    ) -> dict[str, np.ndarray[Any, Any]]:
        found: dict[str, np.ndarray[Any, Any]] = {}
        for step in steps:
            name, value = step.node.name, step.node.attrs.get("value")
            if step.node.op == "Const" and isinstance(value, np.ndarray) and value.dtype != object:
                lifted = (_is_weights(value) or value.nbytes >= _LIFTED_BYTES) and not (
                    is_repeated(value) and value.nbytes >= _REPEATED_BYTES)
                if (lifted and name not in demanded) or self._lifted(name):
                    found[name] = value
            for part in step.parts if not step.early else ():
                found.update(part.constants)
        return found


def _call_attrs(function: FunctionName) -> dict[str, Any]:
    """A call's attributes; its types are the function's own to say."""
    return {**graph.attribute_defaults("PartitionedCall"), "Tin": [], "Tout": [], "f": function}


def _is_weights(value: np.ndarray[Any, Any]) -> bool:
    """Whether a constant is what training changes; graphs that differ in it compile once."""
    return value.ndim > 0 and jnp.issubdtype(value.dtype, np.inexact)


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
