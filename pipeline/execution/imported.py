"""A graph in memory that can be looked at, run, restored and turned into functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import Message
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline import graph
from pipeline.checkpoint import Saver
from pipeline.execution.collections import read_collection
from pipeline.execution.compiled import Compiled, Variables
from pipeline.execution.compiler import Compiler
from pipeline.execution.custom_gradients import gradients_of
from pipeline.execution.elements import Elements, Tensor
from pipeline.execution.errors import ElementTypeError, ExecutionError
from pipeline.execution.fetches import flatten_fetches
from pipeline.execution.function import Input, accept_all, fix
from pipeline.execution.graph_function import GraphFunction
from pipeline.execution.library import Library
from pipeline.execution.program import Program
from pipeline.execution.trainable import find_trainable
from pipeline.execution.variable import VARIABLE_OPS
from pipeline.execution.wires import Wires, check_names, wires_of
from pipeline.graph import Ref


class Graph(Elements):
    """Nodes, a function library, collections, and the values of the variables.

    Attributes:
        values: what the variables hold, as `Elements` has it.
        saver: restores the variables under the names that the graph's own Saver uses; None where
            the graph has no Saver.
        signatures: of a SavedModel, by name.
        object_graph: the SavedObjectGraph of a SavedModel of TensorFlow 2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.saver: Saver | None = None
        self.signatures: dict[str, Message] = {}
        self.object_graph: Message | None = None
        self._collections: dict[str, Message] = {}
        self._names_in_use: set[str] = set()
        self._compiled: dict[Any, tuple[Compiled, list[Input]]] = {}

    def as_graph_def(self, values: Mapping[str, Any] | None = None) -> Message:
        """The GraphDef, with constants of these names replaced by these values.

        Raises:
            ExecutionError: a value has another shape than its constant, or a name is neither a
                constant's nor a variable's.
        """
        unknown = [name for name in values or {} if name not in self._nodes
                   or self._nodes[name].op not in ("Const", *VARIABLE_OPS)]
        if unknown:
            raise ExecutionError("values are given for what is no constant or variable of the "
                                 f"graph: {', '.join(unknown[:10])}")
        copied = GraphDef()
        copied.CopyFrom(self._graph_def)
        for node in copied.node if values else ():
            if node.op == "Const" and node.name in (values or {}):
                before = graph.decode_tensor(node.attr["value"].tensor)
                after = np.asarray((values or {})[node.name])
                if after.shape != before.shape:
                    raise ExecutionError(f"{node.name}: value has shape {after.shape}, graph has "
                                         f"{before.shape}")
                node.attr["value"].tensor.CopyFrom(
                    graph.encode_tensor(after.astype(before.dtype)))
        return copied

    def get_all_collection_keys(self) -> list[str]:
        """The names of the collections."""
        return sorted(self._collections)

    def get_collection(self, key: str, scope: str | None = None) -> list[Any]:
        """What a collection lists: variables, tensors, operations, numbers or bytes.

        `scope` keeps what has a name that begins with it, a regular expression, as in TensorFlow.
        """
        found = read_collection(self, self._collections.get(key), key)
        if scope is None:
            return found
        return [each for each in found if re.match(scope, getattr(each, "name", ""))]

    def trainable(self, *patterns: str) -> Variables:
        """Variables and constants to train, by name, with their values.

        Args:
            *patterns: names, or shell patterns (`layer2/*`). A pattern takes variables of the
                collection `trainable_variables` and floating constants with axes, but no moving
                averages; a full name takes any variable or floating constant.

        Raises:
            ExecutionError: a pattern matches nothing, or a variable has no value.
        """
        listed = {each.op_name for each in self.get_collection("trainable_variables")}
        return find_trainable(self, listed, patterns)

    def run(
        self, fetches: Any, feed: Mapping[Any, Any] | None = None, *, key: Any = None
    ) -> Any:
        """What a session's `run` gives, and the variables are assigned to as it does.

        Args:
            fetches: a tensor or operation, its name, or a list, tuple or dict of these.
            feed: values by tensor or by name (`x:0`); any tensor may be fed.
            key: a JAX random key for random ops; without one they draw from their own seeds, the
                same numbers at every call.

        Returns:
            NumPy arrays (scalars for rank 0, None for operations) in the nesting of `fetches`.

        Raises:
            ExecutionError: unknown names, placeholders that are not fed, values that do not fit,
                variables without a value, ops that are not supported.
        """
        targets, rebuild = flatten_fetches(self, fetches)
        fed = {self._feed_key(name): value for name, value in (feed or {}).items()}
        compiled, checks = self._program(tuple(fed), tuple(targets))
        outputs, updates = compiled(self.values, accept_all(checks, list(fed.values())), key)
        self.values.update(updates)
        return rebuild([None if each is None else np.asarray(each)[()] for each in outputs])

    def function(
        self, inputs: Sequence[str], outputs: Sequence[str], *,
        trainable: Iterable[str] = (), given: Mapping[str, Any] | None = None,
    ) -> GraphFunction:
        """Outputs as a plain JAX function of variables and inputs.

        Args:
            inputs: names of tensors in the order of the arguments.
            outputs: names of tensors in the order of the results.
            trainable: names of constants that count as variables: what `trainable` returned.
            given: values of tensors that are fixed for good.

        Raises:
            ExecutionError, GraphError: as `execution.function` does.
        """
        check_names(inputs=inputs, outputs=outputs)
        names = set(trainable)
        wires = fix(self._wires(), given or {})
        refs = [self._tensor(name).ref for name in inputs]
        program = self._compiler(names.__contains__).compile(
            wires, refs, [self._tensor(name).ref for name in outputs])
        return GraphFunction(Compiled(program), [self.input_of(ref) for ref in refs], outputs)

    def add_nodes(self, graph_def: Message) -> None:
        """Adds nodes, functions and the versions of a GraphDef whose names are free.

        Raises:
            GraphError: a name is empty, used twice, or in use already.
        """
        added = graph.node_map(graph_def.node)
        for name in added:
            if name in self._nodes:
                raise graph.GraphError(f"Node name '{name}' already exists in the Graph")
        known = {each.signature.name for each in self._graph_def.library.function}
        self._graph_def.node.extend(added.values())
        self._graph_def.library.function.extend(
            each for each in graph_def.library.function if each.signature.name not in known)
        self._graph_def.library.gradient.extend(graph_def.library.gradient)
        self._graph_def.library.registered_gradients.extend(
            graph_def.library.registered_gradients)
        if not self._nodes:
            self._graph_def.versions.CopyFrom(graph_def.versions)
        self._nodes = {node.name: node for node in self._graph_def.node}
        self._names_in_use.update(name.lower() for name in added)
        self._compiled.clear()

    def add_collections(self, collections: Mapping[str, Message]) -> None:
        """Adds CollectionDefs; what a collection holds already stays in front."""
        for key, collection in collections.items():
            if key in self._collections:
                self._collections[key].MergeFrom(collection)
            else:
                self._collections[key] = collection

    def unique_name(self, name: str) -> str:
        """The name, or the first of `name_1`, `name_2` … that is free; taken from now on.

        Case does not distinguish, as in TensorFlow.
        """
        found, count = name, 0
        while found.lower() in self._names_in_use:
            count += 1
            found = f"{name}_{count}"
        self._names_in_use.add(found.lower())
        return found

    def compile(self, inputs: Sequence[Ref], outputs: Sequence[Ref]) -> Program:
        """The program from some tensors to others.

        Raises:
            ExecutionError, GraphError: as `execution.function` does.
        """
        return self._compiler().compile(self._wires(), inputs, outputs)

    def _program(
        self, inputs: tuple[Ref, ...], outputs: tuple[Ref, ...]
    ) -> tuple[Compiled, list[Input]]:
        key = (inputs, outputs)
        if key not in self._compiled:
            self._compiled[key] = (Compiled(self.compile(inputs, outputs)),
                                   [self.input_of(ref) for ref in inputs])
        return self._compiled[key]

    def _compiler(self, lifted: Callable[[str], bool] = lambda name: False) -> Compiler:
        library = self._graph_def.library
        return Compiler(
            Library(library.function, gradients_of(library, self.object_graph)), lifted)

    def _wires(self) -> Wires:
        return wires_of(self._graph_def.node)

    def _tensor(self, name: str) -> Tensor:
        return self.get_tensor_by_name(name if ":" in name else f"{name}:0")

    def _feed_key(self, key: Any) -> Ref:
        try:
            element = key if isinstance(key, Tensor) else self.get_tensor_by_name(key)
        except ExecutionError as error:
            raise ElementTypeError(f"Cannot interpret feed_dict key as Tensor: {error}") from None
        return element.ref
