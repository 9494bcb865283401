"""`jnp.searchsorted`: a loop that halves an interval, as one count of what lies before.

    mid = low + (high - low) / 2;  go left = x ≤ sorted[mid];  low, high = halves

For a small array that is known, and known to be sorted, the place is the number of its elements
that are not to the right of x: a comparison and a sum in place of a gather for each halving.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.lowering.ir import Equation, Program, Value

_MOST = 1024    # elements that each x is compared with
_ORDERS = ("le_to", "lt_to")
_SAME = ("squeeze", "reshape", "broadcast_in_dim")


def is_search(equation: Equation) -> bool:
    """Whether a scan halves an interval of a known sorted array from end to end."""
    params = equation.params
    if equation.primitive != "scan" or (params["num_consts"], params["num_carry"]) != (2, 2) or (
            len(equation.inputs) != 4 or _order(params["jaxpr"]) is None):
        return False
    edges, _, low, high = (value.constant for value in equation.inputs)
    if edges is None or equation.inputs[0].name or edges.ndim != 1 or not (
            0 < edges.size <= _MOST) or edges.dtype.kind not in "fiub":
        return False
    whole = low is not None and not low.any() and high is not None and (high == edges.size).all()
    halved = isinstance(params["length"], int) and 2 ** params["length"] > edges.size
    return bool(whole and halved and (edges[1:] >= edges[:-1]).all()
                and (edges == edges).all())


def _order(body: Program) -> str | None:
    """The comparison that the halves are chosen by, if that is what the body does."""
    edges, x, low, high = body.inputs
    made = body.producers()

    def by(value: Value, *primitives: str) -> Equation | None:
        found = made.get(value)
        return found if found is not None and found.primitive in primitives else None

    def behind(value: Value) -> Value:
        """Through what puts one NaN and one 0 for all of them."""
        while found := by(value, "select_n", *_SAME):
            value = found.inputs[1 if found.primitive == "select_n" else 0]
        return value

    chosen = [by(output, "select_n") for output in body.outputs]
    if len(chosen) != 2 or chosen[0] is None or chosen[1] is None:
        return None
    (left, mid, was_low), (also_left, was_high, also_mid) = chosen[0].inputs, chosen[1].inputs
    compared, total = by(left, *_ORDERS), by(mid, "add")
    half = None if total is None else by(total.inputs[1], "div")
    width = None if half is None else by(half.inputs[0], "sub")
    if compared is None or total is None or width is None or left is not also_left or (
            mid is not also_mid or [was_low, was_high] != [low, high]):
        return None
    read = by(behind(compared.inputs[1]), "gather")
    same = (total.inputs[0] is low and width.inputs == [high, low]
            and behind(compared.inputs[0]) is x and read is not None
            and read.inputs[0] is edges and behind(read.inputs[1]) is mid)
    return compared.primitive if same else None


def count(equation: Equation) -> Iterator[Equation]:
    """The equations that count in place of the loop."""
    edges, x, *_ = equation.inputs
    order = _order(equation.params["jaxpr"])
    assert order is not None

    def step(primitive: str, inputs: list[Value], shape: tuple[object, ...], dtype: object,
             **params: object) -> Equation:
        made = Value(shape, np.dtype(dtype))  # type: ignore[call-overload]
        return Equation(primitive, inputs, [made], params, equation.scope, equation.source)

    apart = step("broadcast_in_dim", [x], (*x.shape, 1), x.dtype,
                 broadcast_dimensions=tuple(range(x.rank)))
    wide = Value((1,) * x.rank + edges.shape, edges.dtype,
                 edges.constant.reshape((1,) * x.rank + edges.shape)
                 if edges.constant is not None else None)
    beside = step(order, [apart.output, wide], (*x.shape, *edges.shape), bool)
    right = step("not", [beside.output], beside.output.shape, bool)
    ones = step("convert_element_type", [right.output], right.output.shape, np.int32)
    total = step("reduce_sum", [ones.output], x.shape, np.int32, axes=(x.rank,))
    yield from (apart, beside, right, ones, total)
    for output in equation.outputs:
        place = Equation("convert_element_type", [total.output], [output], {}, equation.scope,
                         equation.source)
        yield place
