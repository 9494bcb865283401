"""A vector added to every position of a product or a convolution."""

from __future__ import annotations

from pipeline.lowering.ir import Equation
from pipeline.lowering.peepholes.match import Found, Matcher, peephole

_LINEAR = ("dot_general", "conv_general_dilated")


@peephole("add")
def _bias_add(matcher: Matcher, equation: Equation) -> Found:
    for product, bias in (equation.inputs, equation.inputs[::-1]):
        if product.rank < 2 or not matcher.made_by(product, *_LINEAR):
            continue
        vector = matcher.on_last_axis(bias, product)
        if vector is not None and vector.shape[0] == product.shape[-1]:
            return "nn.bias_add", [product, vector], {}
    return None
