"""Variables become constants: a graph that needs no checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import Message
from tensorboard.compat.proto.node_def_pb2 import NodeDef

from pipeline import dtypes
from pipeline.graph.cut import extract_sub_graph, with_nodes
from pipeline.graph.errors import GraphError
from pipeline.graph.nodes import build_node
from pipeline.graph.tensors import decode_shape
from pipeline.graph.walk import parse_ref

_log = logging.getLogger(__name__)

_REFERENCES = ("Variable", "VariableV2")
_LIMIT = 1 << 31


def convert_variables_to_constants(
    variables: Mapping[str, Any],
    graph_def: Message,
    outputs: Sequence[str],
    variable_names_whitelist: Sequence[str] | None = None,
    variable_names_blacklist: Sequence[str] | None = None,
) -> Message:
    """The part of a graph that the outputs need, with constants in place of its variables.

    Args:
        variables: values by variable name; only those of that part are asked for.
        graph_def: with reference or resource variables.
        outputs: names of operations (not of tensors).
        variable_names_whitelist: if given, only these become constants.
        variable_names_blacklist: these stay variables.

    Raises:
        GraphError: an output is not in the graph, a value is missing or has another shape or dtype
            than its variable, a resource variable is used by what cannot take a constant, or the
            result would be 2 GiB or larger.
    """
    part = extract_sub_graph(graph_def, outputs)
    chosen = [node for node in part.node if node.op in (*_REFERENCES, "VarHandleOp")
              and (variable_names_whitelist is None or node.name in variable_names_whitelist)
              and node.name not in (variable_names_blacklist or ())]
    values = {node.name: _value(variables, node) for node in chosen}
    _log.info("Froze %d variables.", len(values))
    resources = {node.name for node in chosen if node.op == "VarHandleOp"}
    handles = _handles(part, resources)
    nodes = [_frozen(node, values, handles) for node in part.node]
    _log.info("Converted %d variables to const ops.", len(values))
    frozen = with_nodes(part, nodes)
    if (size := frozen.ByteSize()) >= _LIMIT:
        raise GraphError(f"the frozen graph would take {size} bytes; no program reads 2 GiB or "
                         "more: keep the variables in a checkpoint beside a MetaGraph")
    return frozen


def _value(variables: Mapping[str, Any], node: Message) -> Any:
    """The value of a variable; a handle may be known by its shared name only."""
    shared = node.attr["shared_name"].s.decode() if node.op == "VarHandleOp" else ""
    name = node.name if node.name in variables or not shared else shared
    if name not in variables:
        raise GraphError(f"{node.name}: the graph has this variable and no value for it is given; "
                         f"there are {len(variables)}: {', '.join(list(variables)[:5])}")
    value = np.asarray(variables[name])
    dtype = dtypes.to_numpy(node.attr["dtype"].type)
    if value.dtype != dtype:
        raise GraphError(f"{node.name}: the value is {value.dtype}, the graph has {dtype}")
    shape = decode_shape(node.attr["shape"].shape)
    if shape is not None and (len(shape) != value.ndim or any(
            want not in (None, have) for want, have in zip(shape, value.shape, strict=True))):
        raise GraphError(f"{node.name}: the value has shape {value.shape}, the graph has {shape}")
    return value


def _handles(graph_def: Message, resources: set[str]) -> set[str]:
    """The nodes whose first output is a handle of one of the variables: they, and Identities."""
    handles = set(resources)
    for node in graph_def.node:
        if node.op == "Identity" and parse_ref(node.input[0]).node in handles:
            handles.add(node.name)
    return handles


def _frozen(node: Message, values: Mapping[str, Any], handles: set[str]) -> Message:
    if node.name in values:
        value = values[node.name]
        return build_node("Const", node.name, attrs={
            "value": value, "dtype": dtypes.from_numpy(value.dtype)})
    refs = [parse_ref(text) for text in node.input]
    taken = [ref.node for ref in refs if ref.node in handles and ref.output == 0]
    if not taken:
        return node
    copy = NodeDef(name=node.name, op=node.op, device=node.device, input=node.input)
    if node.op == "ReadVariableOp":
        copy.op = "Identity"
        copy.attr["T"].CopyFrom(node.attr["dtype"])
    elif node.op == "Identity":
        source = values.get(refs[0].node)
        copy.attr["T"].type = node.attr["T"].type if source is None else \
            dtypes.from_numpy(source.dtype)
    elif node.op == "ResourceGather":
        return _gather(node)
    else:
        raise GraphError(f"{node.name}: op {node.op} takes the resource variable "
                         f"{taken[0]}, which cannot become a constant under it; cut the graph "
                         "before it, or put the variable on variable_names_blacklist")
    return copy


def _gather(node: Message) -> Message:
    index, dtype = node.attr["Tindices"].type, node.attr["dtype"].type
    if node.attr["batch_dims"].i:
        raise GraphError(f"{node.name}: ResourceGather with batch_dims "
                         f"{node.attr['batch_dims'].i} cannot become a constant's Gather")
    return build_node("Gather", node.name, [(node.input[0], dtype), (node.input[1], index)])
