"""Equations whose inputs are known are computed here and now, with NumPy.

A folded constant may be lazy as tensors are (see `builder`): 1 where its value has n, or a scalar.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline.lowering import dims
from pipeline.lowering.ir import Array, DType, Equation, Program

_SMALL = 1 << 16    # bytes: a result may be that large, or as large as what it is made of

_ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "neg": np.negative, "abs": np.abs, "sqrt": np.sqrt, "square": np.square, "exp": np.exp,
    "log": np.log, "floor": np.floor, "ceil": np.ceil, "not": np.invert, "tanh": np.tanh,
    "rsqrt": lambda x: 1 / np.sqrt(x), "sign": np.sign,
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "max": np.maximum, "min": np.minimum,
    "pow": np.power, "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal,
    "gt": np.greater, "ge": np.greater_equal, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "convert_element_type": lambda x: x,
    "select_n": lambda which, *cases: _choose(which, cases),
}


def _choose(which: Array, cases: Sequence[Array]) -> Array:
    result = cases[-1]
    for index in range(len(cases) - 2, -1, -1):
        result = np.where(which == index, cases[index], result)
    return result


def _slice(equation: Equation, x: Array) -> Array:
    params = equation.params
    strides = params["strides"] or [1] * x.ndim
    return x[tuple(slice(*row) for row in zip(
        params["start_indices"], params["limit_indices"], strides, strict=True))]


def _iota(equation: Equation) -> Array:
    shape, axis = equation.output.shape, equation.params["dimension"]
    counts = np.arange(shape[axis]).reshape([-1 if at == axis else 1 for at in range(len(shape))])
    return np.broadcast_to(counts, shape)


def _lazy_iota(equation: Equation) -> Array | None:
    """Along a known dimension, the same along all unknown ones."""
    axis, rank = equation.params["dimension"], equation.output.rank
    size = equation.output.shape[axis]
    if not isinstance(size, int) or size > _SMALL:
        return None
    return np.arange(size).reshape(-1, *(1,) * (rank - axis - 1))


def _platform(equation: Equation) -> Array:
    """The branch that is for any platform, else the one for CPUs, else the first."""
    platforms = equation.params["platforms"]
    chosen = [at for at, names in enumerate(platforms) if names is None or "cpu" in names]
    return np.asarray(chosen[-1] if chosen else 0)


# functions of the equation and of whole arrays
_WHOLE: dict[str, Callable[..., Any]] = {
    "reshape": lambda e, x: x.reshape(e.output.shape),
    "squeeze": lambda e, x: x.reshape(e.output.shape),
    "transpose": lambda e, x: x.transpose(e.params["permutation"]),
    "rev": lambda e, x: np.flip(x, e.params["dimensions"]),
    "slice": _slice,
    "sort": lambda e, x: np.sort(x, e.params["dimension"], kind="stable"),
    "concatenate": lambda e, *xs: np.concatenate(xs, e.params["dimension"]),
    "integer_pow": lambda e, x: np.power(x, np.asarray(e.params["y"], x.dtype)),
    "iota": _iota,
    "platform_index": _platform,
    "reduce_sum": lambda e, x: np.sum(x, axis=e.params["axes"], dtype=x.dtype),
    "reduce_max": lambda e, x: np.max(x, axis=e.params["axes"]),
    "reduce_min": lambda e, x: np.min(x, axis=e.params["axes"]),
}


def run(program: Program) -> None:
    """Compute what is known but for variables: each of them stays a constant of its own."""
    for equation in program.equations:
        inputs = equation.inputs
        if all(0 in value.shape for value in equation.outputs):
            for value in equation.outputs:
                value.constant = np.zeros((), value.dtype)    # nothing to compute; lazy
            continue
        if any(v.constant is None or v.name for v in inputs):
            continue
        with np.errstate(all="ignore"):
            result = _evaluate(equation, [v.constant for v in inputs if v.constant is not None])
        if result is not None:
            output = equation.output
            output.constant = np.asarray(result).astype(output.dtype, copy=False)
    program.equations = [equation for equation in program.equations
                         if equation.output.constant is None]


def _evaluate(equation: Equation, inputs: list[Array]) -> Array | None:
    primitive, output = equation.primitive, equation.output
    if not isinstance(output.dtype, np.dtype) or len(equation.outputs) != 1:
        return None
    if primitive == "iota" and not dims.is_known(output.shape):
        return _lazy_iota(equation)
    if primitive == "broadcast_in_dim":
        return _broadcast(equation, inputs[0])
    if primitive == "convert_element_type" and output.dtype.kind in "iu":
        return _to_integers(inputs[0], output.dtype)
    if primitive in _ELEMENTWISE or primitive == "div":
        truncates = primitive == "div" and output.dtype.kind in "iu"
        if truncates and not inputs[1].all():
            return None
        return _elementwise(
            _ELEMENTWISE.get(primitive, _truncated if truncates else np.divide), inputs)
    if primitive not in _WHOLE or not dims.is_known(output.shape):
        return None
    shapes = [value.shape for value in equation.inputs]
    if not all(map(dims.is_known, shapes)) or any(0 in shape for shape in shapes):
        return None    # NumPy has no largest of nothing
    if not _fits(output.shape, output.dtype.itemsize, inputs):
        return None
    whole = [np.broadcast_to(array, value.shape)
             for array, value in zip(inputs, equation.inputs, strict=True)]
    return np.asarray(_WHOLE[primitive](equation, *whole))


def _truncated(x: Array, y: Array) -> Array:
    return np.asarray(np.where((x < 0) == (y < 0), 1, -1) * (np.abs(x) // np.abs(y)), x.dtype)


def _fits(shape: Sequence[int], itemsize: int, inputs: list[Array]) -> bool:
    return math.prod(shape) * itemsize <= max([_SMALL, *(array.nbytes for array in inputs)])


def _elementwise(function: Callable[..., Any], inputs: list[Array]) -> Array | None:
    shape = np.broadcast_shapes(*(array.shape for array in inputs))
    return function(*inputs) if _fits(shape, inputs[-1].itemsize, inputs) else None


def _to_integers(x: Array, dtype: DType) -> Array:
    """As XLA does: NaN is 0, and a float beyond the range the end of it."""
    if x.dtype.kind not in "fV":
        return x
    wide, ends = np.nan_to_num(x.astype(np.float64), posinf=np.inf, neginf=-np.inf), np.iinfo(dtype)
    below = np.where(wide <= ends.min, dtype.type(ends.min), wide.astype(dtype))
    return np.where(wide >= ends.max, dtype.type(ends.max), below)


def _broadcast(equation: Equation, array: Array) -> Array:
    """Lazy: dimensions of 1 are put in where they are not leading ones, nothing is repeated."""
    rank, axes = equation.output.rank, tuple(equation.params["broadcast_dimensions"])
    missing = len(axes) - array.ndim    # of a lazy array; they are 1
    if axes[missing:] == tuple(range(rank - array.ndim, rank)):
        return array
    array = array.reshape((1,) * missing + array.shape)
    shape = [1] * equation.output.rank
    for axis, size in zip(equation.params["broadcast_dimensions"], array.shape, strict=True):
        shape[axis] = size
    return array.reshape(shape)
