"""Windows that move over an image: which padding of TensorFlow's is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.lowering import dims
from pipeline.lowering.ir import Dim, Shape

Amounts = Sequence[tuple[Any, Any]]


def padding_name(
    sizes: Shape, outputs: Shape, window: Sequence[int], strides: Sequence[int], amounts: Amounts
) -> str:
    """`VALID`, `SAME`, or empty when the amounts are those of neither.

    Args:
        sizes: of the image's dimensions, symbolic ones too.
        outputs: of the result's dimensions.
        window: its size, dilation included.
        strides: its steps.
        amounts: before and after each dimension.
    """
    if all(dims.same(low, 0) and dims.same(high, 0) for low, high in amounts):
        return "VALID"
    rows = zip(sizes, outputs, window, strides, amounts, strict=True)
    return "SAME" if all(_is_same(*row) for row in rows) else ""


def _is_same(size: Dim, output: Dim, window: int, stride: int, amount: tuple[Any, Any]) -> bool:
    """TensorFlow pads a total of max((⌈n/s⌉ - 1)·s + k - n, 0), the odd one at the end."""
    low, high = amount
    if isinstance(size, int):
        total = max((-(-size // stride) - 1) * stride + window - size, 0)
        return dims.same(low, total // 2) and dims.same(high, total - total // 2)
    if stride == 1:
        return dims.same(low, (window - 1) // 2) and dims.same(high, window // 2)
    # of an unknown size the amounts are expressions; only JAX's "SAME" writes such ones, and for
    # it alone is the result ⌈n/s⌉ whatever n is
    return not isinstance(low, int) and dims.same(output, (size + stride - 1) // stride)


def transposed_padding_name(
    sizes: Shape, outputs: Shape, window: Sequence[int], strides: Sequence[int], amounts: Amounts
) -> str:
    """The padding of the convolution whose gradient is this one of an image with gaps; or empty.

    That convolution takes `outputs` to `sizes` with these strides, and pads k - 1 less what is
    padded here.
    """
    for name in ("VALID", "SAME"):
        rows = zip(sizes, outputs, window, strides, amounts, strict=True)
        if all(_is_gradient(name, *row) for row in rows):
            return name
    return ""


def _is_gradient(
    name: str, size: Dim, output: Dim, window: int, stride: int, amount: tuple[Any, Any]
) -> bool:
    surplus = _number(output - size * stride)
    if surplus is None or not isinstance(amount[0], int):
        return False
    low = window - 1 - amount[0]
    if name == "VALID":
        return low == 0 and window - stride <= surplus < window
    total = max(window - stride - surplus, 0)
    return -stride < surplus <= 0 and low == total // 2


def _number(size: Dim) -> int | None:
    text = str(size)
    return int(text) if text.lstrip("-").isdigit() else None
