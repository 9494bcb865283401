"""A graph's function library: FunctionDefs as wires that the compiler treats like any other part.

Inside a function a reference is `argument`, `argument:index` or `node:output_name:index`; the
wires have plain `node:index` instead, and names with the function's in front.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, NamedTuple

from google.protobuf.message import Message

from pipeline import graph
from pipeline.execution.custom_gradients import (
    CUSTOM_GRADIENT,
    NO_GRADIENTS,
    Gradients,
    named_gradient,
)
from pipeline.execution.errors import ExecutionError
from pipeline.execution.wires import Wire, Wires
from pipeline.graph import AttrPlaceholder, FunctionName, Ref


class Body(NamedTuple):
    """A function for given attributes: its wires, its arguments and its results, flattened."""

    wires: Wires
    inputs: list[Ref]
    outputs: list[Ref]


class Library:
    """The functions of a graph by name, and the gradients that are known of them."""

    def __init__(
        self, functions: Iterable[Message] = (), gradients: Gradients = NO_GRADIENTS
    ) -> None:
        self._functions = {each.signature.name: each for each in functions}
        self._gradients = gradients
        self._users: dict[Callable[[str], bool], set[str]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def attrs(self, node: Message, caller: Mapping[str, Any]) -> dict[str, Any]:
        """A node's attributes, those that the function's caller says replaced by what it says."""
        found = graph.read_attrs(node)
        return {key: _resolve(value, caller) for key, value in found.items()}

    def body(self, function: FunctionName) -> Body:
        """The wires of a function.

        Raises:
            ExecutionError: there is no such function, or a reference in it is malformed.
        """
        if function.name not in self._functions:
            raise ExecutionError(f"graph has no function {function.name!r}")
        definition = self._functions[function.name]
        signature, prefix = definition.signature, function.name + "/"
        arguments = {argument.name: _count(argument, function.attrs)
                     for argument in signature.input_arg}
        nodes = {node.name: node for node in definition.node_def}
        if len(nodes) != len(definition.node_def) or arguments.keys() & nodes.keys():
            raise ExecutionError(f"function {function.name!r} defines a node twice")
        offsets = {name: self._offsets(node, function.attrs) for name, node in nodes.items()}

        def flat(text: str) -> str:
            return _flatten(text, prefix, arguments, offsets, function.name)

        wires = {prefix + name: self._with_gradient(
                     Wire(prefix + name, node.op, tuple(map(flat, node.input)), node,
                          caller=function.attrs), prefix, {*nodes, *arguments})
                 for name, node in nodes.items()}
        inputs = [Ref(prefix + name, index)
                  for name, count in arguments.items() for index in range(count)]
        outputs = [graph.parse_ref(flat(definition.ret[argument.name]))
                   for argument in signature.output_arg]
        return Body(wires, inputs, outputs)

    def gradient_of(self, function: FunctionName) -> FunctionName | None:
        """The function that a library names as a function's gradient."""
        name = self._gradients.of_functions.get(function.name)
        return None if name is None else FunctionName(name, function.attrs)

    def _with_gradient(self, wire: Wire, prefix: str, names: Container[str]) -> Wire:
        """The wire; one whose custom gradient is known takes what that captures as well."""
        if wire.op != "IdentityN":
            return wire
        gradient = self._gradients.by_type.get(named_gradient(wire.proto))
        if gradient is None or gradient.function not in self:
            return wire
        captured = [text for name in gradient.captures
                    if (text := _captured(name, prefix, names)) is not None]
        if len(captured) < len(gradient.captures):
            return wire
        data = tuple(text for text in wire.input if text[0] != "^")
        return wire._replace(
            op=CUSTOM_GRADIENT, proto=None, input=(*data, *captured, *wire.input[len(data):]),
            attrs={"gradient": FunctionName(gradient.function, {}), "count": len(data),
                   "places": gradient.places})

    def effects(self, function: FunctionName) -> list[Ref]:
        """The nodes that a function names as having to run though nothing takes their outputs."""
        return [Ref(f"{function.name}/{name}", graph.CONTROL)
                for name in self._functions[function.name].control_ret.values()]

    def uses(self, name: str, wanted: Callable[[str], bool]) -> bool:
        """Whether a function, or one that it calls, has a node of a wanted op."""
        if wanted not in self._users:
            self._users[wanted] = self._users_of(wanted)
        return name in self._users[wanted]

    def _users_of(self, wanted: Callable[[str], bool]) -> set[str]:
        """All functions that have a wanted op, or call one that has: up from callee to caller."""
        callers: dict[str, set[str]] = {}
        found = set()
        for name, definition in self._functions.items():
            for node in definition.node_def:
                if wanted(node.op):
                    found.add(name)
                for called in (node.op, *called_functions(node)):
                    if called in self:
                        callers.setdefault(called, set()).add(name)
        pending = list(found)
        while pending:
            fresh = callers.get(pending.pop(), set()) - found
            found |= fresh
            pending += fresh
        return found

    def _offsets(self, node: Message, caller: Mapping[str, Any]) -> dict[str, int]:
        """Where each named output of a node begins among all of them."""
        if node.op in self._functions:
            arguments: Iterable[Any] = self._functions[node.op].signature.output_arg
        elif graph.has_op_def(node.op):
            arguments = graph.signature(node.op).outputs
        else:
            return {}
        listed = list(arguments)
        if len(listed) == 1:
            return {listed[0].name: 0}
        attrs, begin, found = self.attrs(node, caller), 0, {}
        for argument in listed:
            found[argument.name] = begin
            begin += _count(argument, attrs)
        return found


def called_functions(node: Message) -> list[str]:
    """The names of the functions that a node's attributes mention."""
    return [each.name for attr in node.attr.values()
            for each in (attr.func, *attr.list.func) if each.name]


def _captured(name: str, prefix: str, names: Container[str]) -> str | None:
    """A tensor of a function by the name that it had in the graph it was traced in.

    There arguments still had the letters that FunctionDefs replace: function.cc, `Normalize`.
    """
    node, _, index = name.rpartition(":")
    if node not in names:
        node, index = re.sub(r"[^a-z0-9]", "_", node.lower()).lstrip("_0123456789"), "0"
    return f"{prefix}{node}:{index}" if node in names else None


def _count(argument: Any, attrs: Mapping[str, Any]) -> int:
    """How many tensors an argument stands for."""
    try:
        if argument.number_attr:
            return int(attrs[argument.number_attr])
        return len(attrs[argument.type_list_attr]) if argument.type_list_attr else 1
    except (KeyError, TypeError):
        raise ExecutionError(f"argument {argument.name!r} has a length that "
                             "no attribute says") from None


def _flatten(
    text: str, prefix: str, arguments: Mapping[str, int],
    offsets: Mapping[str, Mapping[str, int]], function: str,
) -> str:
    if text.startswith("^"):
        return f"^{prefix}{text[1:]}"
    node, *rest = text.split(":")
    if node in arguments and len(rest) <= 1:
        return f"{prefix}{node}:{rest[0] if rest else 0}"
    if node in offsets and len(rest) == 2 and rest[1].isdecimal():
        return f"{prefix}{node}:{offsets[node].get(rest[0], 0) + int(rest[1])}"
    raise ExecutionError(f"function {function!r} refers to {text!r}; expected an argument or "
                         "'node:output:index' of one of its nodes")


def _resolve(value: Any, caller: Mapping[str, Any]) -> Any:
    if isinstance(value, AttrPlaceholder):
        if value.name not in caller:
            raise ExecutionError(f"attribute {value.name!r} is left open and no caller gives it")
        return caller[value.name]
    if isinstance(value, FunctionName):
        return FunctionName(value.name, {k: _resolve(v, caller) for k, v in value.attrs.items()})
    return value
