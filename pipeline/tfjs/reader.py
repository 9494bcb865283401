"""model.json and its weight files → the frozen GraphDef they were made of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline import budget, dtypes, graph, reading
from pipeline.tfjs import topology, weights
from pipeline.tfjs.errors import TfjsFileError

MODEL = "model.json"
FORMAT = "graph-model"


class GraphModel(NamedTuple):
    """A TF.js graph model in TensorFlow's words."""

    graph_def: Message
    inputs: dict[str, str]     # what a caller says → the tensor, `input:0`
    outputs: dict[str, str]
    files: tuple[Path, ...]    # model.json, then the weight files
    manifest: tuple[Mapping[str, Any], ...]    # the entries of its weights


def read(directory: Path) -> GraphModel:
    """The graph model in a directory, constants of the dtypes that the graph wants them in.

    Raises:
        TfjsFileError: model.json or a weight file is missing, damaged or not a graph model's.
        MemoryBudgetError: the weights don't fit the budget of memory.
    """
    path = directory / MODEL
    model = _load(path)
    try:
        graph_def = ParseDict(model["modelTopology"], GraphDef(), ignore_unknown_fields=True)
        inputs, outputs = (
            {name: str(info["name"]) for name, info in model["signature"][key].items()}
            for key in ("inputs", "outputs"))
        groups = [([str(name) for name in group["paths"]], list(group["weights"]))
                  for group in model["weightsManifest"]]
        entries = [dict(entry) for _, weights_of in groups for entry in weights_of]
    except (KeyError, TypeError, AttributeError, ValueError, ParseError) as error:
        raise TfjsFileError(f"{path}: {type(error).__name__}: {error}; expected a graph model's "
                            "modelTopology, signature and weightsManifest") from None
    values: dict[str, weights.Array] = {}
    paths = [path]
    for names, weights_of in groups:
        found = [_beside(path, name) for name in names]
        paths += found
        values.update(_decode(path, found, weights_of))
    for node in topology.constants(graph_def):
        _fill(path, node, values)
    return GraphModel(graph_def, inputs, outputs, tuple(paths), tuple(entries))


def _load(path: Path) -> Mapping[str, Any]:
    try:
        model = json.loads(reading.read_bytes(path))
    except OSError as error:
        raise TfjsFileError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise TfjsFileError(f"{path} is not JSON: {error}") from None
    if not isinstance(model, dict) or model.get("format") != FORMAT:
        found = model.get("format") if isinstance(model, dict) else type(model).__name__
        raise TfjsFileError(f"{path}: format {found!r}; expected {FORMAT!r} (layers models are "
                            "Keras's, and not read)")
    return model


def _beside(path: Path, name: str) -> Path:
    if Path(name).name != name or name in ("", ".", ".."):
        raise TfjsFileError(f"{path}: weight file {name!r}; expected the name of a file beside it")
    return path.parent / name


def _decode(
    path: Path, shards: list[Path], entries: list[Mapping[str, Any]]
) -> Iterator[tuple[str, weights.Array]]:
    content = b"".join(map(_read_shard, shards))
    start = 0
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise TfjsFileError(f"{path}: weight {entry!r}; expected name, shape and dtype")
        end = start + weights.size_of(entry)
        if end > len(content):
            raise TfjsFileError(f"{path}: the weight files end at byte {len(content)}; weight "
                                f"{entry['name']} would end at {end}")
        budget.current().require(4 * (end - start), f"{path}: weight {entry['name']}")
        yield entry["name"], weights.decode(entry, content[start:end])
        start = end
    if start != len(content):
        raise TfjsFileError(f"{path}: the weight files have {len(content)} bytes; their weights "
                            f"take {start}")


def _read_shard(path: Path) -> bytes:
    try:
        return reading.read_bytes(path)
    except OSError as error:
        raise TfjsFileError(f"{path}: {error.strerror or error}") from error


def _fill(path: Path, node: Message, values: Mapping[str, weights.Array]) -> None:
    if node.name not in values:
        raise TfjsFileError(f"{path}: constant {node.name} has no weight in the manifest")
    value, number = values[node.name], node.attr["dtype"].type
    declared = graph.decode_shape(node.attr["value"].tensor.tensor_shape)
    if declared != value.shape:
        raise TfjsFileError(f"{path}: constant {node.name} is {declared} in the graph and "
                            f"{value.shape} in the manifest")
    try:
        wanted = dtypes.to_numpy(number)
        node.attr["value"].tensor.CopyFrom(graph.encode_tensor(value.astype(wanted)))
    except (TypeError, ValueError) as error:
        raise TfjsFileError(f"{path}: constant {node.name}: {error}") from None
