"""Which variables and constants of an imported graph a user trains on."""

from __future__ import annotations

from collections.abc import Iterable, Set
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from pipeline import graph
from pipeline.execution.elements import Elements
from pipeline.execution.errors import ExecutionError

_MOVING = ("moving_mean", "moving_variance", "ExponentialMovingAverage")
_MOVING_INPUTS = (3, 4)   # of FusedBatchNorm: mean and variance


def find_trainable(
    owner: Elements, listed: Set[str], patterns: Iterable[str]
) -> dict[str, Any]:
    """Values by name of what full names and shell patterns choose; see `Graph.trainable`.

    `listed` are the variables that the graph says are trained.
    """
    constants = _float_constants(owner)
    variables = owner.variables
    fixed = _moving_statistics(owner)
    # a SavedModel of TensorFlow 2 lists none, and may hold copies that it never restores
    wide = {name for name, each in variables.items() if _is_floating(each.dtype)
            and (name in listed if listed else name in owner.values or not owner.values)}
    wide |= {name for name, value in constants.items() if value.ndim}
    wide -= fixed
    names: list[str] = []
    for pattern in patterns:
        exact = [pattern] if pattern in variables or pattern in constants else []
        found = exact or [name for name in [*variables, *constants]
                          if name in wide and fnmatchcase(name, pattern)]
        if not found:
            raise ExecutionError(f"nothing to train is named {pattern!r}; there are "
                                 f"{', '.join(sorted(wide)[:20]) or 'no candidates'}")
        names += [name for name in found if name not in names]
    missing = [name for name in names if name in variables and name not in owner.values]
    if missing:
        raise ExecutionError(f"{', '.join(missing)}: no value yet; restore or initialize first")
    return {name: owner.values[name] if name in variables else constants[name] for name in names}


def _float_constants(owner: Elements) -> dict[str, np.ndarray[Any, Any]]:
    found = {}
    for operation in owner.get_operations():
        if operation.type == "Const":
            value = graph.decode_tensor(operation.node_def.attr["value"].tensor)
            if _is_floating(value.dtype):
                found[operation.name] = value
    return found


def _is_floating(dtype: np.dtype[Any]) -> bool:
    return np.issubdtype(dtype, np.floating) or dtype.name == "bfloat16"


def _moving_statistics(owner: Elements) -> set[str]:
    """What batch normalization keeps: by name, and by what reads it."""
    found = {operation.name for operation in owner.get_operations()
             if operation.name.rpartition("/")[2] in _MOVING}
    for operation in owner.get_operations():
        if operation.type.startswith("FusedBatchNorm"):
            inputs = operation.inputs
            found |= {_source(inputs[place]) for place in _MOVING_INPUTS if place < len(inputs)}
    return found


def _source(tensor: Any) -> str:
    """The node behind identities and reads."""
    while tensor.op.type in ("Identity", "ReadVariableOp"):
        tensor = tensor.op.inputs[0]
    return str(tensor.ref.node)
