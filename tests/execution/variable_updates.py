"""One table of the ops that change variables, and the graph of one use of each.

    v variable   p positive variable   c variable near 0   x a value for each element   s a share
    i two rows   r a value for each element of two rows    n two positions   f -0.5
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline import dtypes, graph

SHAPE = (4, 3)
_APPLY = {   # ApplyAdam and ResourceApplyAdam take the same inputs
    "GradientDescent": "v s x", "ProximalGradientDescent": "v s s s x", "Adagrad": "v p s x",
    "AdagradV2": "v p s s x", "Adadelta": "v p p s s s x", "Adam": "v v p s s s s s s x",
    "AdaMax": "v v p s s s s s x", "Ftrl": "v p v x s s s f", "Momentum": "v v s x s",
    "RMSProp": "v p v s s s s x", "CenteredRMSProp": "v c p v s s s s x",
    "AddSign": "v v s s s s x", "PowerSign": "v v s s s s x",
}
_SPARSE = {"Adagrad": "v p s r i", "Momentum": "v v s r i s"}
_ROWS = ("Update", "Add", "Sub", "Mul", "Div", "Min", "Max")

UPDATES: dict[str, str] = {
    "Assign": "v x", "AssignAdd": "v x", "AssignSub": "v x", "AssignVariableOp": "v x",
    "AssignAddVariableOp": "v x", "AssignSubVariableOp": "v x",
    "ResourceApplyKerasMomentum": "v v s x s",
    "ResourceApplyAdamWithAmsgrad": "v v p p s s s s s s x",
    **{f"{kind}Apply{name}": inputs for name, inputs in _APPLY.items()
       for kind in ("", "Resource")},
    **{f"{kind}SparseApply{name}": inputs for name, inputs in _SPARSE.items()
       for kind in ("", "Resource")},
    **{f"{kind}Scatter{name}": "v i r" for name in _ROWS for kind in ("", "Resource")},
    **{f"{kind}ScatterNd{name}": "v n r" for name in ("Update", "Add", "Sub")
       for kind in ("", "Resource")},
}
FLAGS: dict[str, tuple[str, ...]] = {   # attributes to try both ways
    "use_nesterov": ("ApplyMomentum", "ApplyAdam", "ApplyKerasMomentum", "SparseApplyMomentum"),
    "update_slots": ("ApplyAdagrad", "SparseApplyAdagrad"),
}


@dataclass
class Update:
    """A graph with variables v0, v1, …, their first values, and the node `update`."""

    graph_def: Any
    values: Mapping[str, np.ndarray]


def is_resource(op: str) -> bool:
    return op.startswith("Resource") or op.endswith("VariableOp")


def build(op: str, seed: int, attrs: Mapping[str, Any]) -> Update:
    """One use of an op on variables that are refs or resources, as the op wants them."""
    random, made, values = np.random.default_rng(seed), GraphDef(), {}
    made.versions.producer = 27
    inputs = []
    for place, letter in enumerate(UPDATES[op].split()):
        value = _draw(random, letter)
        if letter in "vpc":
            name = f"v{place}"
            values[name] = value
            number = _variable(made, name, resource=is_resource(op))
        else:
            name, number = f"input{place}", dtypes.from_numpy(value.dtype)
            made.node.append(graph.build_node("Const", name, attrs={
                "value": value, "dtype": number}))
        inputs.append((name, number))
    made.node.append(graph.build_node(op, "update", inputs, attrs))
    return Update(made, values)


def _variable(made: Any, name: str, *, resource: bool) -> int:
    """Adds a variable with `name/value` to feed and `name/assign`; its DataType."""
    number = dtypes.DT_RESOURCE if resource else dtypes.NUMBER["FLOAT"] + dtypes.REF_OFFSET
    attrs = {"dtype": 1, "shape": SHAPE, "shared_name": name}
    made.node.append(graph.build_node("VarHandleOp" if resource else "VariableV2", name,
                                      attrs=attrs))
    made.node.append(graph.build_node("Placeholder", f"{name}/value",
                                      attrs={"dtype": 1, "shape": SHAPE}))
    made.node.append(graph.build_node(
        "AssignVariableOp" if resource else "Assign", f"{name}/assign",
        [(name, number), (f"{name}/value", 1)]))
    made.node.append(graph.build_node("ReadVariableOp" if resource else "Identity",
                                      f"{name}/read", [(name, number)], {"dtype": 1}
                                      if resource else {}))
    return number


def _draw(random: np.random.Generator, letter: str) -> np.ndarray:
    if letter == "i":
        return random.permutation(SHAPE[0])[:2].astype(np.int32)
    if letter == "n":
        return random.permutation(SHAPE[0])[:2, None].astype(np.int32)
    if letter == "f":
        return np.float32(-0.5)
    shape = {"s": (), "r": (2, *SHAPE[1:])}.get(letter, SHAPE)
    low, high = {"s": (0.1, 0.9), "p": (1, 2), "c": (-0.1, 0.1)}.get(letter, (-2, 2))
    value = random.uniform(low, high, shape)
    return np.asarray(np.where(np.abs(value) < 0.05, 0.05, value), np.float32)
