"""Where to cut a graph that cannot run whole: the tensors to feed in place of what has no rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline import dtypes, graph
from pipeline.errors import PipelineError
from pipeline.execution import registry
from pipeline.execution.library import Library, called_functions
from pipeline.execution.liveness import MERGES
from pipeline.execution.loops import Loop, lift_loops
from pipeline.execution.wires import FEED, Wire, Wires, data_refs
from pipeline.graph import Ref
from pipeline.graph.tensors import Shape

_PLACEHOLDERS = ("Placeholder", "PlaceholderV2")
_STRUCTURE = {*MERGES, FEED, *_PLACEHOLDERS, "Enter", "RefEnter", "Exit", "RefExit", "LoopCond",
              "NextIteration", "RefNextIteration"}
_NOT_FED = {dtypes.NUMBER["STRING"], dtypes.DT_RESOURCE, dtypes.DT_VARIANT}
# the output that only orders a TensorArray's reads after its writes
_FLOWS = {"TensorArrayV3": 1, "TensorArrayWriteV3": 0, "TensorArrayScatterV3": 0,
          "TensorArraySplitV3": 0, "TensorArrayGradV3": 1}
_IMAGES = ("DecodeJpeg", "DecodePng", "DecodeBmp", "DecodeImage", "DecodeAndCropJpeg")


class CutPoint(NamedTuple):
    """A tensor to feed, `DecodeJpeg:0`; dtype and shape as far as its node says them."""

    name: str
    dtype: str
    shape: Shape | None

    def __str__(self) -> str:
        dtype = self.dtype or "of a dtype that its node does not say"
        if self.shape is None:
            return f"{self.name} {dtype}, of a shape that its node does not say"
        return f"{self.name} {dtype}[{', '.join('?' if n is None else str(n) for n in self.shape)}]"


class Cut(NamedTuple):
    """The tensors to feed, and the nodes that the outputs still follow from then."""

    points: list[CutPoint]
    left: set[str]


def find_cut(wires: Wires, outputs: Sequence[Ref], library: Library) -> Cut | None:
    """Where to cut so that nothing without a rule is left; None where nothing has to or can be.

    The tensors nearest to what cannot run are taken, and none that no array can be fed to: a
    string, a resource, the flow of a TensorArray.
    """
    try:
        lifted, loops = lift_loops(wires, [ref.node for ref in outputs])
        every = graph.topological_order(lifted, [ref.node for ref in outputs], control=False)
    except PipelineError:
        return None
    finder = _Finder(lifted, loops, library)
    for name in every:
        finder.look_at(lifted[name])
    points: set[Ref] = set()
    for ref in outputs:
        found = finder.points(ref)
        if found is None or ref in found:
            return None
        points |= found
    if not points:
        return None
    return Cut([_describe(lifted[ref.node], ref) for ref in sorted(points)],
               _left(lifted, outputs, points))


class _Finder:
    """Follows the nodes in order: which cannot run, and where what follows from them is cut."""

    def __init__(self, wires: Wires, loops: Mapping[str, Loop], library: Library) -> None:
        self._wires, self._loops, self._library = wires, loops, library
        self._bad: set[str] = set()
        self._flows: set[Ref] = set()
        self._below: dict[str, set[Ref] | None] = {}    # by node; None: there is no way

    def look_at(self, wire: Wire) -> None:
        refs = data_refs(wire)
        if wire.op in _FLOWS:
            self._flows.add(Ref(wire.name, _FLOWS[wire.op]))
        elif wire.op in ("Identity", "Switch", "Merge", "Enter") or wire.name in self._loops:
            self._flows |= {Ref(wire.name, index) for index, ref in enumerate(refs)
                            if ref in self._flows}
        found: set[Ref] | None = set()
        for ref in refs:
            points = self.points(ref)
            found = None if found is None or points is None else found | points
        self._below[wire.name] = found
        if self._cannot_run(wire):
            self._bad.add(wire.name)

    def points(self, ref: Ref) -> set[Ref] | None:
        """Where to cut for one tensor."""
        below = self._below.get(ref.node, set())
        if ref.node not in self._bad and below is not None:
            return below
        return {ref} if ref not in self._flows and _can_be_fed(self._wires[ref.node], ref) else None

    def _cannot_run(self, wire: Wire) -> bool:
        if wire.name in self._loops:
            loop = self._loops[wire.name]
            return any(map(self._lacks_rule, _within(loop)))
        return self._lacks_rule(wire)

    def _lacks_rule(self, wire: Wire) -> bool:
        if registry.find(wire.op) is None and wire.op not in self._library:
            return wire.op not in _STRUCTURE
        called = [wire.op, *called_functions(wire.proto)] if wire.proto is not None else []
        return any(self._library.uses(name, _is_unknown) for name in called
                   if name in self._library)


def _is_unknown(op: str) -> bool:
    return registry.find(op) is None and op not in _STRUCTURE and graph.has_op_def(op)


def _within(loop: Loop) -> Iterable[Wire]:
    """The nodes of a loop's condition and body."""
    for part in (loop.cond, loop.body):
        pending, seen = list(part.outputs), set(part.inputs)
        while pending:
            ref = pending.pop()
            wire = part.wires.get(ref.node)
            if ref in seen or wire is None:
                continue
            seen.add(ref)
            yield wire
            pending += data_refs(wire)


def _left(wires: Wires, outputs: Iterable[Ref], points: set[Ref]) -> set[str]:
    """The nodes that the outputs follow from once the points are fed."""
    pending, seen = [ref for ref in outputs if ref not in points], set(points)
    while pending:
        for ref in data_refs(wires[pending.pop().node]):
            if ref not in seen:
                seen.add(ref)
                pending.append(ref)
    return {ref.node for ref in seen - points} | {ref.node for ref in outputs}


def _can_be_fed(wire: Wire, ref: Ref) -> bool:
    number = _number(wire, ref.output)
    return wire.proto is not None and (number is None or number not in _NOT_FED)


def _number(wire: Wire, output: int) -> int | None:
    """The DataType of an output, if its node says it."""
    if wire.proto is None or not graph.has_op_def(wire.op):
        return None
    try:
        return graph.output_types(wire.op, graph.read_attrs(wire.proto))[output]
    except (PipelineError, KeyError, IndexError, TypeError):
        return None


def _describe(wire: Wire, ref: Ref) -> CutPoint:
    number = _number(wire, ref.output)
    dtype = "" if number is None else dtypes.name(number).removeprefix("DT_").lower()
    attrs: Mapping[str, Any] = {} if wire.proto is None else graph.read_attrs(wire.proto)
    shape: Shape | None = None
    for key in ("_output_shapes", "output_shapes", "shapes"):
        listed = attrs.get(key)
        if isinstance(listed, list) and ref.output < len(listed):
            shape = listed[ref.output]
            break
    if shape is None and wire.op in _IMAGES:
        shape = (None, None, attrs.get("channels") or None)
    return CutPoint(f"{ref.node}:{ref.output}", dtype, shape)
