"""What a graph file holds, told from the outlines of its messages.

    SavedModel:   1 schema version (a number), 2 meta_graphs
    MetaGraphDef: 2 graph_def, 3 saver_def, 4 collection_def {1 key}, 5 signature_def {1 key}
    GraphDef:     1 node {1 name, 2 op}, 2 library {1 function}, 4 versions {1 producer}

(tensorflow/core/framework/graph.proto, tensorflow/core/protobuf/meta_graph.proto.) `pipeline.graph`
reads such files in full; this needs no protobuf, so that a look at one costs nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pipeline.checkpoint import wire
from pipeline.checkpoint.errors import DataLossError
from pipeline.checkpoint.names import decode_name


@dataclass
class GraphSummary:
    """The message's type, how many nodes of each op, the inputs, and what a MetaGraph adds."""

    message: str
    ops: Counter[str] = field(default_factory=Counter)
    inputs: list[str] = field(default_factory=list)
    functions: int = 0
    producer: int = 0
    collections: list[str] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    has_saver: bool = False

    def lines(self) -> list[str]:
        """The figures, one a line, for people."""
        ops = ", ".join(f"{op} {count}" for op, count in self.ops.most_common())
        told = {
            "nodes": f"{sum(self.ops.values())}, producer {self.producer}",
            "ops": ops,
            "inputs": ", ".join(self.inputs),
            "functions": str(self.functions or ""),
            "collections": ", ".join(self.collections),
            "signatures": ", ".join(self.signatures),
            "saver": "yes" if self.has_saver else "",
        }
        return [f"{name}: {text}" for name, text in told.items() if text]


def summarise_graph(content: bytes) -> GraphSummary:
    """The outline of a binary GraphDef, MetaGraphDef or SavedModel.

    Raises:
        DataLossError: the bytes are none of them.
    """
    for message, add in (("SavedModel", _add_saved_model), ("GraphDef", _add_graph),
                         ("MetaGraphDef", _add_meta_graph)):
        summary = GraphSummary(message)
        try:
            add(summary, content)
        except DataLossError:
            continue
        if summary.ops:
            return summary
    raise DataLossError("holds no GraphDef, MetaGraphDef or SavedModel")


def _add_saved_model(summary: GraphSummary, content: bytes) -> None:
    for number, value in wire.decode_fields(content):
        if number == 1:
            wire.expect_int(1, value)
        elif number == 2:
            _add_meta_graph(summary, wire.expect_bytes(2, value))


def _add_meta_graph(summary: GraphSummary, content: bytes) -> None:
    for number, value in wire.decode_fields(content):
        found = wire.expect_bytes(number, value)
        if number == 2:
            _add_graph(summary, found)
        elif number == 3:
            summary.has_saver = True
        elif number in (4, 5):
            names = summary.collections if number == 4 else summary.signatures
            names.append(_text(found, 1))


def _add_graph(summary: GraphSummary, content: bytes) -> None:
    for number, value in wire.decode_fields(content):
        if number == 1:
            node = wire.expect_bytes(1, value)
            op = _text(node, 2)
            summary.ops[op] += 1
            if op == "Placeholder":
                summary.inputs.append(_text(node, 1))
        elif number == 2:
            library = wire.decode_fields(wire.expect_bytes(2, value))
            summary.functions += sum(inner == 1 for inner, _ in library)
        elif number == 4:
            versions = dict(wire.decode_fields(wire.expect_bytes(4, value)))
            summary.producer = wire.expect_int(1, versions.get(1, 0))


def _text(message: bytes, wanted: int) -> str:
    """A string field that must be there and be text."""
    for number, value in wire.decode_fields(message):
        if number == wanted:
            text = decode_name(wire.expect_bytes(number, value))
            if text.isprintable():
                return text
            break
    raise DataLossError(f"message has no text in field {wanted}")
