"""Variables in a graph: the node that holds the value, what it begins with, how it is read.

    VariableV2:   v | v/Assign(v, initial value) | v/read
    VarHandleOp:  v | v/IsInitialized/VarIsInitializedOp | v/Assign | v/Read/ReadVariableOp
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from google.protobuf.message import Message
from numpy.typing import DTypeLike
from tensorboard.compat.proto.variable_pb2 import VariableDef

from pipeline import dtypes
from pipeline.graph.assembly import Assembly
from pipeline.graph.initializers import add_initializer

GLOBAL_VARIABLES = "variables"
TRAINABLE_VARIABLES = "trainable_variables"


@dataclass(frozen=True)
class VariableDeclaration:
    """A variable as a MetaGraph declares it.

    Attributes:
        name: of its node, and its key in checkpoints.
        shape: all dimensions known.
        dtype: anything NumPy takes for one.
        trainable: noted in the VariableDef.
        collections: the collections that list it.
        initializer: `kind` and the parameters of that kind, see `initializers`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DTypeLike
    trainable: bool = True
    collections: tuple[str, ...] = (GLOBAL_VARIABLES, TRAINABLE_VARIABLES)
    initializer: Mapping[str, Any] = field(default_factory=lambda: {"kind": "zeros"})

    @property
    def number(self) -> int:
        """The DataType of its value."""
        return dtypes.from_numpy(self.dtype)


class GraphVariable(NamedTuple):
    """A declared variable and its nodes: references to the value that is read and to the rest."""

    declaration: VariableDeclaration
    initial_value: str
    assign: str
    read: str
    is_resource: bool


def add_variable(assembly: Assembly, declaration: VariableDeclaration, *,
                 resource: bool) -> GraphVariable:
    """The variable's nodes, its initial value's first.

    Raises:
        GraphError: the initializer's kind is unknown or does not fit the shape.
    """
    initial = add_initializer(assembly, declaration.name, declaration.shape, declaration.number,
                              declaration.initializer)
    add = _add_resource if resource else _add_reference
    return add(assembly, declaration, initial)


def _add_reference(
    assembly: Assembly, declaration: VariableDeclaration, initial: str
) -> GraphVariable:
    name, shapes = declaration.name, [declaration.shape]
    assembly.add("VariableV2", name, shapes=shapes, write_defaults=True, dtype=declaration.number,
                 shape=declaration.shape)
    assign = assembly.add("Assign", f"{name}/Assign", name, initial, shapes=shapes, beside=name,
                          write_defaults=True)
    read = assembly.add("Identity", f"{name}/read", name, shapes=shapes, beside=name)
    return GraphVariable(declaration, initial, assign, read, False)


def _add_resource(
    assembly: Assembly, declaration: VariableDeclaration, initial: str
) -> GraphVariable:
    name = declaration.name
    assembly.add("VarHandleOp", name, shapes=[()], dtype=declaration.number,
                 shape=declaration.shape, shared_name=name)
    assembly.add("VarIsInitializedOp", f"{name}/IsInitialized/VarIsInitializedOp", name,
                 shapes=[()])
    assign = assembly.add("AssignVariableOp", f"{name}/Assign", name, initial)
    read = assembly.add("ReadVariableOp", f"{name}/Read/ReadVariableOp", name,
                        shapes=[declaration.shape], dtype=declaration.number)
    return GraphVariable(declaration, initial, assign, read, True)


def variable_def(variable: GraphVariable, *, complete: bool) -> Message:
    """The VariableDef that collections hold; TF before 1.9 knew three of its fields.

    Source: tensorflow/core/framework/variable.proto.
    """
    name = variable.declaration.name
    found = VariableDef(variable_name=f"{name}:0", initializer_name=variable.assign,
                        snapshot_name=f"{variable.read}:0", is_resource=variable.is_resource)
    if complete:
        found.initial_value_name = f"{variable.initial_value}:0"
        found.trainable = variable.declaration.trainable
    return found
