"""Functions that move elements, and reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from case import BATCH, Arg, Case
from jax import lax

X, Y = Arg((BATCH, 4, 6)), Arg((BATCH, 4, 6))
F, M = Arg((BATCH, 6)), Arg((BATCH, 4))
DTYPES = ("float32", "bfloat16", "int32", "int8", "uint16", "bool", "complex64")


def each(primitive: str, fun: Callable[..., Any]) -> list[Case]:
    """One case for each of the dtypes that only move."""
    return [Case(primitive, dtype, fun, (Arg((BATCH, 4, 6), dtype),)) for dtype in DTYPES]


MOVE = [
    *each("reshape", lambda x: x.reshape(-1, 24)),
    Case("reshape", "batch last", lambda x: x.reshape(24, -1), (X,)),
    Case("reshape", "to batch", lambda x: x.reshape(x.shape[0] * 4, 6), (X,)),
    Case("reshape", "split batch", lambda x: x.reshape(x.shape[0], 2, 2, 6), (X,)),
    Case("reshape", "ravel", jnp.ravel, (X,)),
    Case("reshape", "empty dimension", lambda x: x[:, :0].reshape(x.shape[0], 0, 3), (X,)),
    *each("transpose", lambda x: x.transpose(0, 2, 1)),
    Case("transpose", "batch away", lambda x: x.transpose(2, 0, 1), (X,)),
    Case("transpose", "swapaxes", lambda x: jnp.swapaxes(x, 0, 1), (X,)),
    Case("broadcast_in_dim", "scalar", lambda x: jnp.full_like(x, 2.5), (X,)),
    Case("broadcast_in_dim", "vector", lambda x: jnp.broadcast_to(x[0], x.shape), (X,),
         batches=(3, 1)),
    Case("broadcast_in_dim", "batch", lambda x: jnp.broadcast_to(jnp.arange(6.0), x.shape), (X,)),
    Case("broadcast_in_dim", "middle", lambda x: jnp.broadcast_to(x[:, None], (x.shape[0], 3, 6)),
         (F,)),
    Case("broadcast_in_dim", "lazy sum", lambda x: jnp.broadcast_to(
        x[:, None], (x.shape[0], 3, 6)).sum(1), (F,)),
    Case("broadcast_in_dim", "lazy concatenate", lambda x: jnp.concatenate(
        [jnp.zeros_like(x), x], axis=1), (X,)),
    Case("broadcast_in_dim", "lazy transpose", lambda x: jnp.broadcast_to(
        x[:, :, None], (x.shape[0], 6, 3)).transpose(2, 0, 1), (F,)),
    Case("broadcast_in_dim", "bool", lambda x: jnp.broadcast_to(x[:, None] > 0,
                                                              (x.shape[0], 3, 6)), (F,)),
    Case("squeeze", "one", lambda x: jnp.squeeze(x[:, :1], 1), (X,)),
    Case("squeeze", "two", lambda x: lax.squeeze(x[:, :1, :1], (1, 2)), (X,)),
    Case("expand_dims", "front", lambda x: jnp.expand_dims(x, 0), (X,)),
    Case("expand_dims", "several", lambda x: jnp.expand_dims(x, (1, 3)), (X,)),
    *each("concatenate", lambda x: jnp.concatenate([x, x, x[:, :2]], axis=1)),
    Case("concatenate", "batch", lambda x, y: jnp.concatenate([x, y], axis=0), (X, Y)),
    Case("concatenate", "constant", lambda x: jnp.concatenate([x, jnp.ones((x.shape[0], 1, 6))],
                                                            axis=1), (X,)),
    *each("slice", lambda x: x[:, 1:3, ::2]),
    Case("slice", "reverse", lambda x: x[:, ::-1], (X,)),
    Case("slice", "negative", lambda x: x[:, -2:], (X,)),
    Case("slice", "last", lambda x: x[:, -1], (X,)),
    Case("slice", "empty", lambda x: x[:, 2:2], (X,)),
    Case("slice", "batch end", lambda x: x[:x.shape[0]], (X,)),
    *each("pad", lambda x: lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), (1, 2, 0), (0, 1, 0)))),
    Case("pad", "value", lambda x: jnp.pad(x, ((0, 0), (1, 1), (2, 0)), constant_values=3.0), (X,)),
    Case("pad", "negative", lambda x: lax.pad(x, 0.0, ((0, 0, 0), (-1, 2, 0), (1, -2, 0))), (X,)),
    Case("pad", "interior", lambda x: lax.pad(x, 0.0, ((0, 0, 0), (0, 0, 2), (1, 0, 1))), (X,)),
    Case("pad", "interior value", lambda x: lax.pad(x, 7.0, ((0, 0, 0), (1, -1, 1), (0, 0, 0))),
         (X,)),
    Case("pad", "batch", lambda x: lax.pad(x, 1.0, ((1, 2, 0), (0, 0, 0), (0, 0, 0))), (X,)),
    Case("pad", "edge", lambda x: jnp.pad(x, ((0, 0), (1, 1), (2, 2)), mode="edge"), (X,)),
    Case("pad", "reflect", lambda x: jnp.pad(x, ((0, 0), (1, 1), (2, 2)), mode="reflect"), (X,)),
    Case("pad", "wrap", lambda x: jnp.pad(x, ((0, 0), (1, 1), (2, 2)), mode="wrap"), (X,)),
    *each("rev", lambda x: lax.rev(x, (1, 2))),
    Case("rev", "batch", lambda x: jnp.flip(x, 0), (X,)),
    *each("tile", lambda x: jnp.tile(x, (1, 2, 3))),
    Case("tile", "batch", lambda x: jnp.tile(x, (2, 1, 1)), (X,)),
    Case("tile", "more dimensions", lambda x: jnp.tile(x, (2, 1, 1, 2)), (X,)),
    Case("repeat", "elements", lambda x: jnp.repeat(x, 3, axis=1), (X,)),
    Case("split", "equal", lambda x: jnp.split(x, 2, axis=1), (X,)),
    Case("split", "unequal", lambda x: jnp.split(x, [1, 4], axis=2), (X,)),
    Case("stack", "first", lambda x, y: jnp.stack([x, y]), (X, Y)),
    Case("stack", "last", lambda x, y: jnp.stack([x, y], axis=-1), (X, Y)),
    Case("unstack", "first", lambda x: jnp.unstack(x, axis=1), (X,)),
    Case("iota", "int32", lambda x: x + lax.broadcasted_iota(jnp.int32, x.shape, 1), (X,)),
    Case("iota", "batch", lambda x: jnp.arange(x.shape[0]), (X,)),
    Case("iota", "float", lambda x: x + jnp.arange(6, dtype=jnp.float32), (X,)),
    Case("iota", "linspace", lambda x: x + jnp.linspace(0, 1, 6), (X,)),
    Case("iota", "eye", lambda x: x @ jnp.eye(6), (X,)),
    Case("iota", "tri", lambda x: x * jnp.tri(4, 6), (X,)),
    Case("iota", "batch mask", lambda x: jnp.where(jnp.arange(x.shape[0])[:, None] < 2, x, 0),
         (F,)),
    Case("dim_as_value", "size", lambda x: x * x.shape[0], (F,)),
    Case("dim_as_value", "mean over batch", lambda x: x.sum(0) / x.shape[0], (F,), batches=(3, 1)),
    Case("roll", "axis", lambda x: jnp.roll(x, 2, axis=1), (X,)),
    Case("triu", "matrix", jnp.triu, (X,)),
    Case("diag", "of a matrix", lambda x: jnp.diagonal(x, axis1=1, axis2=2), (X,)),
    Case("copy", "empty_like", lambda x: jnp.empty_like(x) * 0 + x, (X,)),
    Case("space_to_depth", "reshape", lambda x: x.reshape(-1, 2, 2, 3, 2).transpose(
        0, 1, 3, 2, 4).reshape(-1, 6, 4), (X,)),
    Case("meshgrid", "constant", lambda x: x + jnp.meshgrid(jnp.arange(6), jnp.arange(4))[0], (X,)),
]


def reduction(primitive: str, fun: Callable[..., Any], dtypes: tuple[str, ...]) -> list[Case]:
    """Over the last axis for each dtype, and over others."""
    tolerance = {"float16": 5e-3, "bfloat16": 3e-2}
    def over(axes: Any) -> Callable[..., Any]:
        return lambda x: fun(x, axis=axes)

    return [
        *(Case(primitive, dtype, over(-1), (Arg((BATCH, 4, 6), dtype, -2, 2),),
               tolerance=tolerance.get(dtype, 1e-5)) for dtype in dtypes),
        Case(primitive, "two axes", over((1, 2)), (Arg((BATCH, 4, 6), dtypes[0]),)),
        Case(primitive, "middle", over(1), (Arg((BATCH, 4, 6), dtypes[0]),)),
        Case(primitive, "batch", over(0), (Arg((BATCH, 4), dtypes[0]),), batches=(3, 1)),
        Case(primitive, "all", over(None), (Arg((BATCH, 4), dtypes[0]),), batches=(3, 1)),
    ]


NUMBERS = ("float32", "float16", "bfloat16", "int32", "int8", "uint16")
REDUCE = [
    *reduction("reduce_sum", jnp.sum, (*NUMBERS, "bool", "complex64")),
    *reduction("reduce_prod", jnp.prod, NUMBERS),
    *reduction("reduce_max", jnp.max, (*NUMBERS, "bool")),
    *reduction("reduce_min", jnp.min, (*NUMBERS, "bool")),
    *reduction("reduce_and", jnp.all, ("bool", "float32")),
    *reduction("reduce_or", jnp.any, ("bool", "int32")),
    *reduction("reduce_xor", lambda x, axis: jnp.bitwise_xor.reduce(x, axis=axis), ("bool",)),
    *reduction("mean", jnp.mean, ("float32", "float16", "bfloat16", "int32")),
    *reduction("var", jnp.var, ("float32", "bfloat16")),
    *reduction("std", jnp.std, ("float32",)),
    Case("reduce_sum", "empty batch", lambda x: x.sum(0), (M,)),
    Case("reduce_max", "nan", lambda x: x.max(-1),
         (Arg((BATCH, 5), values=(1.0, float("nan"), 3.0, float("-inf"), 2.0, 0.0)),)),
    Case("mean", "kept", lambda x: x - x.mean((1, 2), keepdims=True), (X,)),
    Case("mean", "symbolic", lambda x: x.mean(), (F,), batches=(3, 1)),
    *(Case(primitive, dtype, lambda x, f=fun: f(x, axis=-1), (Arg((BATCH, 9), dtype),))
      for primitive, fun in (("argmax", jnp.argmax), ("argmin", jnp.argmin))
      for dtype in ("float32", "bfloat16", "int32", "uint8", "bool")),
    Case("argmax", "middle", lambda x: jnp.argmax(x, axis=1), (X,)),
    Case("argmax", "kept", lambda x: jnp.argmax(x, axis=1, keepdims=True), (X,)),
    Case("argmax", "flat", lambda x: jnp.argmax(x), (M,), batches=(3, 1)),
    Case("argmax", "nan", lambda x: jnp.argmax(x, axis=-1),
         (Arg((BATCH, 4), values=(1.0, float("nan"), 3.0, 2.0)),),
         limitation="TensorFlow's ArgMax never chooses NaN; JAX takes the first"),
    *(Case(name, f"{dtype}{' reversed' * reverse}",
           lambda x, f=fun, r=reverse: f(x, axis=1, reverse=r), (Arg((BATCH, 7), dtype, -2, 2),))
      for name, fun in (("cumsum", lax.cumsum), ("cumprod", lax.cumprod), ("cummax", lax.cummax),
                        ("cummin", lax.cummin), ("cumlogsumexp", lax.cumlogsumexp))
      for dtype, reverse in (("float32", False), ("float32", True), ("int32", False))
      if not (name == "cumlogsumexp" and dtype == "int32")),
    Case("cumsum", "batch", lambda x: jnp.cumsum(x, axis=0), (F,)),
    Case("cummax", "batch", lambda x: lax.cummax(x, axis=0), (F,),
         limitation="running extremes along a dimension of unknown size"),
    Case("cumsum", "bfloat16", lambda x: lax.cumsum(x, 1), (Arg((BATCH, 7), "bfloat16"),),
         tolerance=5e-2),
    Case("reduce", "own function", lambda x: lax.reduce(x, 1.0, lambda a, c: a * 0.5 + c, (1,)),
         (X,)),
    Case("reduce", "two axes", lambda x: lax.reduce(x, 0.5, lambda a, c: jnp.maximum(a, c) + 0 * c,
                                                    (1, 2)), (X,)),
    Case("reduce", "two operands", lambda x, y: lax.reduce(
        (x, y), (0.0, 1.0), lambda a, c: (a[0] * c[1] + a[1] * c[0], a[1] * c[1]), (2,)), (X, Y)),
    Case("reduce", "the batch", lambda x: lax.reduce(x, 0.0, lambda a, c: a + 2 * c, (0,)), (F,),
         limitation="a function of its own along a dimension of unknown size"),
    Case("logsumexp", "float32", lambda x: jnp.logaddexp(x, 0.5), (X,)),
    Case("median", "float32", lambda x: jnp.median(x, axis=1), (X,)),
    Case("quantile", "float32", lambda x: jnp.quantile(x, 0.3, axis=1), (X,)),
    Case("norm", "float32", lambda x: jnp.linalg.norm(x, axis=-1), (X,)),
    Case("count_nonzero", "float32", lambda x: jnp.count_nonzero(x > 0, axis=-1), (X,)),
]

CASES = [*MOVE, *REDUCE]
