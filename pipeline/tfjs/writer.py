"""A frozen GraphDef → model.json and its weight files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from pipeline import dtypes, files, graph
from pipeline.tfjs import topology, weights
from pipeline.tfjs.errors import TfjsError
from pipeline.tfjs.reader import FORMAT, MODEL
from pipeline.tfjs.weights import Storage

_SHARD = 4 << 20    # bytes; what browsers' caches take: tfjs-converter's own cut


def write(
    directory: Path,
    graph_def: Message,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    storage: Storage = "float32",
) -> list[Path]:
    """Writes a graph model; the files, model.json last: without it the others are nothing.

    Args:
        directory: is made where it is missing.
        graph_def: frozen; where its nodes have `_output_shapes` the signature tells the shapes of
            outputs as well.
        inputs: names of placeholders; a caller names its tensors so.
        outputs: names of nodes.
        storage: how matrices and kernels are kept; computing is float32 in any case.

    Raises:
        TfjsError: TF.js lacks some ops of the graph (all are listed) or a constant's dtype.
        GraphError: the graph has no such nodes, or is malformed.
        OSError: the directory can't be written.
    """
    nodes = graph.node_map(graph_def.node)
    signature = {"inputs": {name: _tensor_info(nodes, name) for name in inputs},
                 "outputs": {name: _tensor_info(nodes, name) for name in outputs}}
    prepared = topology.prepare(graph_def, outputs)
    entries, parts = [], []
    for node in topology.constants(prepared):
        value = graph.decode_tensor(node.attr["value"].tensor)
        entry, content = weights.encode(node.name, value, storage)
        entries.append(entry)
        parts.append(content)
        topology.strip(node)
    made = _write_shards(directory, b"".join(parts))
    model = {
        "format": FORMAT,
        "generatedBy": "jaxfrost",
        "convertedBy": "jaxfrost",
        "signature": signature,
        "modelTopology": MessageToDict(prepared),
        "weightsManifest": [{"paths": [path.name for path in made], "weights": entries}],
    }
    files.write_atomically(directory / MODEL, json.dumps(model, separators=(",", ":")))
    return [*made, directory / MODEL]


def _write_shards(directory: Path, content: bytes) -> list[Path]:
    count = -(-len(content) // _SHARD)
    made = []
    for index in range(count):
        path = directory / f"group1-shard{index + 1}of{count}.bin"
        files.write_atomically(path, content[index * _SHARD:(index + 1) * _SHARD])
        made.append(path)
    return made


def _tensor_info(nodes: dict[str, Message], name: str) -> dict[str, Any]:
    """What the signature says of a tensor: {name, dtype, tensorShape}."""
    ref = graph.parse_ref(name)
    if ref.node not in nodes:
        raise graph.missing_node(ref.node, nodes)
    node = nodes[ref.node]
    numbers = graph.output_numbers(node)
    if numbers is None or not 0 <= ref.output < len(numbers):
        raise TfjsError(f"{name}: {node.op} has no such output whose dtype is known")
    info: dict[str, Any] = {"name": f"{ref.node}:{ref.output}",
                            "dtype": dtypes.name(numbers[ref.output])}
    if "_output_shapes" in node.attr:
        info["tensorShape"] = MessageToDict(node.attr["_output_shapes"].list.shape[ref.output])
    elif "shape" in node.attr:
        info["tensorShape"] = MessageToDict(node.attr["shape"].shape)
    return info
