"""What a MetaGraph's collections hold, as elements of the graph."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError, Message
from tensorboard.compat.proto.variable_pb2 import VariableDef

from pipeline.execution.elements import Elements
from pipeline.execution.errors import ExecutionError

# their entries are VariableDefs: tensorflow/python/ops/variables.py, register_proto_function
_OF_VARIABLES = ("variables", "trainable_variables", "local_variables", "model_variables",
                 "moving_average_variables", "metric_variables")


def read_collection(owner: Elements, collection: Message | None, key: str) -> list[Any]:
    """A collection's entries: variables, tensors and operations of the graph, numbers or bytes.

    Raises:
        ExecutionError: an entry names a variable or node that the graph does not have.
    """
    if collection is None:
        return []
    kind = collection.WhichOneof("kind")
    if kind is None:
        return []
    values = list(getattr(collection, kind).value)
    if kind == "node_list":
        return [owner.as_graph_element(name) for name in values]
    if kind == "bytes_list" and key in _OF_VARIABLES:
        return [_variable(owner, content, key) for content in values]
    return values


def _variable(owner: Elements, content: bytes, key: str) -> Any:
    try:
        name = VariableDef.FromString(content).variable_name.removesuffix(":0")
    except DecodeError:
        raise ExecutionError(f"collection {key!r} has an entry that is no VariableDef") from None
    if name not in owner.variables:
        raise ExecutionError(f"collection {key!r} lists {name!r}, which is no variable here")
    return owner.variables[name]
