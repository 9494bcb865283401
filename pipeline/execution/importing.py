"""`import_graph_def`, `import_meta_graph` and SavedModels: from messages and files to graphs."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import Message
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline import dtypes, graph
from pipeline.execution import legality
from pipeline.execution.elements import Operation, Tensor
from pipeline.execution.errors import ElementTypeError, ExecutionError
from pipeline.execution.imported import Graph
from pipeline.execution.prefixes import (
    prefixed,
    prefixed_collection,
    prefixed_signatures,
)
from pipeline.execution.restoring import saver_of
from pipeline.graph import Ref

# tensorflow/python/framework/ops.py, _VALID_SCOPE_NAME_REGEX
_SCOPE = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")


def import_graph_def(
    graph_def: Message,
    input_map: Mapping[str, Any] | None = None,
    return_elements: Sequence[str] | None = None,
    name: str | None = None,
    *,
    into: Graph | None = None,
) -> Any:
    """A GraphDef as a graph that can be run; TensorFlow's function of that name.

    Args:
        graph_def: what `graph.load_graph` reads.
        input_map: tensors of `graph_def` (`x:0`, `x`) to replace, by tensors of `into` or arrays.
        return_elements: names of tensors (`add:0`) or operations (`add`) of `graph_def`.
        name: prefix of the names; `import` when None, none when empty. A prefix in use gets a
            number: `import_1`.
        into: the graph to add to; a new one when None.

    Returns:
        The graph; with `return_elements` the list of these, whose `.graph` it is.

    Raises:
        ExecutionError: names that `graph_def` does not have, in TensorFlow's words.
        GraphError: a node is missing or defined twice, a name is in use already.
    """
    target = Graph() if into is None else into
    if return_elements is not None and (isinstance(return_elements, str) or not all(
            isinstance(each, str) for each in return_elements)):
        raise ElementTypeError("Argument `return_elements` must be a list of strings. "
                               f"Obtained {return_elements!r}.")
    legality.check_versions(graph_def.versions)
    legality.check_names(graph_def.node)
    prefix = _prefix(target, "import" if name is None else name)
    nodes = graph.node_map(graph_def.node)
    mapped = _map_inputs(target, nodes, prefix, input_map or {})
    returned = [_returned(nodes, each, prefix) for each in return_elements or ()]
    target.add_nodes(prefixed(graph_def, prefix, mapped))
    if return_elements is None:
        return target
    return [Operation(target, target.get_operation_by_name(ref.node).node_def)
            if ref.output == graph.CONTROL else Tensor(target, ref) for ref in returned]


def import_meta_graph(
    meta_graph_or_file: Message | str | os.PathLike[str],
    clear_devices: bool = False,
    import_scope: str | None = None,
    input_map: Mapping[str, Any] | None = None,
    *,
    into: Graph | None = None,
) -> Graph:
    """A MetaGraph as a graph with collections and a Saver (`.saver`) for its variables.

    The Saver restores under the names that the graph's own Saver uses, also below `import_scope`.

    Args:
        meta_graph_or_file: a MetaGraphDef, or a `.meta` file, binary or text.
        clear_devices: forget where the nodes ask to run; they never run there.
        import_scope: prefix of the names.
        input_map: as for `import_graph_def`; what `export_scope` left open is named there by
            `$unbound_inputs_NAME`.
        into: the graph to add to; a new one when None.

    Raises:
        GraphError: the file is absent (an `OSError` too) or holds no MetaGraphDef.
        ExecutionError: its collections or its Saver name nodes that it does not have; inputs are
            left open that `input_map` does not name.
    """
    if isinstance(meta_graph_or_file, Message):
        meta_graph = meta_graph_or_file
    else:
        meta_graph = graph.load_meta_graph(meta_graph_or_file)
    target = Graph() if into is None else into
    prefix = _prefix(target, import_scope or "")
    legality.check_versions(meta_graph.graph_def.versions)
    legality.check_names(meta_graph.graph_def.node)
    _check_unbound(meta_graph, input_map or {})
    mapped = _map_inputs(target, graph.node_map(meta_graph.graph_def.node), prefix, input_map or {})
    graph_def = prefixed(meta_graph.graph_def, prefix, mapped)
    if clear_devices:
        for node in graph_def.node:
            node.device = ""
    target.add_nodes(graph_def)
    target.add_collections({key: prefixed_collection(value, prefix)
                            for key, value in meta_graph.collection_def.items()
                            if key != graph.UNBOUND_INPUTS})
    target.signatures.update(prefixed_signatures(meta_graph, prefix))
    if target.variables and meta_graph.HasField("saver_def"):
        target.saver = saver_of(target, meta_graph.saver_def, prefix)
    return target


def _prefix(target: Graph, name: str) -> str:
    """`name/`, made unique; a name that ends in a slash is taken as it is."""
    if not name:
        return ""
    if not _SCOPE.fullmatch(name):
        raise ExecutionError(f"{name!r} is not a valid root scope name. A root scope name has to "
                             f"match the following pattern: ^{_SCOPE.pattern}$")
    return name if name.endswith("/") else target.unique_name(name) + "/"


def _map_inputs(
    target: Graph, nodes: Mapping[str, Message], prefix: str, input_map: Mapping[str, Any]
) -> dict[Ref, Ref]:
    """What takes the place of which input; a control input waits for the operation."""
    keys = {key: graph.parse_ref(key) for key in input_map}
    taken = {graph.parse_ref(text): node for node in nodes.values() for text in node.input}
    for ref, node in taken.items():
        if ref.node not in nodes and ref not in keys.values():
            raise ExecutionError(f"Node '{node.name}': Unknown input node '{ref.node}'")
    mapped = {keys[key]: _mapped(target, prefix, key, value) for key, value in input_map.items()}
    _check_map(nodes, mapped, taken)
    return {ref: Ref(to.ref.node, graph.CONTROL) if ref.output == graph.CONTROL else to.ref
            for ref, to in mapped.items()}


def _check_unbound(meta_graph: Message, input_map: Mapping[str, Any]) -> None:
    """Raises where a scope of a graph asks for inputs from outside that are not given."""
    unbound = meta_graph.collection_def.get(graph.UNBOUND_INPUTS)
    missing = [name for name in (each.decode() for each in unbound.bytes_list.value)
               if name not in input_map] if unbound is not None else []
    if missing:
        raise ExecutionError(f"Graph contains unbound inputs: {', '.join(missing)}. Must provide "
                             "these inputs through input_map.")


def _mapped(target: Graph, prefix: str, key: str, value: Any) -> Tensor:
    """The tensor that replaces an input: a tensor of the graph, or a new constant."""
    if isinstance(value, Tensor):
        if value.graph is not target:
            raise ExecutionError(f"input_map[{key!r}] is a tensor of another graph; "
                                 "import into that graph with `into`")
        return value
    name = target.unique_name(prefix + "Const")
    constant = graph.build_node("Const", name, attrs={
        "value": np.asarray(value), "dtype": dtypes.from_numpy(np.asarray(value).dtype)})
    target.add_nodes(GraphDef(node=[constant]))
    return Tensor(target, Ref(name, 0))


def _check_map(
    nodes: Mapping[str, Message], mapped: Mapping[Ref, Tensor], taken: Container[Ref]
) -> None:
    unknown = [f"{ref.node}:{ref.output}" for ref in mapped if ref not in taken and (
        ref.node not in nodes or not _has_output(nodes[ref.node], ref.output))]
    if unknown:
        raise ExecutionError("Attempted to map inputs that were not found in graph_def: "
                             f"[{', '.join(unknown)}]")
    for ref, tensor in mapped.items():
        numbers = graph.output_numbers(nodes[ref.node]) if ref.node in nodes else None
        if numbers is None or ref.output >= len(numbers) or tensor.dtype is None \
                or ref.output == graph.CONTROL:
            continue
        found, expected = dtypes.from_numpy(tensor.dtype), numbers[ref.output]
        if found != expected % dtypes.REF_OFFSET:
            raise ExecutionError(f"{ref.node}:{ref.output} is mapped to {tensor.name}, which is "
                                 f"{dtypes.name(found)}; expected {dtypes.name(expected)}")


def _has_output(node: Message, output: int) -> bool:
    numbers = graph.output_numbers(node)
    return numbers is None or output < len(numbers)


def _returned(nodes: Mapping[str, Message], name: str, prefix: str) -> Ref:
    """The reference of a returned element, below the prefix."""
    if ":" not in name:
        if name not in nodes:
            raise ExecutionError(f"Requested return node '{name}' not found in graph def")
        return Ref(prefix + name, graph.CONTROL)
    ref = graph.parse_ref(name)
    if ref.node not in nodes:
        raise ExecutionError(f"Requested return tensor '{name}' not found in graph def")
    if not _has_output(nodes[ref.node], ref.output):
        count = len(graph.output_numbers(nodes[ref.node]) or ())
        raise ExecutionError(f"Invalid return output {ref.output} of node '{ref.node}', "
                             f"which has {count} output(s)")
    return Ref(prefix + ref.node, ref.output)
