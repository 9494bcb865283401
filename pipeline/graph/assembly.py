"""Nodes put together one after another, each knowing the types of those before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf.message import Message
from tensorboard.compat.proto.attr_value_pb2 import AttrValue

from pipeline.graph.nodes import build_node, encode_attr, infer_attrs, output_types, signature

Shape = Sequence[int | None] | None


class Assembly:
    """A graph that grows.

    Args:
        output_shapes: write `_output_shapes` on every node, as `export_meta_graph` does.
    """

    def __init__(self, *, output_shapes: bool = False) -> None:
        self.nodes: list[Message] = []
        self._output_shapes = output_shapes
        self._types: dict[str, int] = {}

    def add(
        self, op: str, name: str, *inputs: str, shapes: Sequence[Shape] = (), beside: str = "",
        device: str = "", write_defaults: bool = False, **attrs: Any,
    ) -> str:
        """A node; returns its name, which is also the reference of its first output.

        Args:
            op: in the table of op definitions.
            name: of the node.
            inputs: references to earlier nodes; control inputs last.
            shapes: of its outputs.
            beside: the node it is to lie on the same device as (`_class`).
            device: where it is to run.
            write_defaults: write attributes that have their default as well.
            attrs: those that do not follow from the inputs.

        Raises:
            GraphError: the op does not take this.
        """
        typed = [(text, 0 if text.startswith("^") else self._types[text]) for text in inputs]
        if beside:
            attrs["_class"] = encode_attr("list(string)", [f"loc:@{beside}"])
        if self._output_shapes and shapes:
            attrs["_output_shapes"] = output_shapes(shapes)
        node = build_node(op, name, typed, attrs, write_defaults=write_defaults)
        node.device = device
        self.nodes.append(node)
        data = [number for text, number in typed if not text.startswith("^")]
        defaults = {key: value.type for key, value in signature(op).defaults.items() if value.type}
        types = output_types(op, {**defaults, **infer_attrs(op, name, data), **attrs})
        self._types[name] = types[0] if types else 0
        for index, number in enumerate(types):
            self._types[f"{name}:{index}"] = number
        return name

    def constant(self, name: str, value: Any, dtype: int, *, beside: str = "") -> str:
        """A Const node; `value` is an array or a number."""
        return self.add("Const", name, shapes=[np.shape(value)], beside=beside, value=value,
                        dtype=dtype)


def output_shapes(shapes: Sequence[Shape]) -> AttrValue:
    """The attribute `_output_shapes`."""
    return encode_attr("list(shape)", shapes)
