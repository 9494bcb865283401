"""A program → nodes: the rules applied in order, then the outputs given their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from google.protobuf.message import Message
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline.graph import parse_ref
from pipeline.lowering import names, registry
from pipeline.lowering import rules as rules
from pipeline.lowering.builder import Builder
from pipeline.lowering.errors import LoweringError, Unsupported, report
from pipeline.lowering.jaxpr import Traced
from pipeline.lowering.opset import Opset
from pipeline.lowering.tensor import Tensor


def lower(
    traced: Traced,
    outputs: Sequence[str],
    opset: Opset,
    *,
    variables: Mapping[str, str] | None = None,
    reserved: Iterable[str] = (),
    output_shapes: bool = False,
) -> Message:
    """A GraphDef of a traced function, placeholders first; its producer is the op set's.

    Args:
        traced: the function.
        outputs: the names of its results.
        opset: which ops may be used.
        variables: for each variable the node to read it from, when they are not to be constants.
        reserved: names of nodes that the graph has besides.
        output_shapes: write `_output_shapes` on every node.

    Raises:
        LoweringError: equations without a rule (all of them), names that clash, or a number of
            outputs that is not the function's.
    """
    program = traced.program
    if isinstance(outputs, str):
        raise LoweringError(f"outputs: the string {outputs!r}; expected names, [{outputs!r}]")
    if len(outputs) != len(program.outputs):
        raise LoweringError(f"the function gives {len(program.outputs)} arrays; "
                            f"outputs names {len(outputs)}: {', '.join(outputs)}")
    taken = names.Names()
    for name in [*(names.check(name, "input") for name in traced.inputs),
                 *(names.check(name, "output") for name in outputs), *reserved]:
        taken.reserve(name)
    builder = Builder(opset, taken, output_shapes=output_shapes)
    for name, value in traced.variables.items():
        if variables is not None:
            builder.bind(value, Tensor(variables[name], value.shape, value.dtype))
        else:
            value.name = names.sanitise(name)
            taken.reserve(value.name)
    for name, value in traced.inputs.items():
        try:
            builder.placeholder(value)
        except Unsupported as unsupported:
            raise LoweringError(f"input {name}: {unsupported}") from None
    registry.lower_equations(builder, program)
    if builder.gaps:
        raise report(builder.gaps)
    builder.leave()
    results = [builder.result(value) for value in program.outputs]
    for name, tensor in zip(outputs, results, strict=True):
        _name_output(builder, name, tensor, results)
    graph_def = GraphDef(node=_needed(builder.nodes, outputs))
    graph_def.versions.producer = opset.producer
    if builder.library:
        graph_def.library.function.extend(builder.library)
    return graph_def


def _needed(nodes: Sequence[Message], outputs: Sequence[str]) -> list[Message]:
    """Without the nodes that no output needs; what goes in stays."""
    found = {node.name: node for node in nodes}
    needed: set[str] = set()
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if name in found and name not in needed:
            needed.add(name)
            waiting += (parse_ref(text).node for text in found[name].input)
    return [node for node in nodes if node.name in needed or node.op == "Placeholder"]


def _name_output(builder: Builder, name: str, tensor: Tensor, results: list[Tensor]) -> None:
    """Give the op that makes the tensor its output name, or put an Identity of that name behind it.

    The Identity stands between the op and the op's readers, so that the graph has no end but those
    asked for, and an op inside the graph keeps the name of its scope.
    """
    nodes, ref = builder.nodes, parse_ref(tensor.ref)
    position = next((index for index, node in enumerate(nodes) if node.name == ref.node), -1)
    readers = [other for other in nodes
               if any(parse_ref(text).node == ref.node for text in other.input)]
    is_source = position < 0 or nodes[position].op in ("Placeholder", "Const")
    alone = [parse_ref(each.ref).node for each in results].count(ref.node) == 1
    if not readers and alone and not is_source and ref.output == 0:
        nodes[position].name = name
        return
    if not is_source:
        for reader in readers:
            reader.input[:] = [name if text == tensor.ref else text for text in reader.input]
    nodes.insert(position + 1, builder.identity(name, tensor))
