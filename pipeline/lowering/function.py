"""Bodies of loops and branches as functions of the graph's library.

In a function a tensor is named `node:argument:index`, an input by its name alone
(tensorflow/core/framework/function.proto).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf.message import Message
from tensorboard.compat.proto.function_pb2 import FunctionDef

from pipeline.graph import output_names
from pipeline.lowering.builder import Builder
from pipeline.lowering.ir import Program
from pipeline.lowering.names import Names, sanitise
from pipeline.lowering.registry import lower_equations
from pipeline.lowering.tensor import Tensor, data_type

if TYPE_CHECKING:
    from collections.abc import Iterable


class FunctionBuilder(Builder):
    """The nodes of one function; `symbols` are the dimensions it reads, as inputs of their own."""

    def __init__(self, outer: Builder, name: str) -> None:
        super().__init__(outer.opset, Names(), outer=outer)
        self.name = name
        self.inputs: list[Tensor] = []
        self.symbols: dict[str, Tensor] = {}

    def add_input(self, name: str, like: Tensor) -> Tensor:
        """An input that looks like a tensor outside."""
        self._names.reserve(name)
        tensor = like._replace(ref=name)
        self.inputs.append(tensor)
        return tensor

    def symbol(self, name: str) -> Tensor:
        """A dimension, handed in from outside."""
        if name not in self.symbols:
            size = self._names.unique(f"size_{sanitise(name)}")
            self.symbols[name] = Tensor(size, (), np.dtype(np.int32))
        return self.symbols[name]

    def reference(self, op: str, name: str, index: int, attrs: dict[str, Any]) -> str:
        """`node:argument:index`."""
        return f"{name}:{output_names(op, attrs)[index]}"

    def definition(self, symbols: Iterable[str], outputs: Sequence[Tensor]) -> Message:
        """The function: its own inputs, then the sizes of `symbols`; it returns these too.

        From here on its name ends in a digest of what it does, so that graphs of several models
        can be imported into one.
        """
        sizes = [self.symbol(name) for name in symbols]
        returned = [self.op_on("Identity", tensor) for tensor in outputs]
        function = FunctionDef()
        for tensor in [*self.inputs, *sizes]:
            function.signature.input_arg.add(name=tensor.ref, type=data_type(tensor.dtype))
        for at, tensor in enumerate(returned):
            function.signature.output_arg.add(name=f"output_{at}", type=data_type(tensor.dtype))
            function.ret[f"output_{at}"] = tensor.ref
        function.node_def.extend(self.nodes)
        content = function.SerializeToString(deterministic=True)
        self.name = f"{self.name}_{hashlib.sha256(content).hexdigest()[:8]}"
        function.signature.name = self.name
        return function

    def op_on(self, op: str, tensor: Tensor) -> Tensor:
        """An op that gives what it takes."""
        return self.op(op, tensor, shape=tensor.shape)


def lower_body(
    builder: FunctionBuilder, program: Program, inputs: Sequence[Tensor]
) -> list[Tensor]:
    """A program's nodes in a function; its results in their whole shapes."""
    for value, tensor in zip(program.inputs, inputs, strict=True):
        builder.bind(value, tensor)
    lower_equations(builder, program)
    return [builder.result(value) for value in program.outputs]
