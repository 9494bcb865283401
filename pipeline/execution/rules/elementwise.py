"""One value at a time, with NumPy's broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import jax.scipy.special as special
import numpy as np
from jax import lax

from pipeline import dtypes
from pipeline.execution.errors import ExecutionError, NeedsWide
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import Handle, cast, is_static, jax_dtype, operands, to_jax


def same_name(**names: str) -> None:
    """Ops that NumPy and JAX call by one name: known in, known out."""
    for op, name in names.items():
        def compute(node: Node, *values: Any, name: str = name) -> Any:
            xp, *arrays = operands(*values)
            return getattr(xp, name)(*arrays)
        rule(op, folds=True)(compute)


def jax_only(attrs: str = "", **functions: Callable[..., Any]) -> None:
    """Ops that only JAX has a function for."""
    for op, function in functions.items():
        def compute(node: Node, *values: Any, function: Callable[..., Any] = function) -> Any:
            return function(*map(to_jax, values))
        rule(op, attrs=attrs)(compute)


same_name(
    Neg="negative", Sign="sign", Floor="floor", Ceil="ceil", Rint="rint",
    Exp="exp", Expm1="expm1", Log="log", Log1p="log1p", Sqrt="sqrt", Square="square",
    Tanh="tanh", Sin="sin", Cos="cos", Tan="tan", Asin="arcsin", Acos="arccos", Atan="arctan",
    Sinh="sinh", Cosh="cosh", Asinh="arcsinh", Acosh="arccosh", Atanh="arctanh",
    IsFinite="isfinite", IsInf="isinf", IsNan="isnan", LogicalNot="logical_not", Invert="invert",
    Conj="conj",
)
same_name(
    Add="add", AddV2="add", Sub="subtract", Mul="multiply", RealDiv="true_divide",
    Pow="power", Atan2="arctan2",
    Less="less", LessEqual="less_equal", Greater="greater", GreaterEqual="greater_equal",
    LogicalAnd="logical_and", LogicalOr="logical_or",
    BitwiseAnd="bitwise_and", BitwiseOr="bitwise_or", BitwiseXor="bitwise_xor",
)
jax_only(
    Rsqrt=lax.rsqrt, Reciprocal=jnp.reciprocal, Inv=jnp.reciprocal,
    Erf=lax.erf, Erfc=lax.erfc, Erfinv=lax.erf_inv, Ndtri=special.ndtri,
    Lgamma=lax.lgamma, Digamma=lax.digamma, NextAfter=jnp.nextafter,
    BesselI0=special.i0, BesselI0e=special.i0e, BesselI1=special.i1, BesselI1e=special.i1e,
    Igamma=special.gammainc, Igammac=special.gammaincc, Betainc=special.betainc,
    Zeta=special.zeta, Cross=jnp.cross,
    Xlogy=lambda x, y: jnp.where(x == 0, 0, special.xlogy(x, y)),      # 0 even where y is NaN
    Xlog1py=lambda x, y: jnp.where(x == 0, 0, special.xlog1py(x, y)),
)


@rule("Round", folds=True)
def _round(node: Node, x: Any) -> Any:
    """Halves go to the even neighbour; integers stay."""
    xp, x = operands(x)
    return xp.rint(x) if xp.issubdtype(x.dtype, np.inexact) else x


@rule("Equal", "NotEqual", attrs="incompatible_shape_error", folds=True)
def _compare(node: Node, x: Any, y: Any) -> Any:
    """Without `incompatible_shape_error` shapes that do not broadcast are simply not equal."""
    if not node["incompatible_shape_error"] and not _broadcast(x.shape, y.shape):
        return np.array(node.op == "NotEqual")
    xp, x, y = operands(x, y)
    return xp.equal(x, y) if node.op == "Equal" else xp.not_equal(x, y)


def _broadcast(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """Whether two shapes go together."""
    return all(a == b or 1 in (a, b)
               for a, b in zip(reversed(first), reversed(second), strict=False))


@rule("Div", "TruncateDiv", "FloorDiv", "FloorMod", "TruncateMod", "Mod", folds=True)
def _divide(node: Node, x: Any, y: Any) -> Any:
    """`Div` takes integers towards zero; `FloorDiv` of floats rounds the rounded quotient."""
    if is_static(y) and y.dtype.kind in "iu" and not y.all():
        raise ExecutionError("Integer division by zero")
    xp, x, y = operands(x, y)
    whole = not xp.issubdtype(x.dtype, np.inexact)   # symbolic sizes too, which are objects
    if node.op in ("TruncateMod", "Mod"):
        return xp.fmod(x, y)
    if node.op == "FloorMod":
        return xp.mod(x, y)
    if node.op == "FloorDiv":
        return xp.floor_divide(x, y) if whole else xp.floor(xp.true_divide(x, y))
    return truncated_quotient(x, y) if whole else xp.true_divide(x, y)


def truncated_quotient(x: Any, y: Any) -> Any:
    """Integers divided towards zero; known in, known out."""
    xp, x, y = operands(x, y)
    if xp is jnp:
        return lax.div(*jnp.broadcast_arrays(x, y))
    quotient = np.abs(x) // np.maximum(np.abs(y), 1)
    return quotient * np.sign(x) * np.sign(y)


@rule("DivNoNan", "Xdivy")
def _divide_no_nan(node: Node, x: Any, y: Any) -> Any:
    """0 where `DivNoNan` has y = 0, and where `Xdivy` has x = 0."""
    x, y = to_jax(x), to_jax(y)
    zero = (y if node.op == "DivNoNan" else x) == 0
    return jnp.where(zero, jnp.zeros_like(x), x / jnp.where(zero, jnp.ones_like(y), y))


@rule("MulNoNan")
def _multiply_no_nan(node: Node, x: Any, y: Any) -> Any:
    x, y = to_jax(x), to_jax(y)
    return jnp.where(y == 0, jnp.zeros_like(y), x * y)


@rule("SquaredDifference", folds=True)
def _squared_difference(node: Node, x: Any, y: Any) -> Any:
    xp, x, y = operands(x, y)
    difference = x - y
    return difference * xp.conj(difference)


@rule("ApproximateEqual", attrs="tolerance")
def _approximate_equal(node: Node, x: Any, y: Any) -> Any:
    return jnp.abs(to_jax(x) - to_jax(y)) < jnp.asarray(node["tolerance"], x.dtype)


@rule("LeftShift", "RightShift", folds=True)
def _shift(node: Node, x: Any, y: Any) -> Any:
    """TensorFlow clamps the distance to what the type holds (cwise_ops.h, left_shift_op)."""
    xp, x, y = operands(x, y)
    distance = xp.clip(y, 0, x.dtype.itemsize * 8 - 1).astype(x.dtype)
    return xp.left_shift(x, distance) if node.op == "LeftShift" else xp.right_shift(x, distance)


@rule("PopulationCount")
def _population_count(node: Node, x: Any) -> Any:
    return lax.population_count(to_jax(x)).astype(jnp.uint8)


@rule("Polygamma")
def _polygamma(node: Node, order: Any, x: Any) -> Any:
    """The orders are whole numbers in a floating type."""
    order, x = to_jax(order), to_jax(x)
    sign = jnp.where(order % 2 == 0, -1, 1).astype(x.dtype)
    higher = sign * jnp.exp(lax.lgamma(order + 1)) * special.zeta(order + 1, x)
    return jnp.where(order == 0, lax.digamma(x), higher)


@rule("AddN", "AccumulateNV2", attrs="shape", folds=True)
def _add_n(node: Node, *values: Any) -> Any:
    xp, total, *rest = operands(*values)
    for array in rest:
        if array.shape != total.shape:
            raise ExecutionError(f"adds shapes {total.shape} and {array.shape}; expected one")
        total = xp.add(total, array)
    return total


@rule("Complex", attrs="Tout")
def _complex(node: Node, real: Any, imag: Any) -> Any:
    return lax.complex(*jnp.broadcast_arrays(to_jax(real), to_jax(imag)))


jax_only("Tout", Real=jnp.real, Imag=jnp.imag, Angle=jnp.angle, ComplexAbs=jnp.abs)


@rule("Cast", attrs="DstT", folds=True)
def _cast(node: Node, x: Any) -> Any:
    """Complex numbers lose their imaginary part without a word, as in TensorFlow."""
    xp, x = operands(x)
    wanted = dtypes.to_numpy(node["DstT"])
    if xp.issubdtype(x.dtype, np.complexfloating) and not np.issubdtype(wanted, np.complexfloating):
        x = xp.real(x)
    return x != 0 if wanted == np.bool_ else cast(x, node["DstT"])


@rule("Bitcast", attrs="type T")
def _bitcast(node: Node, x: Any) -> Any:
    """Types of other sizes have an axis more or less, so 64 bits must be 64 bits here too."""
    for number in (node["T"], node["type"]):
        if jax_dtype(number) != dtypes.to_numpy(number):
            raise NeedsWide(f"the bits of {dtypes.to_numpy(number)}, which is computed in "
                            f"{jax_dtype(number)}; turn on jax_enable_x64 to run this graph")
    return lax.bitcast_convert_type(to_jax(x), jax_dtype(node["type"]))


@rule("SelectV2", folds=True)
def _select_v2(node: Node, condition: Any, x: Any, y: Any) -> Any:
    xp, condition, x, y = operands(condition, x, y)
    return xp.where(condition, x, y)


@rule("Select", folds=True)
def _select(node: Node, condition: Any, x: Any, y: Any) -> Any:
    """A vector of conditions chooses rows."""
    xp, condition, x, y = operands(condition, x, y)
    if x.shape != y.shape or condition.shape not in ((), x.shape[:1], x.shape):
        raise ExecutionError("'then' and 'else' must have the same size, and 'cond' that of one "
                             "or of their rows")
    if condition.ndim == 1 and x.ndim > 1:
        condition = condition.reshape(condition.shape + (1,) * (x.ndim - 1))
    return xp.where(condition, x, y)


@rule("Identity", "RefIdentity", "StopGradient", "Snapshot", "CheckNumerics",
      "PlaceholderWithDefault", "DeepCopy", "Copy", "DebugGradientIdentity", "GuaranteeConst",
      attrs="message shape dtype tensor_name debug_ops_spec", folds=True, handles=True)
def _identity(node: Node, x: Any) -> Any:
    """Variables pass through unread: in TensorFlow `v/read` shares the memory of `v`."""
    if isinstance(x, Handle):
        return x
    return lax.stop_gradient(x) if node.op == "StopGradient" and not is_static(x) else x


@rule("IdentityN", folds=True)
def _identity_n(node: Node, *values: Any) -> Any:
    return values


