"""What of a graph has to run: the nodes that some tensors follow from, and what writes before them.

A loop keeps those of its variables that its condition, its writes and what is taken of its results
follow from, to a fixed point. What only a gradient looks at that nobody fetches falls away, as it
does in a TensorFlow session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from pipeline import graph
from pipeline.execution.library import Library
from pipeline.execution.liveness import Conditions
from pipeline.execution.loops import WHILES, Loop, Part, loop_of_functions
from pipeline.execution.wires import FEED, Wire, Wires, data_refs
from pipeline.graph import CONTROL, Ref


class Needed(NamedTuple):
    """The names of the nodes to run, in order, and what each loop among them keeps."""

    names: list[str]
    loops: dict[str, Kept]


class Kept(NamedTuple):
    """A loop with the positions of the inputs that it keeps, variables first."""

    loop: Loop
    positions: list[int]

    @property
    def variables(self) -> list[int]:
        """The variables among the positions."""
        return [each for each in self.positions if each < self.loop.size]

    def part(self, part: Part) -> Part:
        """The condition or the body, of the kept inputs and outputs only."""
        inputs = [part.inputs[each] for each in self.positions]
        dropped = {ref.node: Wire(ref.node, FEED, (), None) for ref in part.inputs
                   if ref.node not in part.wires}   # a function's arguments are no nodes
        outputs = [0] if part is self.loop.cond else self.variables
        return Part(part.wires | dropped, inputs, [part.outputs[each] for each in outputs],
                    [part.effects[each] for each in outputs])


class Pruner:
    """Finds what has to run.

    Args:
        library: the functions that nodes may call.
        writes: whether a node changes something that others see.
    """

    def __init__(self, library: Library, writes: Callable[[Wire], bool]) -> None:
        self._library, self._writes = library, writes
        self._kept: dict[tuple[str, int], Kept] = {}   # what a `While` keeps for one output

    def needed(
        self, wires: Wires, every: Sequence[str], targets: Iterable[Ref],
        alive: Mapping[str, Conditions], loops: Mapping[str, Loop],
    ) -> Needed:
        """Of `every`: what `targets` and the writes ordered before them take as data.

        What waits for no write comes first, so that it sees the variables as they were.
        """
        looping = {name for name, loop in loops.items() if self._loop_writes(loop)}
        writing = {name for name in every if name in looping or self._writes(wires[name])}
        wanted: dict[str, set[int]] = {name: set() for name in writing}
        refs = [*targets, *(each.predicate for name in writing for each in alive.get(name, ()))]
        refs += [ref for name in every if wires[name].op == "Identity"
                 for ref in data_refs(wires[name]) if ref.node in looping]
        for ref in refs:
            wanted.setdefault(ref.node, set()).add(ref.output)
        kept: dict[str, Kept] = {}
        for name in reversed(every):
            if name not in wanted:
                continue
            taken = data_refs(wires[name])
            if name in loops or wires[name].op in WHILES:
                loop = loops.get(name) or loop_of_functions(wires[name], self._library)
                kept[name] = self._keep(loop, wanted[name] - {CONTROL})
                taken = [taken[each] for each in kept[name].positions]
            for ref in taken:
                wanted.setdefault(ref.node, set()).add(ref.output)
        waiting = _waiting(wires, every, writing)
        return Needed(sorted((name for name in every if name in wanted), key=waiting.__contains__),
                      kept)

    def _keep(self, loop: Loop, outputs: Iterable[int]) -> Kept:
        """What a loop keeps where some of its outputs are taken."""
        found = self._inputs(loop.cond, [0]) | set(outputs)
        while True:
            variables = sorted(each for each in found if each < loop.size)
            grown = found | self._inputs(loop.body, variables)
            if grown == found:
                return Kept(loop, sorted(found))
            found = grown

    def _loop_writes(self, loop: Loop) -> bool:
        roots = [*loop.body.outputs, *(ref for each in loop.body.effects for ref in each)]
        return bool(self._writers(loop.body, roots))

    def _inputs(self, part: Part, outputs: Sequence[int]) -> set[int]:
        """The inputs of a part that some of its outputs follow from, with what is written then."""
        roots = [part.outputs[each] for each in outputs]
        waited_for = [ref for each in outputs for ref in part.effects[each]]
        written = [Ref(name, 0) for name in self._writers(part, roots + waited_for)]
        places = {ref: index for index, ref in enumerate(part.inputs)}
        found: set[int] = set()
        pending, seen = roots + written, set(roots + written)
        while pending:
            ref = pending.pop()
            if ref in places:
                found.add(places[ref])
                continue
            for taken in self._taken(part.wires, ref):
                if taken not in seen:
                    seen.add(taken)
                    pending.append(taken)
        return found

    def _taken(self, wires: Wires, ref: Ref) -> list[Ref]:
        """The tensors that one output of a node follows from."""
        wire = wires.get(ref.node)
        if wire is None:   # the walk that orders the nodes says which input is missing
            return []
        taken = data_refs(wire)
        if wire.op not in WHILES:
            return taken
        key = f"{wire.name}\0{sorted(wire.caller.items())}", ref.output
        if key not in self._kept:
            loop = loop_of_functions(wire, self._library)
            outputs = [ref.output] if 0 <= ref.output < loop.size else []
            self._kept[key] = self._keep(loop, outputs)
        return [taken[each] for each in self._kept[key].positions]

    def _writers(self, part: Part, roots: Iterable[Ref]) -> list[str]:
        """The nodes of a part that write, on the way to some tensors or before them."""
        inputs, touched = set(part.inputs), {ref.node for ref in part.inputs}
        pending, found, seen = list(roots), [], set[str]()
        while pending:
            ref = pending.pop()
            wire = part.wires.get(ref.node)
            if (wire is None or ref.node in seen or ref in inputs
                    or (ref.output == CONTROL and ref.node in touched)):
                continue
            seen.add(ref.node)
            if wire.op != FEED and self._writes(wire):
                found.append(ref.node)
            pending += map(graph.parse_ref, wire.input)
        return found


def _waiting(wires: Wires, every: Sequence[str], writing: set[str]) -> set[str]:
    """The nodes that write or come after one that does."""
    waiting: set[str] = set()
    for name in every if writing else ():
        inputs = (graph.parse_ref(text).node for text in wires[name].input)
        if name in writing or not waiting.isdisjoint(inputs):
            waiting.add(name)
    return waiting
