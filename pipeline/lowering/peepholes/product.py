"""Products the way round in which readers know them: a batch first, then its weights."""

from __future__ import annotations

from pipeline.lowering.ir import Equation, Value
from pipeline.lowering.peepholes.match import Found, Matcher, peephole


@peephole("dot_general")
def _turned_variable(matcher: Matcher, equation: Equation) -> Found:
    """The product knows itself how to sum over the other axis of a matrix."""
    sums, batches = equation.params["dimension_numbers"]
    inputs, changed = list(equation.inputs), [tuple(axes) for axes in sums]
    for side, value in enumerate(equation.inputs):
        made = matcher.made_by(value, "transpose")
        if made is not None and _is_turned_variable(made) and not batches[side]:
            inputs[side], changed[side] = made.inputs[0], tuple(1 - axis for axis in sums[side])
    if inputs == equation.inputs or any(len(axes) != 1 for axes in changed):
        return None
    numbers = (tuple(changed), batches)
    return "dot_general", inputs, {**equation.params, "dimension_numbers": numbers}


def _is_turned_variable(transpose: Equation) -> bool:
    matrix: Value = transpose.inputs[0]
    return bool(matrix.name) and tuple(transpose.params["permutation"]) == (1, 0)


@peephole("transpose")
def _other_way_round(matcher: Matcher, equation: Equation) -> Found:
    """(w · x)ᵀ = x · w, the free dimensions swapped; `vmap` of a matrix times a vector gives it."""
    product = matcher.made_by(equation.inputs[0], "dot_general")
    if product is None:
        return None
    (left_sum, right_sum), (left_batch, right_batch) = product.params["dimension_numbers"]
    left, right = product.inputs
    batch = len(left_batch)
    first = left.rank - len(left_sum)
    swapped = (*range(batch), *range(first, equation.output.rank), *range(batch, first))
    if tuple(equation.params["permutation"]) != swapped:
        return None
    numbers = ((right_sum, left_sum), (right_batch, left_batch))
    return "dot_general", [right, left], {**product.params, "dimension_numbers": numbers}
