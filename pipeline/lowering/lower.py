"""A program → nodes: the rules applied in order, then the outputs given their names."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from pipeline import dtypes
from pipeline.graph import build_node, parse_ref
from pipeline.lowering import names, rules
from pipeline.lowering.builder import Builder, Tensor
from pipeline.lowering.errors import Gap, LoweringError, Unsupported, report
from pipeline.lowering.ir import Equation, Program
from pipeline.lowering.jaxpr import Traced
from pipeline.lowering.opset import Opset


def lower(traced: Traced, outputs: Sequence[str], opset: Opset) -> list[Message]:
    """The nodes of a traced function, placeholders first.

    Raises:
        LoweringError: equations without a rule (all of them), names that clash, or a number of
            outputs that is not the function's.
    """
    program = traced.program
    if len(outputs) != len(program.outputs):
        raise LoweringError(f"the function gives {len(program.outputs)} arrays; "
                            f"outputs names {len(outputs)}: {', '.join(outputs)}")
    taken = names.Names()
    for name in traced.inputs:
        taken.reserve(names.check(name, "input"))
    for name in outputs:
        taken.reserve(names.check(name, "output"))
    for name, value in traced.variables.items():
        value.name = names.sanitise(name)
        taken.reserve(value.name)
    builder = Builder(opset, taken)
    for value in traced.inputs.values():
        builder.placeholder(value)
    lower_equations(builder, program)
    results = [builder.result(value) for value in program.outputs]
    for name, tensor in zip(outputs, results, strict=True):
        _name_output(builder.nodes, name, tensor, results)
    return builder.nodes


def lower_equations(builder: Builder, program: Program) -> None:
    """Nodes for each equation; those that cannot be lowered are reported together."""
    gaps = []
    for equation in program.equations:
        try:
            _lower_equation(builder, equation)
        except Unsupported as unsupported:
            gaps.append(Gap(equation.primitive, str(unsupported), equation.source()))
            for value in equation.outputs:
                builder.bind(value, Tensor("", value.shape, value.dtype))
    if gaps:
        raise report(gaps)


def _lower_equation(builder: Builder, equation: Equation) -> None:
    if equation.primitive not in rules.RULES:
        raise Unsupported
    builder.enter(equation)
    made = rules.RULES[equation.primitive](builder, equation)
    tensors = made if isinstance(made, list) else [made]
    for value, tensor in zip(equation.outputs, tensors, strict=True):
        builder.bind(value, tensor)


def _name_output(nodes: list[Message], name: str, tensor: Tensor, results: list[Tensor]) -> None:
    """Give the op that makes the tensor its output name, or put an Identity of that name behind it.

    The Identity stands between the op and the op's readers, so that the graph has no end but those
    asked for, and an op inside the graph keeps the name of its scope.
    """
    ref = parse_ref(tensor.ref)
    position, node = next((index, node) for index, node in enumerate(nodes)
                          if node.name == ref.node)
    readers = [other for other in nodes
               if any(parse_ref(text).node == ref.node for text in other.input)]
    is_source = node.op in ("Placeholder", "Const")
    alone = [each.ref for each in results].count(tensor.ref) == 1
    if not readers and alone and not is_source and ref.output == 0:
        node.name = name
        return
    if not is_source:
        for reader in readers:
            reader.input[:] = [name if text == tensor.ref else text for text in reader.input]
    nodes.insert(position + 1, build_node(
        "Identity", name, [(tensor.ref, dtypes.from_numpy(tensor.dtype))]))
