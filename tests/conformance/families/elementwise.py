"""Functions of each element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from case import BATCH, SPECIAL, Arg, Case
from jax import lax

FLOATS = ("float32", "float16", "bfloat16", "float64")
INTS = ("int32", "int64", "int8", "uint8", "int16", "uint16", "uint32", "uint64")
MULHI = getattr(lax, "mulhi", lax.mul)    # JAX before 0.10.2 has none, and nothing of it to lower
TOLERANCE = {"float16": 2e-3, "bfloat16": 1e-2, "float32": 1e-5, "float64": 1e-10}


def is_wide(dtype: str) -> bool:
    return dtype in ("int64", "uint64", "float64", "complex128")


def unary(
    primitive: str, fun: Callable[..., Any], low: float = -3.0, high: float = 3.0, *,
    dtypes: tuple[str, ...] = FLOATS, special: bool = True,
) -> list[Case]:
    """One case for each dtype, and one of values at the edges of float32."""
    cases = [Case(primitive, dtype, fun, (Arg((BATCH, 7), dtype, low, high),), x64=is_wide(dtype),
                  tolerance=TOLERANCE.get(dtype, 1e-5))
             for dtype in dtypes]
    if special:
        cases.append(Case(primitive, "special", fun,
                          (Arg((BATCH, len(SPECIAL)), values=SPECIAL),)))
    return cases


def binary(
    primitive: str, fun: Callable[..., Any], *, dtypes: tuple[str, ...] = (*FLOATS, *INTS),
    low: float = -3.0, high: float = 3.0,
) -> list[Case]:
    """One case for each dtype, one broadcasting and one with a constant."""
    cases = [Case(primitive, dtype, fun,
                  (Arg((BATCH, 5), dtype, low, high), Arg((BATCH, 5), dtype, low, high)),
                  tolerance=TOLERANCE.get(dtype, 1e-5), x64=is_wide(dtype)) for dtype in dtypes]
    first = dtypes[0]
    cases.append(Case(primitive, "broadcast", lambda x, y: fun(x[:, None, :], y[None, :, :]),
                      (Arg((BATCH, 5), first, low, high), Arg((4, 5), first, low, high))))
    return cases


UNARY_CASES = [
    *unary("neg", lax.neg, dtypes=(*FLOATS, *INTS, "complex64")),
    *unary("abs", jnp.abs, dtypes=(*FLOATS, *INTS, "complex64")),
    *unary("sign", lax.sign, dtypes=(*FLOATS, *INTS)),
    *unary("floor", lax.floor),
    *unary("ceil", lax.ceil),
    *unary("exp", lax.exp, dtypes=(*FLOATS, "complex64")),
    *unary("expm1", lax.expm1),
    *unary("exp2", lax.exp2),
    *unary("log", lax.log, 0.1, 5.0, dtypes=(*FLOATS, "complex64")),
    *unary("log1p", lax.log1p, -0.9, 5.0),
    *unary("sqrt", lax.sqrt, 0.0, 5.0),
    *unary("rsqrt", lax.rsqrt, 0.1, 5.0),
    *unary("cbrt", lax.cbrt),
    *unary("square", lax.square, dtypes=(*FLOATS, *INTS, "complex64")),
    *unary("tanh", lax.tanh, dtypes=(*FLOATS, "complex64")),
    *unary("logistic", lax.logistic),
    *unary("sin", lax.sin, dtypes=(*FLOATS, "complex64")),
    *unary("cos", lax.cos),
    *unary("tan", lax.tan, -1.5, 1.5),
    *unary("asin", lax.asin, -1.0, 1.0),
    *unary("acos", lax.acos, -1.0, 1.0),
    *unary("atan", lax.atan),
    *unary("sinh", lax.sinh),
    *unary("cosh", lax.cosh),
    *unary("asinh", lax.asinh),
    *unary("acosh", lax.acosh, 1.0, 5.0),
    *unary("atanh", lax.atanh, -0.9, 0.9),
    *unary("erf", lax.erf),
    *unary("erfc", lax.erfc),
    *unary("erf_inv", lax.erf_inv, -0.95, 0.95),
    *unary("lgamma", lax.lgamma, 0.1, 5.0),
    *unary("digamma", lax.digamma, 0.5, 5.0, special=False),
    *unary("bessel_i0e", lax.bessel_i0e),
    *unary("bessel_i1e", lax.bessel_i1e),
    *unary("is_finite", lax.is_finite),
    *unary("round", lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)),
    *unary("round_away", lambda x: lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO)),
    *unary("integer_pow_2", lambda x: x ** 2, dtypes=(*FLOATS, *INTS)),
    *unary("integer_pow_3", lambda x: x ** 3, dtypes=(*FLOATS, *INTS)),
    *unary("integer_pow_7", lambda x: lax.integer_pow(x, 7)),
    *unary("integer_pow_-1", lambda x: lax.integer_pow(x, -1), 0.2, 3.0),
    *unary("integer_pow_-3", lambda x: lax.integer_pow(x, -3), 0.2, 3.0),
    *unary("not", lax.bitwise_not, dtypes=(*INTS, "bool"), special=False),
    *unary("population_count", lax.population_count, dtypes=INTS, high=100, special=False),
    *unary("clz", lax.clz, dtypes=INTS, high=100, special=False),
    *unary("real", lax.real, dtypes=("complex64", "complex128"), special=False),
    *unary("imag", lax.imag, dtypes=("complex64", "complex128"), special=False),
    *unary("conj", lax.conj, dtypes=("complex64", "complex128"), special=False),
    *unary("reduce_precision", lambda x: lax.reduce_precision(x, 8, 7), dtypes=("float32",)),
    *unary("copy", jnp.copy, dtypes=("float32",)),
    *unary("stop_gradient", lax.stop_gradient, dtypes=("float32",)),
]

BINARY_CASES = [
    *binary("add", lax.add, dtypes=(*FLOATS, *INTS, "complex64")),
    *binary("sub", lax.sub, dtypes=(*FLOATS, *INTS)),
    *binary("mul", lax.mul, dtypes=(*FLOATS, *INTS, "complex64")),
    *binary("div", lax.div, dtypes=(*FLOATS, *INTS), low=1, high=7),
    *binary("div_zero", lax.div, dtypes=INTS, low=-1, high=1),
    *binary("rem", lax.rem, dtypes=(*FLOATS, *INTS), low=1, high=7),
    *binary("rem_zero", lax.rem, dtypes=INTS, low=-1, high=1),
    *binary("floor_divide", jnp.floor_divide, dtypes=("float32", *INTS)),
    *binary("mod", jnp.mod, dtypes=("float32", *INTS)),
    *binary("max", lax.max),
    *binary("min", lax.min),
    *binary("pow", lax.pow, dtypes=FLOATS, low=0.1),
    *binary("atan2", lax.atan2, dtypes=FLOATS),
    *binary("nextafter", lax.nextafter, dtypes=("float32", "float64")),
    *binary("igamma", lax.igamma, dtypes=("float32", "float64"), low=0.5),
    *binary("igammac", lax.igammac, dtypes=("float32", "float64"), low=0.5),
    *binary("zeta", lax.zeta, dtypes=("float32", "float64"), low=1.5),
    *binary("eq", lax.eq, dtypes=(*FLOATS, *INTS, "bool", "complex64")),
    *binary("ne", lax.ne, dtypes=(*FLOATS, *INTS, "bool")),
    *binary("lt", lax.lt, dtypes=(*FLOATS, *INTS, "bool")),
    *binary("le", lax.le),
    *binary("gt", lax.gt),
    *binary("ge", lax.ge),
    *binary("and", lax.bitwise_and, dtypes=(*INTS, "bool"), high=100),
    *binary("or", lax.bitwise_or, dtypes=(*INTS, "bool"), high=100),
    *binary("xor", lax.bitwise_xor, dtypes=(*INTS, "bool"), high=100),
    *binary("shift_left", lax.shift_left, dtypes=INTS, low=0, high=70),
    *binary("shift_right_logical", lax.shift_right_logical, dtypes=INTS, low=0, high=70),
    *binary("shift_right_arithmetic", lax.shift_right_arithmetic, dtypes=INTS, low=0, high=70),
    *binary("complex", lax.complex, dtypes=("float32", "float64")),
]

B = (BATCH, 5)
EDGES = (Arg((BATCH, 13), values=SPECIAL), Arg((BATCH, 13), values=SPECIAL[::-1]))
OTHER_CASES = [
    Case("max", "special", lax.max, EDGES),
    Case("min", "special", lax.min, EDGES),
    Case("polygamma", "float32", lambda x: lax.polygamma(jnp.full_like(x, 2.0), x),
         (Arg(B, low=0.5, high=4.0),)),
    Case("regularized_incomplete_beta", "float32", lax.betainc,
         (Arg(B, low=0.5), Arg(B, low=0.5), Arg(B, low=0.1, high=0.9))),
    Case("clamp", "float32", lambda x: lax.clamp(-1.0, x, 1.5), (Arg(B),)),
    Case("clamp", "int32", lambda x: jnp.clip(x, -1, 2), (Arg(B, "int32"),)),
    Case("clamp", "arrays", lax.clamp, (Arg(B, high=0), Arg(B), Arg(B, low=0))),
    Case("select_n", "where", jnp.where, (Arg(B, "bool"), Arg(B), Arg(B))),
    Case("select_n", "scalars", lambda c: jnp.where(c, 1.0, 2.0), (Arg(B, "bool"),)),
    Case("select_n", "broadcast", lambda c, x: jnp.where(c[:, None], x, 0.0),
         (Arg((BATCH,), "bool"), Arg(B))),
    Case("select_n", "three", lambda i, x, y, z: lax.select_n(i, x, y, z),
         (Arg(B, "int32", 0, 2), Arg(B), Arg(B), Arg(B))),
    Case("square", "difference", lambda x, y: (x - y) ** 2, (Arg(B), Arg(B))),
    Case("exp2", "jnp", jnp.exp2, (Arg(B),)),
    *(Case("mulhi", dtype, MULHI, (Arg(B, dtype, low, high), Arg(B, dtype, low, high)))
      for dtype, low, high in (("uint32", 0, 2 ** 32 - 1), ("int32", -2 ** 31, 2 ** 31 - 1),
                               ("uint8", 0, 255))),
    *(Case(name, "special", lambda x, y, p=primitive: p.bind(x, y), EDGES)
      for name, primitive in (("lt_to", lax.lt_to_p), ("le_to", lax.le_to_p))),
    Case("lt_to", "int32", lax.lt_to_p.bind, (Arg(B, "int32"), Arg(B, "int32"))),
    Case("empty", "unread", lambda x: jnp.where(x == x, x, lax.empty(x.shape, x.dtype)),
         (Arg(B),)),
]


def convert(source: str, target: str, **values: float) -> Case:
    return Case("convert_element_type", f"{source}_to_{target}", lambda x: x.astype(target),
                (Arg(B, source, **values),), x64=is_wide(source) or is_wide(target))


CONVERT_CASES = [
    *(convert(source, target, low=0, high=100) for source in ("float32", "int32", "bool", "uint8")
      for target in ("float32", "float16", "bfloat16", "int32", "int8", "uint8", "int64", "bool",
                     "float64", "complex64") if source != target),
    Case("convert_element_type", "negative_to_int32", lambda x: x.astype(jnp.int32),
         (Arg(B, low=-100, high=100),)),
    Case("bitcast_convert_type", "float32_to_int32",
         lambda x: lax.bitcast_convert_type(x, jnp.int32), (Arg(B),)),
    Case("bitcast_convert_type", "int32_to_uint8",
         lambda x: lax.bitcast_convert_type(x, jnp.uint8), (Arg(B, "int32", -1000, 1000),)),
    Case("bitcast_convert_type", "uint8_to_int32",
         lambda x: lax.bitcast_convert_type(x, jnp.int32), (Arg((BATCH, 5, 4), "uint8", 0, 255),)),
    Case("convert_element_type", "float_to_int_beyond", lambda x: x.astype(jnp.int32),
         (Arg(B, low=3e9, high=1e10),),
         limitation="TensorFlow casts numbers beyond the range as C does, JAX to the nearest"),
]

ACTIVATIONS = ("relu", "relu6", "sigmoid", "softplus", "sparse_plus", "sparse_sigmoid", "soft_sign",
               "silu", "swish", "mish", "log_sigmoid", "leaky_relu", "hard_sigmoid", "hard_silu",
               "hard_swish", "hard_tanh", "tanh", "elu", "celu", "selu", "gelu", "squareplus",
               "identity", "softmax", "log_softmax", "glu", "logsumexp", "standardize",
               "logmeanexp")
ACTIVATION_CASES = [
    *(Case(f"jax.nn.{name}", dtype, getattr(jax.nn, name), (Arg((BATCH, 6), dtype, -8, 8),),
           tolerance=TOLERANCE[dtype], x64=is_wide(dtype))
      for name in ACTIVATIONS for dtype in ("float32", "bfloat16", "float64")),
    Case("jax.nn.gelu", "exact", lambda x: jax.nn.gelu(x, approximate=False), (Arg(B),)),
    Case("jax.nn.relu", "int32", jax.nn.relu, (Arg(B, "int32"),)),
    Case("jax.nn.leaky_relu", "slope", lambda x: jax.nn.leaky_relu(x, 0.3), (Arg(B),)),
    Case("jax.nn.softmax", "middle axis", lambda x: jax.nn.softmax(x, axis=1),
         (Arg((BATCH, 4, 3)),)),
    Case("jax.nn.softmax", "rank 4", jax.nn.softmax, (Arg((BATCH, 4, 3, 5)),)),
    Case("jax.nn.softmax", "masked", lambda x, m: jax.nn.softmax(x, where=m | (jnp.arange(5) == 0)),
         (Arg(B), Arg(B, "bool"))),
    Case("jax.nn.softmax", "two axes", lambda x: jax.nn.softmax(x, axis=(1, 2)),
         (Arg((BATCH, 4, 3)),)),
    Case("jax.nn.softmax", "alone", jax.nn.softmax, (Arg((7,)),)),
    Case("jax.nn.one_hot", "float32", lambda i: jax.nn.one_hot(i, 4),
         (Arg((BATCH,), "int32", -1, 4),)),
    Case("jax.nn.standardize", "axis", lambda x: jax.nn.standardize(x, axis=1),
         (Arg((BATCH, 4, 3)),)),
    Case("jax.nn.dot_product_attention", "causal",
         lambda q, k, v: jax.nn.dot_product_attention(q, k, v, is_causal=True),
         (Arg((BATCH, 5, 2, 4)), Arg((BATCH, 5, 2, 4)), Arg((BATCH, 5, 2, 4)))),
    Case("jax.nn.dot_product_attention", "grouped queries", jax.nn.dot_product_attention,
         (Arg((BATCH, 5, 4, 4)), Arg((BATCH, 5, 2, 4)), Arg((BATCH, 5, 2, 4)))),
    Case("jax.nn.log1mexp", "float32", jax.nn.log1mexp, (Arg(B, low=0.01, high=9),)),
    Case("jax.nn.logmeanexp", "axis", lambda x: jax.nn.logmeanexp(x, 1), (Arg((BATCH, 4, 3)),)),
    Case("jax.nn.scaled_dot_general", "float32", lambda x, y: jax.nn.scaled_dot_general(
        x, y, (((1,), (1,)), ((), ()))), (Arg((BATCH, 6)), Arg((4, 6)))),
]

CASES = [*UNARY_CASES, *BINARY_CASES, *OTHER_CASES, *CONVERT_CASES, *ACTIVATION_CASES]
