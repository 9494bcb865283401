"""MetaGraphDef: a graph with what is needed to initialise, save, restore and call it.

    meta_info_def    op definitions of the ops used, TensorFlow's version, tags
    graph_def        nodes, producer version
    saver_def        names of the Saver's nodes
    collection_def   `variables`, `trainable_variables` (VariableDefs), others
    signature_def    inputs and outputs by name
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from google.protobuf import json_format
from google.protobuf.message import Message
from tensorboard.compat.proto.meta_graph_pb2 import (
    CollectionDef,
    MetaGraphDef,
    SignatureDef,
    TensorInfo,
)
from tensorboard.compat.proto.op_def_pb2 import OpList

from pipeline import dtypes
from pipeline.graph.errors import GraphError
from pipeline.graph.op_defs import has_op_def, op_def
from pipeline.graph.tensors import encode_shape
from pipeline.graph.variables import GraphVariable, variable_def

PREDICT = "tensorflow/serving/predict"   # tensorflow/python/saved_model/signature_constants.py


class Form(NamedTuple):
    """How one version of TensorFlow writes a MetaGraph."""

    tensorflow_version: str
    git_version: str
    producer: int
    restore_each: bool         # a RestoreV2 for each variable
    restore_device: str
    complete_variables: bool   # VariableDefs with initial value and trainable
    bfloat16: bool             # known to the op definitions


FORMS = {
    "1.2": Form("1.2.1", "b'unknown'", 22, True, "", False, False),
    "1.9": Form("1.9.0", "", 26, False, "/device:CPU:0", True, True),
    "2.21": Form("2.21.0", "", 2474, False, "/device:CPU:0", True, True),
}


def find_form(name: str) -> Form:
    """The form of a TensorFlow version.

    Raises:
        GraphError: none is known by that name.
    """
    if name not in FORMS:
        raise GraphError(f"MetaGraph form {name!r}; expected one of {', '.join(FORMS)}")
    return FORMS[name]


def build_meta_graph(
    nodes: Iterable[Message],
    form: Form,
    *,
    library: Message | None = None,
    variables: Sequence[GraphVariable] = (),
    saver_def: Message | None = None,
    collections: Mapping[str, Sequence[Any]] | None = None,
    signatures: Mapping[str, Message] | None = None,
    tags: Sequence[str] = (),
) -> Message:
    """A MetaGraphDef of these nodes.

    Args:
        nodes: all of them.
        form: whose version is written.
        library: the functions that nodes call.
        variables: those among the nodes; their declarations say which collections list them.
        saver_def: of the Saver's nodes, if they are there.
        collections: others; `bytes` make a bytes_list, integers an int64_list, floats a
            float_list, strings (names of tensors and operations) a node_list.
        signatures: by key, such as `serving_default`.
        tags: such as `serve`.

    Raises:
        GraphError: a collection holds something else, or of several kinds.
    """
    meta_graph = MetaGraphDef()
    meta_graph.graph_def.node.extend(nodes)
    meta_graph.graph_def.versions.producer = form.producer
    if library is not None and library.function:
        meta_graph.graph_def.library.CopyFrom(library)
    info = meta_graph.meta_info_def
    bodies = [function.node_def for function in meta_graph.graph_def.library.function]
    ops = {node.op for nodes in (meta_graph.graph_def.node, *bodies) for node in nodes}
    info.stripped_op_list.CopyFrom(stripped_op_list(ops, bfloat16=form.bfloat16))
    info.tensorflow_version, info.tensorflow_git_version = form[:2]
    info.tags.extend(tags)
    if saver_def is not None:
        meta_graph.saver_def.CopyFrom(saver_def)
    for variable in variables:
        encoded = variable_def(variable, complete=form.complete_variables)
        for key in variable.declaration.collections:
            meta_graph.collection_def[key].bytes_list.value.append(
                encoded.SerializeToString(deterministic=True))
    for key, values in (collections or {}).items():
        meta_graph.collection_def[key].CopyFrom(_collection(key, values))
    for key, signature in (signatures or {}).items():
        meta_graph.signature_def[key].CopyFrom(signature)
    return meta_graph


def stripped_op_list(ops: Iterable[str], *, bfloat16: bool = True) -> Message:
    """The definitions of the ops, sorted; ops that the table lacks are left out, as TF1 does.

    TensorFlow before 1.4 knew no bfloat16, and did not yet mark Save and Restore as stateful.
    """
    found = OpList(op=[op_def(name) for name in sorted(set(ops)) if has_op_def(name)])
    for definition in () if bfloat16 else found.op:
        if definition.name in ("SaveV2", "RestoreV2"):
            definition.ClearField("is_stateful")
        for attr in definition.attr:
            allowed = attr.allowed_values.list.type
            if dtypes.NUMBER["BFLOAT16"] in allowed:
                allowed.remove(dtypes.NUMBER["BFLOAT16"])
    return found


def _collection(key: str, values: Sequence[Any]) -> Message:
    kinds = {type(value) for value in values}
    lists = {bytes: "bytes_list", str: "node_list", int: "int64_list", float: "float_list"}
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind not in lists:
        raise GraphError(f"collection {key!r} holds {sorted(t.__name__ for t in kinds)}; expected "
                         "only bytes, only names, only integers or only floats")
    found = CollectionDef()
    getattr(found, lists[kind]).value.extend(values)
    return found


def tensor_info(ref: str, shape: Sequence[int | None], dtype: int) -> Message:
    """One input or output of a signature; `ref` is `node` or `node:output`."""
    name = ref if ":" in ref else f"{ref}:0"
    return TensorInfo(name=name, dtype=dtype, tensor_shape=encode_shape(shape))


def build_signature(
    inputs: Mapping[str, Message], outputs: Mapping[str, Message], method: str = PREDICT
) -> Message:
    """A SignatureDef from TensorInfos by key."""
    signature = SignatureDef(method_name=method)
    for key, info in inputs.items():
        signature.inputs[key].CopyFrom(info)
    for key, info in outputs.items():
        signature.outputs[key].CopyFrom(info)
    return signature


def meta_graph_json(meta_graph: Message) -> str:
    """A MetaGraphDef (or any message of a graph) as JSON, with the field names of the proto files.

    TF1's tutorials call the text form `.json`; this is JSON.
    """
    return str(json_format.MessageToJson(meta_graph, preserving_proto_field_name=True))
