"""The types of tensors as nodes declare them."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import graph
from pipeline.execution.library import Library
from pipeline.execution.wires import Wires, feed_name
from pipeline.graph import GraphError, Ref


class Types:
    """DataTypes of the outputs of some wires, looked up when they are asked for.

    Args:
        library: resolves attributes that a function's caller says.
        wires: the nodes, those among them too that a feed took the place of.
        inputs: the tensors that are fed.
    """

    def __init__(self, library: Library, wires: Wires, inputs: Sequence[Ref]) -> None:
        self._library, self._wires = library, wires
        self._fed = {feed_name(index): ref for index, ref in enumerate(inputs)}
        self._known: dict[str, list[int] | None] = {}

    def source(self, ref: Ref) -> Ref:
        """The tensor of the graph that a reference stands for, also where it is fed."""
        return self._fed.get(ref.node, ref)

    def of(self, ref: Ref) -> int | None:
        """The DataType of a tensor; None where no definition of an op tells."""
        ref = self.source(ref)
        if ref.node not in self._known:
            self._known[ref.node] = self._outputs(ref.node)
        numbers = self._known[ref.node]
        return None if numbers is None or not 0 <= ref.output < len(numbers) \
            else numbers[ref.output]

    def _outputs(self, name: str) -> list[int] | None:
        wire = self._wires.get(name)
        if wire is None or wire.proto is None or wire.proto.op != wire.op \
                or not graph.has_op_def(wire.op):
            return None
        try:
            found = graph.output_types(wire.op, self._library.attrs(wire.proto, wire.caller))
        except (GraphError, KeyError, TypeError):
            return None
        # An attribute of a damaged graph may be of another kind than its op's definition says.
        return found if all(isinstance(number, int) for number in found) else None
