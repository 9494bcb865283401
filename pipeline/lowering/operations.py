"""What rules do to operands again and again: fill, reshape, stack, choose, split, cast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.ir import DType, Shape
from pipeline.lowering.node_writer import SHARED_BYTES
from pipeline.lowering.sizes import Sizes
from pipeline.lowering.tensor import Operand, Tensor


class Operations(Sizes):
    """Writes nodes for what is no primitive; done at once where the operands are constants."""

    def expand(self, operand: Operand, shape: Shape) -> Operand:
        """Repeat a lazy tensor until it fills `shape`."""
        if tuple(operand.shape) == tuple(shape):
            return operand
        operand = self.ranked(operand, len(shape))
        if isinstance(operand, np.ndarray) and dims.is_known(shape) and (
                math.prod(shape) * operand.itemsize <= SHARED_BYTES or operand.ndim):
            return np.broadcast_to(operand, shape)
        if not operand.shape:
            return self.op("Fill", self.sizes(shape), operand, shape=shape)
        multiples = [1 if have == want else want
                     for have, want in zip(operand.shape, shape, strict=True)]
        return self.tile(operand, multiples, shape)

    def ranked(self, operand: Operand, rank: int) -> Operand:
        """A lazy tensor with the leading dimensions of 1 that it lacks; a scalar as it is."""
        missing = rank - len(operand.shape)
        if not operand.shape or missing == 0:
            return operand
        return self.reshape(operand, ((1,) * missing + tuple(operand.shape)))

    def tile(self, operand: Operand, multiples: Sequence[Any], shape: Shape) -> Operand:
        """The tensor side by side with itself."""
        if operand.dtype == np.uint16:    # Tile has no kernel for it
            wide = self.tile(self.cast(operand, np.dtype(np.int32)), multiples, shape)
            return self.cast(wide, operand.dtype)
        return self.op("Tile", operand, self.sizes(multiples), shape=shape)

    def joint(self, operands: Sequence[Operand]) -> Shape:
        """The shape that operands broadcast to."""
        return dims.joint_shape([operand.shape for operand in operands])

    def reshape(self, operand: Operand, shape: Shape) -> Operand:
        """The same elements in another shape."""
        if isinstance(operand, np.ndarray) and dims.is_known(shape):
            return operand.reshape(shape)
        unknown = [axis for axis, size in enumerate(shape) if not isinstance(size, int)]
        if len(unknown) == 1 and 0 not in shape:
            wanted: Operand = np.asarray(
                [-1 if axis in unknown else size for axis, size in enumerate(shape)], np.int32)
        else:
            wanted = self.sizes(shape)
        return self.op("Reshape", operand, wanted, shape=shape)

    def stack(self, operands: Sequence[Operand], axis: int) -> Operand:
        """Operands of one shape side by side along a new axis."""
        if all(isinstance(operand, np.ndarray) for operand in operands):
            return np.stack(operands, axis)  # type: ignore[arg-type]
        first = operands[0].shape
        return self.op("Pack", *operands, shape=(*first[:axis], len(operands), *first[axis:]),
                       axis=axis)

    def select(self, condition: Operand, yes: Operand, no: Operand) -> Tensor:
        """`yes` where the condition holds and `no` elsewhere; all three may be lazy."""
        if self.opset.modern:
            return self.op("Select", condition, yes, no)
        joint = self.joint([condition, yes, no])    # TensorFlow 1's Select does not broadcast
        if condition.shape:                         # but takes one condition for all
            condition = self.expand(condition, joint)
        alike = [each for each in (yes, no, condition)
                 if isinstance(each, Tensor) and dims.alike(each.shape, joint)]
        yes, no = (self._filled_like(each, joint, alike) for each in (yes, no))
        return self.op("Select", condition, yes, no, shape=joint)

    def _filled_like(self, operand: Operand, shape: Shape, alike: Sequence[Tensor]) -> Operand:
        """`expand`, with the shape read off a tensor that has it already."""
        single = operand.size == 1 if isinstance(operand, np.ndarray) else not operand.shape
        if not single or not alike or dims.is_known(shape):
            return self.expand(operand, shape)
        value = operand.reshape(()) if isinstance(operand, np.ndarray) else operand
        sizes = self.op("Shape", alike[0], shape=(len(shape),))
        return self.op("Fill", sizes, value, shape=shape)

    def split(self, operand: Operand, count: int, axis: int) -> list[Tensor]:
        """`count` equal parts along an axis."""
        part = tuple(size // count if at == axis else size
                     for at, size in enumerate(operand.shape))
        return self.ops("Split", np.asarray(axis, np.int32), operand, shapes=[part] * count,
                        num_split=count)

    def cast(self, operand: Operand, dtype: DType) -> Operand:
        """The same elements in another type, as C casts."""
        if operand.dtype == dtype:
            return operand
        if isinstance(operand, np.ndarray):
            return operand.astype(dtype)
        return self.op("Cast", operand, DstT=dtype)
