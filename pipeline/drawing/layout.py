"""Where the boxes of a flow stand: in layers from top to bottom, the main line straight.

A layer is the longest way from a source (K. Sugiyama, S. Tagawa, M. Toda 1981), but what stands
aside, such as a variable, is just above the first that takes it and right of all others. Wires over
several layers pass through points of their own, so that they don't run behind boxes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias

Wire: TypeAlias = tuple[Hashable, Hashable]
Place: TypeAlias = tuple[float, int]      # the middle from the left edge; the layer from 0

GAP = 22.0      # between neighbours in a layer


@dataclass(frozen=True)
class Layout:
    """Where each box stands, and through which points each wire goes, its ends included."""

    places: dict[Hashable, Place]
    routes: dict[Wire, list[Place]]
    width: float
    layers: int


def lay_out(
    widths: Mapping[Hashable, float], wires: Sequence[Wire], aside: Set[Hashable]
) -> Layout:
    """Places for boxes of these widths; a wire that closes a circle is left out.

    Args:
        widths: of each box; where nothing else decides they stand in this order.
        wires: from box to box.
        aside: boxes that nothing leads to and that the main line goes past.
    """
    kept = _acyclic(list(widths), wires)
    layer = _layers(list(widths), kept, aside)
    # A point that a wire passes through is a box without width, known by the wire and its layer.
    chains: dict[Wire, list[Hashable]] = {
        wire: [wire[0], *((wire, level) for level in range(layer[wire[0]] + 1, layer[wire[1]])),
               wire[1]] for wire in kept}
    depth: dict[Hashable, int] = dict(layer)
    before: dict[Hashable, list[Hashable]] = defaultdict(list)
    for wire, chain in chains.items():
        for position, point in enumerate(chain[1:], start=1):
            depth.setdefault(point, layer[wire[0]] + position)
            before[point].append(chain[position - 1])
    middle = _middles(depth, before, widths, aside)
    left = min((middle[key] - width / 2 for key, width in widths.items()), default=0.0)
    right = max((middle[key] + width / 2 for key, width in widths.items()), default=0.0)
    return Layout(
        {key: (middle[key] - left, layer[key]) for key in widths},
        {wire: [(middle[point] - left, depth[point]) for point in chain]
         for wire, chain in chains.items()},
        right - left, 1 + max(layer.values(), default=-1))


def _acyclic(keys: Sequence[Hashable], wires: Sequence[Wire]) -> list[Wire]:
    """The wires but those that lead back, as where two scopes use each other."""
    after: dict[Hashable, list[Hashable]] = defaultdict(list)
    for source, target in wires:
        after[source].append(target)
    on_the_way: set[Hashable] = set()
    done: set[Hashable] = set()
    closing: set[Wire] = set()
    for root in keys:
        pending = [] if root in done else [(root, iter(after[root]))]
        while pending:
            key, following = pending[-1]
            on_the_way.add(key)
            target = next(following, None)
            if target is None:
                on_the_way.discard(key)
                done.add(key)
                pending.pop()
            elif target in on_the_way:
                closing.add((key, target))
            elif target not in done:
                pending.append((target, iter(after[target])))
    return [wire for wire in wires if wire not in closing]


def _layers(
    keys: Sequence[Hashable], wires: Sequence[Wire], aside: Set[Hashable]
) -> dict[Hashable, int]:
    layer = dict.fromkeys(keys, 0)
    moved = True
    while moved:       # ends, because there are no circles
        moved = False
        for source, target in wires:
            if layer[target] <= layer[source]:
                layer[target], moved = layer[source] + 1, True
    first: dict[Hashable, int] = {}
    for source, target in wires:
        first[source] = min(layer[target], first.get(source, layer[target]))
    return {key: first[key] - 1 if key in aside and key in first else level
            for key, level in layer.items()}


def _middles(
    depth: Mapping[Hashable, int], before: Mapping[Hashable, Sequence[Hashable]],
    widths: Mapping[Hashable, float], aside: Set[Hashable],
) -> dict[Hashable, float]:
    """Each box below the middle of those before it, as far as those on its left let it."""
    levels: dict[int, list[Hashable]] = defaultdict(list)
    for point, level in depth.items():
        levels[level].append(point)
    middle: dict[Hashable, float] = {}
    for level in sorted(levels):
        wanted: dict[Hashable, float] = {}
        for point in levels[level]:
            main = [middle[one] for one in before.get(point, ()) if one not in aside]
            if main:
                wanted[point] = sum(main) / len(main)
        edge: float | None = None
        for point in sorted(levels[level], key=lambda p: (p in aside, wanted.get(p, 0.0))):
            half = widths.get(point, 0.0) / 2
            free = wanted.get(point, 0.0) if edge is None else edge + GAP + half
            middle[point] = free if point in aside else max(free, wanted.get(point, free))
            edge = middle[point] + half
    return middle
