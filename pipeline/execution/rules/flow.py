"""Constants, placeholders, and the ends of branches."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from pipeline.execution.errors import UnknownValue
from pipeline.execution.liveness import SELECT
from pipeline.execution.program import Run
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import DEAD, is_static, to_jax


@rule("Const", attrs="value dtype", folds=True, takes_run=True)
def _const(node: Node, run: Run) -> Any:
    return run.constants.get(node.name, node["value"])


@rule("NoOp", "ControlTrigger", "Assert", "Print", attrs="summarize message first_n", folds=True)
def _no_op(node: Node, *values: Any) -> Any:
    """Nothing; `Print` passes its first input on and prints nothing."""
    return values[:1] if node.op == "Print" else ()


@rule("Switch", "RefSwitch", folds=True, handles=True)
def _switch(node: Node, data: Any, predicate: Any) -> Any:
    """The data on both sides; which of them is dead is the `liveness` of what follows."""
    return data, data


@rule(SELECT, attrs="true_index", folds=True)
def _select(node: Node, first: Any, second: Any, predicate: Any) -> Any:
    """`Merge` once its predicate is found: the value that is alive and its position."""
    true_index = node["true_index"]
    sides = (second, first) if true_index == 0 else (first, second)   # false side, true side
    if is_static(predicate):
        index = true_index if bool(predicate) else 1 - true_index
        return (first, second)[index], np.asarray(index, np.int32)
    alive = [side for side in sides if side is not DEAD]
    if len(alive) < 2:
        raise UnknownValue("one side of a running condition is dead; a known condition inside "
                           "an unknown one cannot be merged", (2,))
    no, yes = map(to_jax, alive)
    if no.shape != yes.shape:
        raise UnknownValue(f"the branches give shapes {yes.shape} (true) and {no.shape} (false); "
                           "they must agree unless the predicate is known: fix it with `given`",
                           (2,))
    index = jnp.where(predicate, true_index, 1 - true_index).astype(jnp.int32)
    return jnp.where(predicate, yes, no), index
