"""Small groups of equations that TensorFlow has one op for, found by what flows where.

Function names are not trusted: a user's `relu` is a relu if its equations are.
"""

from __future__ import annotations

from pipeline.lowering.ir import Program, Value, substitute
from pipeline.lowering.peepholes import activations as activations
from pipeline.lowering.peepholes import arithmetic as arithmetic
from pipeline.lowering.peepholes import batch_norm as batch_norm
from pipeline.lowering.peepholes import bias as bias
from pipeline.lowering.peepholes import indexing as indexing
from pipeline.lowering.peepholes import pooling as pooling
from pipeline.lowering.peepholes import product as product
from pipeline.lowering.peepholes import softmax as softmax
from pipeline.lowering.peepholes.match import PEEPHOLES, Matcher


def run(program: Program) -> None:
    """One pass in order, so that a group may be made of groups found before it."""
    matcher = Matcher(program)
    replaced: dict[Value, Value] = {}
    for equation in program.equations:
        equation.inputs = [replaced.get(value, value) for value in equation.inputs]
        for peephole in PEEPHOLES.get(equation.primitive, ()):
            found = peephole(matcher, equation)
            if isinstance(found, Value):
                replaced[equation.output] = found
                break
            if found is not None:
                equation.primitive, equation.inputs, equation.params = found
                break
    substitute(program, replaced)
