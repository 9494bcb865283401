"""A Saver for an imported graph, with the keys that the graph's own Saver nodes use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import Message

from pipeline import graph
from pipeline.checkpoint import Part, PartitionedTensor, Saver
from pipeline.checkpoint.slices import parse_slice
from pipeline.execution.errors import ExecutionError
from pipeline.execution.imported import Graph
from pipeline.execution.program import Run
from pipeline.execution.values import Key
from pipeline.execution.variable import Variable
from pipeline.graph import CONTROL, Ref


class _Slice(NamedTuple):
    extents: tuple[tuple[int, int], ...]
    variable: Variable


class PartitionedVariable:
    """A checkpoint's one tensor that a graph holds as several variables."""

    def __init__(self, shape: tuple[int, ...], slices: Sequence[_Slice]) -> None:
        self._shape, self._slices = shape, tuple(slices)

    def get_value(self) -> PartitionedTensor:
        """The current values, each with its place."""
        return PartitionedTensor(self._shape, tuple(
            Part(each.extents, each.variable.get_value()) for each in self._slices))

    def set_value(self, value: PartitionedTensor) -> None:
        """Replaces the value of every slice."""
        for each, part in zip(self._slices, value.parts, strict=True):
            each.variable.set_value(part.value)


def saver_of(owner: Graph, saver_def: Message, prefix: str) -> Saver | None:
    """The Saver that a SaverDef describes; None where its nodes restore nothing.

    Raises:
        ExecutionError: the SaverDef names nodes that the graph does not have.
    """
    keys = restored_keys(owner, saver_def, prefix)
    if not keys:
        return None
    slices: dict[str, dict[str, Variable]] = {}
    for variable, key in keys.items():
        slices.setdefault(key.name, {})[key.part] = owner.variables[variable]
    return Saver(
        {name: _saveable(name, parts) for name, parts in slices.items()},
        max_to_keep=saver_def.max_to_keep, sharded=saver_def.sharded,
        keep_checkpoint_every_n_hours=saver_def.keep_checkpoint_every_n_hours or 10000.0)


def restored_keys(owner: Graph, saver_def: Message, prefix: str) -> dict[str, Key]:
    """Which key of a checkpoint each variable is restored from: the restore op is run to see."""
    filename = graph.parse_ref(prefix + saver_def.filename_tensor_name)
    restore = graph.parse_ref(prefix + saver_def.restore_op_name)
    for ref in (filename, restore):
        if ref.node not in owner:
            raise ExecutionError(f"the graph's Saver uses node {ref.node!r}, which is not there")
    program = owner.compile([filename], [Ref(restore.node, CONTROL)])
    run = Run()
    program.run(run, [np.array(b"", np.object_)])
    return {name: value for name, value in run.variables.items() if isinstance(value, Key)}


def _saveable(name: str, parts: dict[str, Variable]) -> Any:
    """The variable of a key, or its slices."""
    if list(parts) == [""]:
        return parts[""]
    if "" in parts:
        raise ExecutionError(f"key {name!r} is restored both whole and in slices")
    found, shape = [], tuple[int, ...]()
    for text, variable in parts.items():
        *sizes, extents = text.split(" ")
        shape = tuple(map(int, sizes))
        found.append(_Slice(parse_slice(extents), variable))
    return PartitionedVariable(shape, found)
