"""TF1's stacks, in which `tf.gradients` of a loop keeps what the forward loop computed.

A stack's handle is an input that never changes; what it holds lies in `Run.stacks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from pipeline.execution.errors import ExecutionError, UnknownValue
from pipeline.execution.program import Run
from pipeline.execution.registry import Node, rule
from pipeline.execution.stack import Stack
from pipeline.execution.values import jax_dtype


@jax.tree_util.register_static
@dataclass(frozen=True)
class _StackHandle:
    """Which stack; one made in a loop's body is another in each round."""

    name: str


@rule("StackV2", attrs="elem_type stack_name", takes_run=True, handles=True)
def _stack(node: Node, run: Run, max_size: Any) -> Any:
    if run.in_scan:
        raise UnknownValue("a stack is made in each round of a loop")
    handle = _StackHandle(f"{node.name}#{len(run.stacks)}")
    run.stacks[handle.name] = Stack((), jax_dtype(node["elem_type"]))
    return handle


@rule("StackPushV2", attrs="T swap_memory", stacks=True, takes_run=True, handles=True)
def _push(node: Node, run: Run, handle: Any, value: Any) -> Any:
    run.stacks[_name(handle)] = run.stacks[_name(handle)].push(value)
    return value


@rule("StackPopV2", attrs="elem_type", stacks=True, takes_run=True, handles=True)
def _pop(node: Node, run: Run, handle: Any) -> Any:
    run.stacks[_name(handle)], value = run.stacks[_name(handle)].pop()
    return value


@rule("StackCloseV2", handles=True)
def _close(node: Node, handle: Any) -> Any:
    return ()


def _name(handle: Any) -> str:
    if not isinstance(handle, _StackHandle):
        raise ExecutionError("pushes to or pops from something that is not a stack")
    return handle.name
