"""What a graph is: its ends, ops, scopes, sizes and cost, and who can run it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

import pipeline.execution.rules  # noqa: F401 - fills the registry
from pipeline import dtypes, graph
from pipeline.execution import registry
from pipeline.execution.abstract import count_flops
from pipeline.execution.consumers import Refusal, find_refusals
from pipeline.execution.cutting import CutPoint, find_cut
from pipeline.execution.ends import PLACEHOLDERS, End, end_text, find_inputs, find_outputs
from pipeline.execution.library import Library, called_functions
from pipeline.execution.wires import wires_of

_STRUCTURE = {"Enter", "Exit", "NextIteration", "LoopCond", "Merge", "Switch", "RefEnter",
              "RefExit", "RefNextIteration", "RefMerge", "RefSwitch"}


@dataclass(frozen=True)
class Description:
    """A graph at a glance.

    Attributes:
        producer: version of the GraphDef's producer, 0 when absent.
        nodes: how many.
        inputs: placeholders that something uses.
        outputs: nodes that nothing uses, without what only trains, saves or checks.
        ops: how many nodes of each op, commonest first; those of functions that it calls, too.
        scopes: parameters below each outermost scope, in the order of the graph.
        parameters: elements of all floating constants and variables that have axes.
        flops: multiplications and additions for a batch; None where that cannot be told.
        no_flops: why it cannot.
        batch: what `flops` counts.
        unsupported: ops that do not run here, with all nodes of theirs.
        hindering: those among them that the outputs need.
        cuts: the tensors that can be fed instead of what follows from these.
        refusals: other programs that would not take the graph, and why.
    """

    producer: int
    nodes: int
    inputs: tuple[End, ...]
    outputs: tuple[End, ...]
    ops: Mapping[str, int]
    scopes: Mapping[str, int]
    parameters: int
    flops: int | None
    no_flops: str
    batch: int
    unsupported: Mapping[str, Sequence[str]]
    hindering: tuple[str, ...]
    cuts: tuple[CutPoint, ...]
    refusals: Sequence[Refusal]

    def __str__(self) -> str:
        lines = [f"producer {self.producer} · {self.nodes} nodes · "
                 f"{self.parameters:,} parameters"]
        lines[0] += f" · {self.flops:,} FLOPs for a batch of {self.batch}" \
            if self.flops is not None else f" · FLOPs unknown: {self.no_flops}"
        for title, ends in (("inputs", self.inputs), ("outputs", self.outputs)):
            lines.append(f"{title}: " + (", ".join(map(end_text, ends)) or "none"))
        lines.append("ops: " + ", ".join(f"{op} {count}" for op, count in self.ops.items()))
        lines += [f"  {scope}: {count:,} parameters" for scope, count in self.scopes.items()]
        lines += [f"not supported here: {op} ({', '.join(nodes)})"
                  + ("" if op in self.hindering else "; the outputs do not need it")
                  for op, nodes in self.unsupported.items()]
        lines += [f"feed instead: {point}" for point in self.cuts]
        lines += [f"{each.program}: {each.reason}" for each in self.refusals]
        return "\n".join(lines)


def describe(
    graph_def: Message, *, batch: int = 1, inputs: Sequence[End] | None = None,
    outputs: Sequence[End] | None = None,
) -> Description:
    """A description of a GraphDef; nothing in it is run.

    Args:
        graph_def: what `graph.load_graph` reads.
        batch: the size that an unknown first dimension of the inputs has for `flops`.
        inputs: where they are known, as a signature says them; else they are guessed.
        outputs: likewise.

    Raises:
        GraphError: a node is defined twice or malformed.
    """
    nodes = graph.node_map(graph_def.node)
    inputs = find_inputs(nodes) if inputs is None else tuple(inputs)
    outputs = find_outputs(nodes) if outputs is None else tuple(outputs)
    sizes = _parameters(nodes)
    scopes: Counter[str] = Counter()
    for name, size in sizes.items():
        scopes[name.split("/")[0] if "/" in name else "(none)"] += size
    every = nodes | _called_nodes(graph_def, graph_def.node)
    unsupported = _unsupported(graph_def, every)
    needed = _needed(graph_def, outputs)
    cost = count_flops(graph_def, inputs, outputs, batch)
    return Description(
        graph_def.versions.producer, len(nodes), inputs, outputs,
        dict(Counter(node.op for node in every.values()).most_common()), dict(scopes),
        sum(sizes.values()), cost.flops, cost.unknown, batch, unsupported,
        tuple(op for op, names in unsupported.items() if not needed.isdisjoint(names)),
        _cuts(graph_def, outputs) if unsupported else (),
        find_refusals(nodes))


def _cuts(graph_def: Message, outputs: Sequence[End]) -> tuple[CutPoint, ...]:
    """The tensors to feed for those outputs that can be had so."""
    wires, library = wires_of(graph_def.node), Library(graph_def.library.function)
    found = [find_cut(wires, [graph.parse_ref(end.name)], library) for end in outputs]
    return tuple(dict.fromkeys(point for cut in found if cut is not None for point in cut.points))


def _needed(graph_def: Message, outputs: Sequence[End]) -> set[str]:
    """The nodes that the outputs follow from; those of functions as `function/node`."""
    sources = graph.sources_of(graph_def.node, control=True)
    names = graph.closure([graph.parse_ref(end.name).node for end in outputs], sources)
    taken = [node for node in graph_def.node if node.name in names]
    return names | _called_nodes(graph_def, taken).keys()


def _called_nodes(graph_def: Message, callers: Iterable[Message]) -> dict[str, Message]:
    """The nodes of the functions that some nodes call, as `function/node`."""
    library = {each.signature.name: each for each in graph_def.library.function}
    found: dict[str, Message] = {}
    pending: list[Message] = list(callers)
    seen: set[str] = set()
    while pending:
        node = pending.pop()
        for name in ({node.op, *called_functions(node)} & library.keys()) - seen:
            seen.add(name)
            found |= {f"{name}/{each.name}": each for each in library[name].node_def}
            pending += library[name].node_def
    return found


def _unsupported(graph_def: Message, nodes: Mapping[str, Message]) -> dict[str, Sequence[str]]:
    functions = {each.signature.name for each in graph_def.library.function}
    found: dict[str, list[str]] = {}
    for name, node in nodes.items():
        known = registry.find(node.op) is not None or node.op in functions
        if not known and node.op not in _STRUCTURE and node.op not in PLACEHOLDERS:
            found.setdefault(node.op, []).append(name)
    return dict(sorted(found.items()))


def _parameters(nodes: Mapping[str, Message]) -> dict[str, int]:
    """Elements of the floating constants with axes and of all variables, by name."""
    found = {}
    assigned = _only_assigned(nodes)
    for name, node in nodes.items():
        if name in assigned:
            continue
        if node.op == "Const" and node.attr["value"].tensor.dtype in _FLOATS:
            shape = graph.decode_shape(node.attr["value"].tensor.tensor_shape)
        elif node.op in ("VariableV2", "Variable", "VarHandleOp"):
            shape = graph.read_attrs(node).get("shape")
        else:
            continue
        size = 1
        for length in shape or ():
            size *= length or 0
        if shape:
            found[name] = size
    return found


def _only_assigned(nodes: Mapping[str, Message]) -> set[str]:
    """What serves nothing but to be a variable's first value."""
    users: dict[str, set[str]] = {}
    for node in nodes.values():
        for ref in map(graph.parse_ref, node.input):
            users.setdefault(ref.node, set()).add(node.op)
    only = {name for name, ops in users.items() if ops <= {"Assign", "AssignVariableOp"}}
    return {name for name, node in nodes.items() if name in only and node.op == "Const"}


_FLOATS = {dtypes.NUMBER[name] for name in ("FLOAT", "DOUBLE", "HALF", "BFLOAT16")}
