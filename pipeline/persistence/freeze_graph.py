"""A checkpoint and the graph it belongs to → one frozen graph; TensorFlow's `freeze_graph` tool."""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Mapping, Sequence
from typing import Any, cast

from google.protobuf.message import Message

from pipeline import checkpoint, execution, graph
from pipeline.persistence.artifact import PersistenceError


def freeze_graph(
    meta_graph: str | os.PathLike[str],
    input_checkpoint: str | os.PathLike[str],
    output_node_names: str | Sequence[str],
    *,
    clear_devices: bool = True,
    variable_names_whitelist: Sequence[str] | None = None,
    variable_names_blacklist: Sequence[str] | None = None,
) -> Message:
    """The GraphDef that the outputs need, with the checkpoint's values as constants.

    Args:
        meta_graph: a `.meta` file or a GraphDef, binary or text, ours or TensorFlow's.
        input_checkpoint: the checkpoint's prefix.
        output_node_names: operations, as a list or separated by commas.
        clear_devices: forget where nodes were to run.
        variable_names_whitelist: if given, only these become constants.
        variable_names_blacklist: these stay variables.

    Raises:
        PersistenceError: there is no such checkpoint, or no output is named.
        CheckpointError: it lacks variables of the graph, or has others than the graph declares.
        GraphError: the graph cannot be read or frozen, see `convert_variables_to_constants`.
    """
    if not checkpoint.checkpoint_exists(input_checkpoint):
        raise PersistenceError(f"Input checkpoint '{os.fspath(input_checkpoint)}' doesn't exist!")
    outputs = output_node_names.replace(" ", "").split(",") \
        if isinstance(output_node_names, str) else list(output_node_names)
    if not any(outputs):
        raise PersistenceError("You need to supply the name of a node to --output_node_names.")
    graph_def, values = _load(meta_graph, input_checkpoint)
    return graph.convert_variables_to_constants(
        values, graph.clear_devices(graph_def) if clear_devices else graph_def, outputs,
        variable_names_whitelist, variable_names_blacklist)


def _load(
    path: str | os.PathLike[str], prefix: str | os.PathLike[str]
) -> tuple[Message, Mapping[str, Any]]:
    """The GraphDef in either kind of file, and values by variable name.

    A MetaGraph's own Saver knows under which keys its variables were saved, as slices or renamed.
    """
    reader = checkpoint.CheckpointReader(prefix)
    try:
        meta_graph = graph.load_meta_graph(path)
    except graph.GraphFileNotFound:
        raise
    except graph.GraphError:
        return graph.load_graph(path), reader
    imported = execution.import_meta_graph(meta_graph)
    if imported.saver is None:
        return meta_graph.graph_def, reader
    imported.saver.restore(prefix)
    return meta_graph.graph_def, ChainMap(imported.values, cast(dict[str, Any], reader))
