"""The model under construction: values by the graph's names, and what later nodes change of ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.tflite.errors import Unsupported
from pipeline.tflite.model import Model, Op, Value


class Builder:
    """What the rules write into."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self._values: dict[str, Value] = {}
        self._makers: dict[int, Op] = {}

    def value(self, ref: str) -> Value:
        """A tensor by its name in the graph, `node` or `node:1`."""
        return self._values[ref]

    def bind(self, node: str, values: list[Value]) -> None:
        """The outputs of a node."""
        for index, value in enumerate(values):
            self._values[f"{node}:{index}" if index else node] = value

    def add(self, builtin: str, inputs: list[Value], outputs: list[Value],
            options: tuple[str, dict[str, Any]] | None = None, version: int = 1) -> None:
        """An op."""
        op = Op(builtin, inputs, outputs, options, version)
        self.ops.append(op)
        for value in outputs:
            self._makers[id(value)] = op

    def constant(self, like: Value, name: str, data: Any) -> Value:
        """A constant of the model that no node of the graph is."""
        array = np.asarray(data)
        return Value(f"{like.name}/{name}", array.shape, array.dtype, array)

    def between(self, result: Value, name: str, shape: tuple[int | None, ...]) -> Value:
        """What one op hands to the next where a node becomes several."""
        return Value(f"{result.name}/{name}", shape, result.dtype, readers=1)

    def fusable(self, value: Value, builtins: tuple[str, ...]) -> Op | None:
        """The op of these that made a value which nobody else reads, without an activation."""
        op = self._makers.get(id(value))
        if op is None or op.builtin not in builtins or value.readers != 1 or op.options is None:
            return None
        return op if not op.options[1].get("fusedActivationFunction") else None

    def take_over(self, op: Op, result: Value) -> None:
        """The op now makes what a later node was to make."""
        op.outputs = [result]
        self._makers[id(result)] = op

    def as_output(self, ref: str, name: str, model: Model) -> Value:
        """The tensor of an output, under the output's name.

        A copy where the tensor is an input, a constant or another output.
        """
        value = self.value(ref)
        taken = [id(other) for other in (*model.inputs.values(), *model.outputs.values())]
        if value.data is None and id(value) not in taken:
            value.name = name
            return value
        copy = Value(name, value.shape, value.dtype)
        self._reshape(value, copy, None)
        return copy

    def reshape(self, value: Value, result: Value, shape: Value | None = None) -> None:
        """RESHAPE to the result's shape; `shape` computes it where several sizes are not known."""
        if value.data is None or None in result.shape:
            self._reshape(value, result, shape)
        else:
            result.data = value.data.reshape([size or 0 for size in result.shape])

    def _reshape(self, value: Value, result: Value, shape: Value | None) -> None:
        options: dict[str, Any] = {}
        if sum(size is None for size in result.shape) <= 1:
            sizes = np.array([-1 if size is None else size for size in result.shape], np.int32)
            shape, options = self.constant(result, "shape", sizes), {"newShape": sizes.tolist()}
        if shape is None:
            raise Unsupported("leaves several sizes open")
        self.add("RESHAPE", [value, shape], [result], ("Reshape", options))
