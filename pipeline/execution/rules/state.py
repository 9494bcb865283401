"""Variables: what holds them, reads them and assigns to them.

A running graph has its variables in `Run.variables`; assigning replaces the entry, so a run is a
pure function from variables to outputs and new variables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline import dtypes
from pipeline.execution.errors import ExecutionError
from pipeline.execution.program import Run
from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.indexing import gather, positions
from pipeline.execution.values import Handle, Key, is_static, to_jax

_ATTRS = "shape dtype container shared_name allowed_devices debug_name"


@rule("VariableV2", "Variable", attrs=_ATTRS, variable=True)
def _variable(node: Node) -> Any:
    return Handle(node.name, is_ref=True)


@rule("VarHandleOp", attrs=_ATTRS, variable=True)
def _var_handle(node: Node) -> Any:
    return Handle(node.name, is_ref=False)


@rule("ReadVariableOp", attrs="dtype", takes_run=True, handles=True)
def _read_variable(node: Node, run: Run, handle: Any) -> Any:
    return run.read(handle)


@rule("VariableShape", attrs="out_type", takes_run=True, handles=True)
def _variable_shape(node: Node, run: Run, handle: Any) -> Any:
    return np.array(run.read(handle).shape, dtypes.to_numpy(node["out_type"]))


@rule("IsVariableInitialized", "VarIsInitializedOp", attrs="dtype", takes_run=True, handles=True)
def _is_initialized(node: Node, run: Run, handle: Any) -> Any:
    return np.array(handle.name in run.variables)


def write(node: Node, run: Run, handle: Any, value: Any) -> Any:
    """Assigns; returns the variable.

    Raises:
        ExecutionError: the shape is not the one that the variable has.
    """
    if not isinstance(handle, Handle):
        raise ExecutionError("assigns to something that is no variable")
    if is_static(value) and value.dtype == np.object_:
        run.variables[handle.name] = value
        return handle
    before = run.variables.get(handle.name)
    if not isinstance(value, Key) and before is not None and not isinstance(before, Key):
        value = to_jax(value)
        if value.shape != before.shape and node.attrs.get("validate_shape", True):
            raise ExecutionError(
                "Assign requires shapes of both tensors to match. lhs shape= "
                f"{list(before.shape)} rhs shape= {list(value.shape)} ({handle.name})")
        value = value.astype(before.dtype)
    run.variables[handle.name] = value if isinstance(value, Key) else to_jax(value)
    return handle


def update(*ops: str, attrs: str = "") -> Callable[[Callable[..., Any]], None]:
    """Ops on a variable and further inputs: the function gives the variable's new value."""
    def register(function: Callable[..., Any]) -> None:
        @rule(*ops, attrs=attrs, writes=True, takes_run=True, handles=True)
        def _update(node: Node, run: Run, handle: Any, *values: Any) -> Any:
            before, *others = (to_jax(run.read(each)) if isinstance(each, Handle)
                               else to_jax(each) for each in (handle, *values))
            return write(node, run, handle, function(node, before, *others))
    return register


@rule("Assign", "AssignVariableOp", attrs="validate_shape use_locking dtype", writes=True,
      takes_run=True, handles=True)
def _assign(node: Node, run: Run, handle: Any, value: Any) -> Any:
    if isinstance(value, Handle):
        value = run.read(value)
    return write(node, run, handle, value)


@update("AssignAdd", "AssignAddVariableOp", attrs="use_locking dtype")
def _assign_add(node: Node, before: Any, value: Any) -> Any:
    return before + value


@update("AssignSub", "AssignSubVariableOp", attrs="use_locking dtype")
def _assign_sub(node: Node, before: Any, value: Any) -> Any:
    return before - value


@rule("ResourceGather", attrs="batch_dims validate_indices dtype", takes_run=True, handles=True)
def _resource_gather(node: Node, run: Run, handle: Any, indices: Any) -> Any:
    if node["batch_dims"]:
        raise ExecutionError(f"batch_dims={node['batch_dims']}; expected 0")
    return gather(to_jax(run.read(handle)), indices, 0)


@rule("ResourceGatherNd", attrs="dtype", takes_run=True, handles=True)
def _resource_gather_nd(node: Node, run: Run, handle: Any, indices: Any) -> Any:
    x = to_jax(run.read(handle))
    return x.at[positions(indices, x.shape)].get(mode="fill")


def _scatter(before: Any, indices: Any, updates: Any, kind: str) -> Any:
    place = before.at[indices]
    if kind == "Sub":
        return place.add(-updates, mode="drop")
    if kind == "Div":
        return place.divide(updates, mode="drop")
    name = {"Update": "set", "Add": "add", "Mul": "multiply", "Min": "min", "Max": "max"}[kind]
    return getattr(place, name)(updates, mode="drop")


for _kind in ("Update", "Add", "Sub", "Mul", "Div", "Min", "Max"):
    @update(f"Scatter{_kind}", f"ResourceScatter{_kind}", attrs="use_locking dtype")
    def _scatter_rows(
        node: Node, before: Any, indices: Any, updates: Any, kind: str = _kind
    ) -> Any:
        (indices,) = positions(indices[..., None], before.shape)
        return _scatter(before, indices, updates, kind)

for _kind in ("Update", "Add", "Sub"):
    @update(f"ScatterNd{_kind}", f"ResourceScatterNd{_kind}",
            attrs="use_locking bad_indices_policy")
    def _scatter_nd(
        node: Node, before: Any, indices: Any, updates: Any, kind: str = _kind
    ) -> Any:
        return _scatter(before, positions(indices, before.shape), updates, kind)


@rule("DestroyResourceOp", attrs="ignore_lookup_error", handles=True)
def _destroy(node: Node, handle: Any) -> Any:
    return ()


@rule("RestoreV2", attrs="dtypes", takes_run=True)
def _restore(node: Node, run: Run, prefix: Any, names: Any, slices: Any) -> Any:
    """Where a Saver's values come from: keys of a checkpoint, which only `Assign` can take."""
    if not is_static(names) or not is_static(slices):
        raise ExecutionError("restores tensors whose names are not constants")
    return [Key(name.decode(), part.decode())
            for name, part in zip(names.ravel(), slices.ravel(), strict=True)]
