"""The graphs at a path, each described as its own signatures or else its nodes suggest."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from pipeline import dtypes, execution, graph
from pipeline.inspection.graph_files import GraphFile, load_graph_file

_NO_DTYPE = dtypes.name(0)


@dataclass(frozen=True)
class DescribedGraph:
    """A MetaGraph, or a GraphDef as one, and what is said of it.

    Attributes:
        meta_graph: the MetaGraphDef.
        description: of its graph; inputs and outputs are those of its signatures, if it has any.
        notes: lines about what else a MetaGraph holds.
    """

    meta_graph: Message
    description: execution.Description
    notes: tuple[str, ...]

    @property
    def graph_def(self) -> Message:
        """The graph alone."""
        found: Message = self.meta_graph.graph_def
        return found

    def record(self) -> dict[str, Any]:
        """The description as JSON's types."""
        refusals = [refusal._asdict() for refusal in self.description.refusals]
        return {**dataclasses.asdict(self.description), "refusals": refusals,
                "notes": list(self.notes)}

    def __str__(self) -> str:
        return "\n".join([*self.notes, str(self.description)])


def describe_graphs(path: str, batch: int) -> tuple[GraphFile, list[DescribedGraph]]:
    """All graphs in a file or SavedModel.

    Raises:
        GraphError, ExecutionError, CheckpointError: there is none, or it is damaged.
    """
    file = load_graph_file(path)
    return file, [_describe(meta_graph, batch) for meta_graph in file.meta_graphs]


def _describe(meta_graph: Message, batch: int) -> DescribedGraph:
    inputs: dict[str, execution.End] = {}
    outputs: dict[str, execution.End] = {}
    for _, signature in sorted(meta_graph.signature_def.items()):
        for ends, infos in ((inputs, signature.inputs), (outputs, signature.outputs)):
            found = [_end(info) for _, info in sorted(infos.items())]
            # TF2's own signature for initialising has an operation where others have tensors
            ends |= {end.name: end for end in found if end.name and end.dtype != _NO_DTYPE}
    told = bool(outputs)
    description = execution.describe(
        meta_graph.graph_def, batch=batch,
        inputs=list(inputs.values()) if told else None,
        outputs=list(outputs.values()) if told else None)
    return DescribedGraph(meta_graph, description, tuple(_notes(meta_graph)))


def _end(info: Message) -> execution.End:
    shape = None if info.tensor_shape.unknown_rank else graph.decode_shape(info.tensor_shape)
    return execution.End(info.name.removesuffix(":0"), shape, dtypes.name(info.dtype))


def _notes(meta_graph: Message) -> Iterator[str]:
    info = meta_graph.meta_info_def
    if info.tags:
        yield f"tags: {', '.join(info.tags)}"
    if info.tensorflow_version:
        yield f"written by TensorFlow {info.tensorflow_version}"
    for name, signature in sorted(meta_graph.signature_def.items()):
        arrow = " → ".join(", ".join(sorted(ends)) or "nothing"
                           for ends in (signature.inputs, signature.outputs))
        yield f"signature {name}: {arrow}"
    if meta_graph.collection_def:
        yield "collections: " + ", ".join(
            f"{key} {_length(meta_graph.collection_def[key])}"
            for key in sorted(meta_graph.collection_def))
    if meta_graph.HasField("saver_def"):
        saver = meta_graph.saver_def
        yield (f"saver: {saver.save_tensor_name}, {saver.restore_op_name}, keeps "
               f"{saver.max_to_keep or 'all'}")
    if meta_graph.graph_def.library.function:
        yield f"functions: {len(meta_graph.graph_def.library.function)}"


def _length(collection: Message) -> int:
    kind = collection.WhichOneof("kind")
    return len(getattr(collection, kind).value) if kind else 0
