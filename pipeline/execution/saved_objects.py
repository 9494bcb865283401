"""A SavedModel's object graph: which variable of the graph is which object of the checkpoint.

    SavedObjectGraph: nodes {children {node_id, local_name}, variable {name}, …}, node 0 is the root
                      concrete_functions: name -> {bound_inputs: nodes that it takes last}

The checkpoint beside it has the same objects under the same local names, and its keys say no more
than a path of these. Sources: tensorflow/core/protobuf/saved_object_graph.proto,
tensorflow/python/saved_model/load.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.message import Message

from pipeline import graph


def variable_paths(objects: Any, graph_def: Any) -> dict[str, str]:
    """The path in the object graph of each node of the graph that stands for a variable.

    What a called function takes tells; else the name that the object and the node share.
    """
    paths = _paths(objects)
    found = {node: paths[place] for node, place in _bound(objects, graph_def.node).items()
             if place in paths and objects.nodes[place].HasField("variable")}
    by_name: dict[str, list[int]] = {}
    for place, each in enumerate(objects.nodes):
        if each.HasField("variable") and place in paths:
            by_name.setdefault(each.variable.name, []).append(place)
    for node in graph_def.node:
        shared = node.attr["shared_name"].s.decode() if node.op == "VarHandleOp" else ""
        places = by_name.get(shared or node.name, [])
        if node.op == "VarHandleOp" and node.name not in found and len(places) == 1:
            found[node.name] = paths[places[0]]
    return found


def _bound(objects: Any, nodes: Iterable[Message]) -> dict[str, int]:
    """The objects that calls of concrete functions take, by the nodes that give them."""
    functions: Mapping[str, Any] = objects.concrete_functions
    found: dict[str, int] = {}
    for node in nodes:
        name = node.attr["f"].func.name if "f" in node.attr else node.op
        if name not in functions:
            continue
        places = functions[name].bound_inputs
        data = [graph.parse_ref(text).node for text in node.input if text[0] != "^"]
        found.update(zip(data[len(data) - len(places):], places, strict=False))
    return found


def _paths(objects: Any) -> dict[int, str]:
    """A shortest path from the root to each object."""
    found, pending = {0: ""}, [0]
    for place in pending:    # grows while it is walked
        for child in objects.nodes[place].children:
            if child.node_id not in found and child.node_id < len(objects.nodes):
                prefix = f"{found[place]}/" if place else ""
                found[child.node_id] = prefix + child.local_name
                pending.append(child.node_id)
    return found
