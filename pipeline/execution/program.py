"""A list of steps: what of a graph some outputs need, in order, each with its rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import numpy as np

from pipeline import dtypes, graph
from pipeline.execution.errors import ExecutionError
from pipeline.execution.liveness import Conditions
from pipeline.execution.registry import Node, Rule
from pipeline.execution.values import DEAD, is_static
from pipeline.execution.wires import feed_name
from pipeline.graph import CONTROL, GraphError, Ref

Values = dict[str, Sequence[Any]]


class Step(NamedTuple):
    """A node with its rule, and when it is alive."""

    node: Node
    rule: Rule
    conditions: Conditions


@dataclass
class Run:
    """One evaluation: what rules that take more than their inputs look at.

    Attributes:
        constants: lifted constants by node name.
        variables: by name; rules that assign replace the entry.
        key: a JAX random key, or None to draw from the nodes' own seeds.
    """

    constants: Mapping[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    key: Any = None


@dataclass(frozen=True, eq=False)
class Program:
    """Steps that compute `outputs` from `inputs`.

    Attributes:
        inputs: tensors given from outside.
        outputs: tensors wanted, of the feeds where an output is fed; `CONTROL` ones give None.
        steps: in an order that has inputs first.
        constants: large constants by node name; a `Run` may give others in their place.
        static_inputs: positions of the inputs that must be known before running.
    """

    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]
    steps: tuple[Step, ...]
    constants: dict[str, np.ndarray[Any, Any]]
    static_inputs: frozenset[int]

    def run(self, run: Run, inputs: Sequence[Any]) -> list[Any]:
        """The values of `outputs`.

        Raises:
            ExecutionError: a rule cannot compute with the shapes and values it got.
        """
        values: Values = {feed_name(index): (value,) for index, value in enumerate(inputs)}
        with np.errstate(all="ignore"):
            for step in self.steps:
                values[step.node.name] = _evaluate(step, run, values)
        return [None if ref.output == CONTROL else _output(ref, values) for ref in self.outputs]


class _DeadOutputs(Sequence[Any]):
    """As many dead outputs as anybody asks for."""

    def __getitem__(self, index: Any) -> Any:
        return DEAD

    def __len__(self) -> int:
        return 0


def _evaluate(step: Step, run: Run, values: Values) -> Sequence[Any]:
    if step.conditions and _is_dead(step.conditions, values):
        return _DeadOutputs()
    node, rule = step.node, step.rule
    arguments = [_output(ref, values) for ref in node.inputs]
    for position in rule.static:
        if -len(arguments) <= position < len(arguments) and not is_static(arguments[position]):
            raise ExecutionError(
                f"{node.op} node {node.name!r} needs input {node.inputs[position]} before running, "
                "but it is computed from what is fed; fix what it depends on with `given`")
    if rule.takes_run:
        arguments.insert(0, run)
    try:
        with jax.named_scope(node.name.rpartition("/")[0]):
            result = rule.function(node, *arguments)
    except ExecutionError as error:
        raise ExecutionError(_where(node, str(error))) from error.__cause__
    except Exception as error:
        shapes = ", ".join(_describe(value) for value in arguments if value is not run)
        raise ExecutionError(_where(node, f"{error} (inputs: {shapes or 'none'})")) from error
    outputs = result if type(result) in (tuple, list) else (result,)
    return _declared(node, outputs) if rule.folds else outputs


def _is_dead(conditions: Conditions, values: Values) -> bool:
    for predicate, side in conditions:
        if predicate.node in values:
            value = values[predicate.node][predicate.output]
            if value is DEAD or (is_static(value) and bool(value) is not side):
                return True
    return False


def _output(ref: Ref, values: Values) -> Any:
    outputs = values[ref.node]
    if not isinstance(outputs, _DeadOutputs) and ref.output >= len(outputs):
        raise ExecutionError(f"output {ref.output} of node {ref.node!r} is asked for; "
                             f"it has {len(outputs)}")
    return outputs[ref.output]


def _declared(node: Node, outputs: Sequence[Any]) -> Sequence[Any]:
    """Known outputs in the dtypes that the op's definition declares; NumPy widens sums."""
    if not any(is_static(value) for value in outputs) or not graph.has_op_def(node.op):
        return outputs
    try:
        numbers = graph.output_types(node.op, node.attrs)
    except (GraphError, KeyError):
        return outputs
    return tuple(np.asarray(value, dtypes.to_numpy(number)) if is_static(value) else value
                 for value, number in zip(outputs, numbers, strict=True))


def _where(node: Node, text: str) -> str:
    place = f"{node.op} node {node.name!r}"
    return text if place in text else f"{place}: {text}"


def _describe(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return type(value).__name__ if shape is None else f"{value.dtype}{list(shape)}"
