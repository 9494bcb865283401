"""A frozen GraphDef → a TFLite model: one pass over the nodes, each by its rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from google.protobuf.message import Message

from pipeline import dtypes, graph
from pipeline.tflite import file, rules
from pipeline.tflite.builder import Builder
from pipeline.tflite.errors import TfliteError, Unsupported
from pipeline.tflite.model import Model, Value

Storage: TypeAlias = Literal["float32", "float16"]


def convert(
    graph_def: Message,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    storage: Storage = "float32",
) -> bytes:
    """The content of a `.tflite` file with the signature `serving_default`.

    Args:
        graph_def: frozen, with `_output_shapes` on every node: `lowering.freeze(…,
            opset="modern", output_shapes=True)`.
        inputs: names of placeholders; the signature and the tensors have these names.
        outputs: names of nodes.
        storage: how matrices and kernels are kept; LiteRT computes in float32 in any case.

    Raises:
        TfliteError: there is no builtin for some ops (all are listed, with reasons), a shape is not
            known, or the file would take 2 GiB or more.
        GraphError: the graph has no such nodes, or is malformed.
        ModuleNotFoundError: the extra `tflite` is not installed.
    """
    nodes = graph.node_map(graph_def.node)
    refs = [graph.parse_ref(name) for name in outputs]
    order = graph.topological_order(nodes, [*inputs, *(ref.node for ref in refs)])
    readers = Counter(str(graph.parse_ref(text)) for name in order for text in nodes[name].input)
    readers.update(map(str, refs))
    builder = Builder()
    gaps: dict[tuple[str, str], list[str]] = {}
    for name in order:
        node = nodes[name]
        results = _results(node, readers)
        try:
            _write(builder, node, results)
        except Unsupported as gap:
            gaps.setdefault((node.op, str(gap)), []).append(name)
            builder.bind(name, results)
    if gaps:
        raise _report(gaps)
    model = Model({name: builder.value(name) for name in inputs}, {}, builder.ops)
    for name, ref in zip(outputs, refs, strict=True):
        model.outputs[name] = builder.as_output(str(ref), name, model)
    model.prune()
    return file.encode(model, storage)


def _write(builder: Builder, node: Message, results: list[Value]) -> None:
    if node.op not in rules.RULES:
        raise Unsupported("has no builtin")
    for value in results:
        if value.dtype not in file.TYPES:
            raise Unsupported(f"TFLite has no kernels for {value.dtype}")
    attrs: dict[str, Any] = graph.read_attrs(node)
    taken = [builder.value(str(ref)) for ref in map(graph.parse_ref, node.input)
             if ref.output != graph.CONTROL]
    made = rules.RULES[node.op](builder, attrs, taken, results)
    builder.bind(node.name, made or results)


def _results(node: Message, readers: Counter[str]) -> list[Value]:
    """A node's outputs, as its definition and `_output_shapes` say."""
    numbers = graph.output_numbers(node)
    if numbers is None:
        return []
    shapes = [graph.decode_shape(shape) for shape in node.attr["_output_shapes"].list.shape]
    if node.op == "Const":
        shapes = [graph.decode_shape(node.attr["value"].tensor.tensor_shape)]
    made = []
    for index, number in enumerate(numbers):
        ref = str(graph.Ref(node.name, index))
        shape = shapes[index] if index < len(shapes) else None
        if shape is None and (index == 0 or readers[ref]):
            raise TfliteError(f"the shape of {ref} is not known; expected _output_shapes on every "
                              "node (lowering.freeze(…, output_shapes=True))")
        try:
            dtype = dtypes.to_numpy(number)
        except TypeError:
            dtype = np.dtype(object)
        made.append(Value(ref.replace(":", "_"), shape or (), dtype, readers=readers[ref]))
    return made


def _report(gaps: dict[tuple[str, str], list[str]]) -> TfliteError:
    listed = "\n  ".join(
        f"{op} {reason}: {', '.join(names[:3])}{', …' if len(names) > 3 else ''}"
        for (op, reason), names in sorted(gaps.items()))
    return TfliteError(f"the graph can't be a TFLite model of builtin ops:\n  {listed}")
