"""Execution rules by op, and what each of them understands.

A rule is `rule(node, *inputs) -> array | tuple of arrays`. Inputs are NumPy arrays where the value
is known before running and JAX arrays otherwise; a rule that keeps NumPy in, NumPy out `folds`, so
that shapes computed by the graph stay known under `jit`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import numpy as np

from pipeline import graph


@dataclass(frozen=True, slots=True)
class Node:
    """What a rule sees of a node: its attributes are decoded, absent ones are the op's defaults.

    `barred` is why its outputs may not be differentiated; "" where they may. `shapes` are those
    that the graph declares for its outputs, None where it does not.
    """

    name: str
    op: str
    inputs: tuple[graph.Ref, ...]
    attrs: dict[str, Any]
    barred: str = ""
    shapes: tuple[Any, ...] | None = None

    def __getitem__(self, key: str) -> Any:
        return self.attrs[key]


@dataclass(frozen=True)
class Rule:
    """One op's rule.

    Attributes:
        function: the rule itself; `rule(node, *inputs)`.
        attrs: attributes that the rule reads. Types and lengths that follow from the inputs need
            not be listed; any other attribute must have its default.
        static: positions of the inputs that must be known before running; negative from the end.
        folds: known inputs give known outputs.
        writes: the rule changes a variable, so it runs even when only a control edge needs it.
        takes_run: the rule takes the `Run` after the node.
        handles: the rule takes variables themselves; others get what variables hold.
        variable: the node is a variable.
        stacks: the rule changes a stack; it runs for a control edge if something pops from stacks.
    """

    function: Callable[..., Any]
    attrs: frozenset[str]
    static: tuple[int, ...] = ()
    folds: bool = False
    writes: bool = False
    takes_run: bool = False
    handles: bool = False
    variable: bool = False
    stacks: bool = False


_RULES: dict[str, Rule] = {}
# what `graph.decode_attr` gives for each type that op definitions name
_PYTHON_TYPES: dict[str, Any] = {
    "int": int, "float": float, "bool": bool, "type": int, "string": str,
    "shape": (tuple, type(None)), "tensor": np.ndarray, "func": graph.FunctionName, "list": list,
}
_Function = TypeVar("_Function", bound=Callable[..., Any])


def rule(
    *ops: str,
    attrs: str = "",
    static: tuple[int, ...] = (),
    folds: bool = False,
    writes: bool = False,
    takes_run: bool = False,
    handles: bool = False,
    variable: bool = False,
    stacks: bool = False,
) -> Callable[[_Function], _Function]:
    """Registers a function as the rule of `ops`; `attrs` lists attribute names between blanks.

    Raises:
        ValueError: one of the ops has a rule already.
    """
    def register(function: _Function) -> _Function:
        for op in ops:
            if op in _RULES:
                raise ValueError(f"op {op} has a rule already: {_RULES[op].function}")
            _RULES[op] = Rule(function, frozenset(attrs.split()), static, folds, writes, takes_run,
                              handles, variable, stacks)
        return function
    return register


def find(op: str) -> Rule | None:
    """The rule of an op, if there is one."""
    return _RULES.get(op)


def supported_ops() -> list[str]:
    """The names of all ops that have a rule, sorted."""
    return sorted(op for op in _RULES if op.isidentifier())


def refused_attrs(op: str, attrs: dict[str, Any]) -> dict[str, Any]:
    """The attributes that differ from their default and that the op's rule does not understand."""
    known = _RULES[op].attrs | _implied(op)
    defaults = graph.attribute_defaults(op)
    defined = {each.name for each in graph.op_def(op).attr} if graph.has_op_def(op) else attrs
    return {key: value for key, value in attrs.items()
            if key not in known and key in defined
            and not (key in defaults and _same(defaults[key], value))}


def forbidden_attrs(op: str, attrs: dict[str, Any]) -> dict[str, str]:
    """The attributes whose value the op's definition rules out, and what it asks for."""
    found = {}
    for each in graph.op_def(op).attr if graph.has_op_def(op) else ():
        value = attrs.get(each.name)
        if each.name not in attrs:
            if op in _RULES and each.name in _RULES[op].attrs:
                found[each.name] = f"a value of type {each.type}"
            continue
        if not isinstance(value, _PYTHON_TYPES.get(each.type.partition("(")[0], object)):
            found[each.name] = f"type {each.type}"
            continue
        if each.has_minimum and isinstance(value, (int, list)):
            size = len(value) if isinstance(value, list) else value
            if size < each.minimum:
                found[each.name] = f"at least {each.minimum}"
        if isinstance(value, str) and each.allowed_values.list.s:
            allowed = [text.decode() for text in each.allowed_values.list.s]
            if value not in allowed:
                found[each.name] = f"one of {', '.join(allowed)}"
    return found


@cache
def _implied(op: str) -> frozenset[str]:
    """Types and lengths of an op's inputs."""
    if not graph.has_op_def(op):
        return frozenset()
    return frozenset(name for each in graph.signature(op).inputs
                     for name in (each.type_attr, each.number_attr, each.type_list_attr))


def _same(default: Any, value: Any) -> bool:
    if isinstance(default, Sequence) and isinstance(value, Sequence):
        return list(default) == list(value)
    return bool(default == value)
