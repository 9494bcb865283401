"""A vector added to every position of a product or a convolution."""

from __future__ import annotations

from pipeline.lowering.ir import Equation, Value
from pipeline.lowering.peepholes.match import Found, Matcher, peephole

_LINEAR = ("dot_general", "conv_general_dilated")


@peephole("add")
def _bias_add(matcher: Matcher, equation: Equation) -> Found:
    for product, bias in (equation.inputs, equation.inputs[::-1]):
        if product.rank < 2 or not _is_linear(matcher, product):
            continue
        vector = matcher.on_last_axis(bias, product)
        if vector is not None and vector.shape[0] == product.shape[-1]:
            return "nn.bias_add", [product, vector], {}
    return None


def _is_linear(matcher: Matcher, value: Value) -> bool:
    """A product or a convolution, perhaps scaled by channels or turned to another shape."""
    made = matcher.made_by(value, *_LINEAR, "mul", "reshape")
    if made is None or made.primitive in _LINEAR:
        return made is not None
    if made.primitive == "reshape":
        return value.shape[-1:] == made.inputs[0].shape[-1:] and _is_linear(matcher, made.inputs[0])
    return any(matcher.on_last_axis(scale, value) and _is_linear(matcher, inner)
               for inner, scale in (made.inputs, made.inputs[::-1]))
