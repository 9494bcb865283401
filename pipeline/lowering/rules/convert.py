"""Elements in another type."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from pipeline.lowering.builder import Builder
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import Equation
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.elementwise import HALF
from pipeline.lowering.tensor import Operand


@rule("convert_element_type")
def _convert(b: Builder, e: Equation) -> Operand:
    x, dtype = b.operand(e.inputs[0]), e.output.dtype
    if x.dtype.kind == "c" and dtype.kind not in "cb":
        x = b.op("Real", x, Tout=np.empty(0, x.dtype).real.dtype)
    if x.dtype.kind in "fV" and dtype.kind in "iu" and (dtype.kind == "u" or dtype.itemsize < 4):
        x = _within(b, x, np.iinfo(dtype))
    return b.cast(x, dtype)


def _within(b: Builder, x: Operand, ends: np.iinfo[Any]) -> Operand:
    """XLA gives the nearest integer that a type has, where C says nothing of those it has not."""
    if x.dtype.name in HALF:
        x = b.cast(x, np.dtype(np.float32))
    x = b.op("Maximum", x, np.asarray(ends.min, x.dtype))
    return b.op("Minimum", x, np.asarray(ends.max, x.dtype)) if ends.bits < 32 else x


@rule("reduce_precision")
def _reduce_precision(b: Builder, e: Equation) -> Operand:
    """Rounding to a smaller type and back."""
    x, bits = b.operand(e.inputs[0]), (e.params["exponent_bits"], e.params["mantissa_bits"])
    known = {(8, 7): np.dtype(ml_dtypes.bfloat16), (5, 10): np.dtype(np.float16),
             (8, 23): np.dtype(np.float32), (11, 52): np.dtype(np.float64)}
    if bits not in known:
        raise Unsupported(f"exponent and mantissa of {bits} bits")
    smaller = known[bits]
    return b.cast(b.cast(x, smaller), x.dtype) if smaller.itemsize < x.dtype.itemsize else x
