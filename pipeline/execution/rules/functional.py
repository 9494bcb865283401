"""Calls, branches and loops: ops whose attributes are programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
from jax import lax

from pipeline.execution.errors import ExecutionError, UnknownValue
from pipeline.execution.loops import LOOP
from pipeline.execution.optional import Absent, Optional, choose, keep_apart
from pipeline.execution.program import Program, Run
from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.custom import call_with_gradient
from pipeline.execution.rules.while_loop import run_loop
from pipeline.execution.values import is_static, jax_dtype, to_jax


@rule("PartitionedCall", "StatefulPartitionedCall", "RemoteCall",
      attrs="f Tin Tout config config_proto executor_type gradient", takes_run=True, handles=True)
def _call(node: Node, run: Run, *values: Any) -> Any:
    if "gradient" in node.attrs and not any(map(is_static, values)):
        return call_with_gradient(node, run, values)
    if run.call is not None:
        return run.call(node["f"], run, values)
    return node["f"].run(run, values)


@rule("If", "StatelessIf", attrs="Tcond Tin Tout then_branch else_branch output_shapes",
      takes_run=True, handles=True)
def _if(node: Node, run: Run, condition: Any, *values: Any) -> Any:
    """Numbers are true when they are not 0, arrays when they are not empty."""
    branches = [node["else_branch"], node["then_branch"]]
    if condition.ndim or is_static(condition):
        taken = int(condition.size > 0 if condition.ndim else bool(condition))
        return branches[taken].run(run, choose(taken, values))
    return _branch((condition != 0).astype("int32"), branches, run, values)


@rule("Case", "StatelessCase", attrs="Tin Tout branches output_shapes", takes_run=True,
      handles=True)
def _case(node: Node, run: Run, index: Any, *values: Any) -> Any:
    """An index outside the branches takes the last of them."""
    branches = node["branches"]
    if is_static(index):
        place = int(index) if 0 <= index < len(branches) else len(branches) - 1
        return branches[place].run(run, choose(place, values))
    inside = (index >= 0) & (index < len(branches))
    return _branch(jax.numpy.where(inside, index, len(branches) - 1), branches, run, values)


def _branch(index: Any, branches: Sequence[Program], run: Run, values: Sequence[Any]) -> Any:
    """One of the branches; variables that any of them assigns to go through all of them."""
    writes = any(branch.writes for branch in branches)
    written = run.variables if writes else {}
    shapes: list[Any] = []

    def follow(place: int, branch: Program) -> Any:
        def run_branch(variables: dict[str, Any]) -> Any:
            inner = replace(run, variables={**run.variables, **variables}, decisions=None)
            outputs = [to_jax(value) for value in branch.run(inner, choose(place, values))]
            return (keep_apart(place, outputs, shapes),
                    {name: to_jax(inner.variables[name]) for name in variables})
        return run_branch

    followed = [follow(place, branch) for place, branch in enumerate(branches)]
    try:
        if any(branch.keeps for branch in branches):
            shapes.extend([jax.eval_shape(each, written)[0] for each in followed])
        outputs, variables = lax.switch(index, followed, written)
    except UnknownValue as error:
        raise UnknownValue(str(error), (0,)) from error
    except TypeError as error:
        raise UnknownValue(f"the branches give different shapes, and which one is taken is only "
                           f"known when running; fix it with `given` ({error})", (0,)) from error
    run.variables.update(variables)
    return outputs


@rule("OptionalNone")
def _absent(node: Node) -> Any:
    return Absent()


@rule("FakeParam", attrs="dtype shape")
def _fake_param(node: Node) -> Any:
    """What a branch gives in the place of a value that only another has; nothing looks at it.

    TensorFlow writes 0 for a size that it does not know (cond_v2.py, `_create_fakeparams`).
    """
    shape = node["shape"]
    if shape is None or None in shape or 0 in shape:
        return Absent()
    return jax.numpy.zeros(shape, jax_dtype(node["dtype"]))


@rule("OptionalFromValue", attrs="Toutput_types")
def _optional(node: Node, *values: Any) -> Any:
    return Optional(values)


@rule("OptionalGetValue", attrs="output_types output_shapes")
def _optional_values(node: Node, found: Any) -> Any:
    if isinstance(found, Absent):
        raise ExecutionError("The given optional does not have a value.")
    return found.get()


@rule("While", "StatelessWhile", LOOP, takes_run=True, handles=True,
      attrs="T cond body output_shapes parallel_iterations variables count")
def _loop(node: Node, run: Run, *values: Any) -> Any:
    """The variables that the loop keeps, at their places."""
    results: list[Any] = [None] * node["count"]
    final = run_loop(run, node["cond"], node["body"], values, len(node["variables"]))
    for place, value in zip(node["variables"], final, strict=True):
        results[place] = value
    return results
