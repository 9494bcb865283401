"""Reading along one axis at indices that may be negative, as `jnp.take` and `x[indices]` do."""

from __future__ import annotations

from pipeline.lowering.ir import Equation, Value
from pipeline.lowering.peepholes.match import Found, Matcher, peephole


@peephole("gather")
def _take(matcher: Matcher, equation: Equation) -> Found:
    """`operand[where(i < 0, i + n, i)]`, filled where i is not from -n to n - 1."""
    params, (operand, vectors) = equation.params, equation.inputs
    numbers, sizes = params["dimension_numbers"], params["slice_sizes"]
    if params["mode"].name != "FILL_OR_DROP" or params.get("inside") or (
            numbers.operand_batching_dims or len(numbers.start_index_map) != 1):
        return None
    axis, = numbers.start_index_map
    size, wrapped = operand.shape[axis], _without_last(matcher, vectors)
    indices = None if wrapped is None else _wrapped(matcher, wrapped, size)
    if indices is None or numbers.collapsed_slice_dims != (axis,) or (
            [str(each) for at, each in enumerate(sizes) if at != axis]
            != [str(each) for at, each in enumerate(operand.shape) if at != axis]):
        return None
    places = range(axis, axis + indices.rank)
    others = tuple(at for at in range(equation.output.rank) if at not in places)
    if tuple(numbers.offset_dims) != others:
        return None
    return "nn.take", [operand, indices], {"axis": axis, "fill_value": params["fill_value"]}


def _without_last(matcher: Matcher, vectors: Value) -> Value | None:
    """Index vectors of one component, without that dimension."""
    made = matcher.made_by(vectors, "broadcast_in_dim", "reshape")
    if made is None or vectors.shape[-1] != 1:
        return None
    inner = made.inputs[0]
    return inner if [*map(str, inner.shape)] == [*map(str, vectors.shape[:-1])] else None


def _wrapped(matcher: Matcher, value: Value, size: object) -> Value | None:
    """i, where the value is i + size if i is negative, else i."""
    chosen = matcher.made_by(value, "select_n")
    if chosen is None or not isinstance(size, int) or len(chosen.inputs) != 3:
        return None
    negative, indices, moved = chosen.inputs
    compared, added = matcher.made_by(negative, "lt"), matcher.made_by(moved, "add")
    if compared is None or added is None or indices.dtype.name not in ("int32", "int64"):
        return None
    same = (compared.inputs[0] is indices and matcher.is_number(compared.inputs[1], 0)
            and matcher.split_number(added) == (indices, size))
    return indices if same else None
