"""Random bits: Threefry-2x32 with 20 rounds (Salmon et al., SC11, table 1 and section 3.3)."""

from __future__ import annotations

import numpy as np

from pipeline.lowering.builder import Builder
from pipeline.lowering.ir import Equation
from pipeline.lowering.registry import rule
from pipeline.lowering.tensor import Operand

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.asarray(0x1BD11BDA, np.uint32)


def _rotate(b: Builder, x: Operand, by: int) -> Operand:
    left = b.op("LeftShift", x, np.asarray(by, np.uint32))
    return b.op("BitwiseOr", left, b.op("RightShift", x, np.asarray(32 - by, np.uint32)))


@rule("threefry2x32")
def _threefry2x32(b: Builder, e: Equation) -> list[Operand]:
    first, second, x, y = b.operands(e)
    keys = [first, second, b.op("BitwiseXor", b.op("BitwiseXor", first, second), _PARITY)]
    x, y = b.op("AddV2", x, first), b.op("AddV2", y, second)
    for block in range(5):
        for by in _ROTATIONS[block % 2]:
            x = b.op("AddV2", x, y)
            y = b.op("BitwiseXor", _rotate(b, y, by), x)
        x = b.op("AddV2", x, keys[(block + 1) % 3])
        step = b.op("AddV2", keys[(block + 2) % 3], np.asarray(block + 1, np.uint32))
        y = b.op("AddV2", y, step)
    return [x, y]
