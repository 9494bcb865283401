"""The nodes that compute a variable's initial value, named and arranged as TF1's initializers do.

    kind                parameters (defaults)
    value               value                        one Const beside the variable: `tf.constant`
    zeros, ones
    constant            value (0)
    truncated_normal    mean (0) stddev (1)          cut at two standard deviations
    random_normal       mean (0) stddev (1)
    random_uniform      minval (0) maxval (1)
    variance_scaling    scale (1) mode (fan_in | fan_out | fan_avg)
                        distribution (truncated_normal | untruncated_normal | uniform)
    orthogonal          gain (1)

Each takes `seed` (0: another draw in every session). Sources: tensorflow/python/ops/init_ops.py,
random_ops.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from pipeline import dtypes
from pipeline.graph.assembly import Assembly
from pipeline.graph.errors import GraphError

TRUNCATED_STDDEV = 0.87962566103423978   # of a unit normal cut at ±2; init_ops.VarianceScaling
_SMALL = 1000                            # elements; a larger constant is a Fill (array_ops.zeros)


class _Target(NamedTuple):
    """The variable whose initial value is wanted."""

    assembly: Assembly
    variable: str
    shape: tuple[int, ...]
    dtype: int
    seed: int

    @property
    def scope(self) -> str:
        return f"{self.variable}/Initializer"

    def constant(self, name: str, value: Any, dtype: int | None = None) -> str:
        number = self.dtype if dtype is None else dtype
        array = np.asarray(value, dtypes.to_numpy(number))
        return self.assembly.constant(f"{self.scope}/{name}", array, number, beside=self.variable)

    def add(self, op: str, name: str, *inputs: str, shape: tuple[int, ...] | None = None,
            **attrs: Any) -> str:
        return self.assembly.add(op, f"{self.scope}/{name}", *inputs, beside=self.variable,
                                 shapes=[self.shape if shape is None else shape], **attrs)

    def sizes(self, name: str, shape: tuple[int, ...]) -> str:
        return self.constant(name, shape, dtypes.NUMBER["INT32"])


def add_initializer(
    assembly: Assembly, variable: str, shape: tuple[int, ...], dtype: int,
    initializer: Mapping[str, Any],
) -> str:
    """Nodes for an initial value; returns the reference to it.

    Raises:
        GraphError: the kind or a parameter is unknown, or does not fit the variable.
    """
    parameters = dict(initializer)
    kind, seed = parameters.pop("kind", None), parameters.pop("seed", 0)
    if kind not in _KINDS:
        raise GraphError(f"{variable}: initializer of kind {kind!r}; expected one of "
                         f"{', '.join(_KINDS)}")
    target = _Target(assembly, variable, tuple(shape), dtype, seed)
    try:
        return _KINDS[kind](target, **parameters)
    except TypeError as error:
        raise GraphError(f"{variable}: initializer {kind}: {error}") from None


def _value(target: _Target, value: Any) -> str:
    """A Const at the root, `Const`, `Const_1`, …: how `tf.Variable(tf.constant(…))` begins."""
    array = np.asarray(value, dtypes.to_numpy(target.dtype))
    if array.shape != target.shape:
        raise GraphError(f"{target.variable}: initial value has shape {array.shape}; "
                         f"the variable has {target.shape}")
    taken = sum(node.op == "Const" and "/" not in node.name for node in target.assembly.nodes)
    return target.assembly.constant(f"Const_{taken}" if taken else "Const", array, target.dtype)


def _filled(target: _Target, name: str, value: Any) -> str:
    if math.prod(target.shape) < _SMALL:
        return target.constant(name, np.full(target.shape, value))
    return target.add("Fill", name, target.sizes(f"{name}/shape_as_tensor", target.shape),
                      target.constant(f"{name}/Const", value))


def _zeros(target: _Target) -> str:
    return _filled(target, "zeros", 0)


def _ones(target: _Target) -> str:
    return _filled(target, "ones", 1)


def _constant(target: _Target, value: Any = 0) -> str:
    array = np.asarray(value)
    if array.ndim == 0:
        return _filled(target, "Const", value)
    if array.size != math.prod(target.shape):
        raise GraphError(f"{target.variable}: constant initializer holds {array.size} values; "
                         f"the variable's shape {target.shape} needs {math.prod(target.shape)}")
    return target.constant("Const", array.reshape(target.shape))


def _drawn(
    target: _Target, name: str, op: str, scale: tuple[str, float], shift: tuple[str, float],
    shape: tuple[int, ...] | None = None,
) -> str:
    """`op` drawn in a shape, times a scale, plus a shift."""
    shape = target.shape if shape is None else shape
    sizes = target.sizes(f"{name}/shape", shape)
    added = target.constant(f"{name}/{shift[0]}", shift[1])
    factor = target.constant(f"{name}/{scale[0]}", scale[1])
    drawn = target.add(op, f"{name}/{op}", sizes, shape=shape, dtype=target.dtype, **_seed(target))
    scaled = target.add("Mul", f"{name}/mul", drawn, factor, shape=shape)
    return target.add("Add", name, scaled, added, shape=shape)


def _seed(target: _Target) -> dict[str, Any]:
    return {"seed": target.seed, "seed2": target.seed} if target.seed else {}


def _truncated_normal(target: _Target, mean: float = 0.0, stddev: float = 1.0) -> str:
    return _drawn(target, "truncated_normal", "TruncatedNormal", ("stddev", stddev),
                  ("mean", mean))


def _random_normal(target: _Target, mean: float = 0.0, stddev: float = 1.0) -> str:
    return _drawn(target, "random_normal", "RandomStandardNormal", ("stddev", stddev),
                  ("mean", mean))


def _random_uniform(target: _Target, minval: float = 0.0, maxval: float = 1.0) -> str:
    name = "random_uniform"
    sizes = target.sizes(f"{name}/shape", target.shape)
    low, high = target.constant(f"{name}/min", minval), target.constant(f"{name}/max", maxval)
    if dtypes.to_numpy(target.dtype).kind in "iu":
        return target.add("RandomUniformInt", name, sizes, low, high, **_seed(target))
    drawn = target.add("RandomUniform", f"{name}/RandomUniform", sizes, dtype=target.dtype,
                       **_seed(target))
    span = target.add("Sub", f"{name}/sub", high, low, shape=())
    return target.add("Add", name, target.add("Mul", f"{name}/mul", drawn, span), low)


def _variance_scaling(
    target: _Target, scale: float = 1.0, mode: str = "fan_in",
    distribution: str = "truncated_normal",
) -> str:
    fan_in, fan_out = _fans(target.shape)
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    if mode not in fans:
        raise GraphError(f"{target.variable}: variance scaling by {mode!r}; "
                         f"expected one of {', '.join(fans)}")
    variance = scale / max(1.0, fans[mode])
    if distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return _random_uniform(target, -limit, limit)
    if distribution == "truncated_normal":
        return _truncated_normal(target, 0.0, math.sqrt(variance) / TRUNCATED_STDDEV)
    if distribution == "untruncated_normal":
        return _random_normal(target, 0.0, math.sqrt(variance))
    raise GraphError(f"{target.variable}: distribution {distribution!r}; expected "
                     "truncated_normal, untruncated_normal or uniform")


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """(fan in, fan out) of weights [..receptive field, in, out]; a vector's are both its length."""
    if len(shape) < 2:
        return (float(math.prod(shape)),) * 2
    field = math.prod(shape[:-2])
    return float(field * shape[-2]), float(field * shape[-1])


def _orthogonal(target: _Target, gain: float = 1.0) -> str:
    """Q of a random matrix's QR, its columns signed as R's diagonal, so that Q is uniform."""
    if len(target.shape) < 2:
        raise GraphError(f"{target.variable}: an orthogonal initializer needs two or more "
                         f"dimensions; the shape is {target.shape}")
    rows, columns = math.prod(target.shape[:-1]), target.shape[-1]
    tall = (max(rows, columns), min(rows, columns))
    square = (tall[1], tall[1])
    drawn = _drawn(target, "random_normal", "RandomStandardNormal", ("stddev", 1.0),
                   ("mean", 0.0), tall)
    q = target.assembly.add("Qr", f"{target.scope}/Qr", drawn, beside=target.variable,
                            shapes=[tall, square])
    diagonal = target.add("DiagPart", "DiagPart", f"{q}:1", shape=tall[1:])
    sign = target.add("Sign", "Sign", diagonal, shape=tall[1:])
    matrix = target.add("Mul", "mul", q, sign, shape=tall)
    if rows < columns:
        order = target.sizes("matrix_transpose/transpose/perm", (1, 0))
        matrix = target.add("Transpose", "matrix_transpose/transpose", matrix, order,
                            shape=tall[::-1])
    shaped = target.add("Reshape", "Reshape", matrix, target.sizes("Reshape/shape", target.shape))
    return target.add("Mul", "mul_1", target.constant("mul_1/x", gain), shaped)


_KINDS: dict[str, Callable[..., str]] = {
    "value": _value, "zeros": _zeros, "ones": _ones, "constant": _constant,
    "truncated_normal": _truncated_normal, "random_normal": _random_normal,
    "random_uniform": _random_uniform, "variance_scaling": _variance_scaling,
    "orthogonal": _orthogonal,
}
