"""Shapes, types and parameters at the edges of what a rule covers."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from case import BATCH, Arg, Case
from jax import lax

F, X = Arg((BATCH, 6)), Arg((BATCH, 4, 4))
INF, NAN = float("inf"), float("nan")
# each of them is read again by Floor(|x| + 0.5): one below a half, and odd beyond 2²³
HALVES = (0.49999997, -0.49999997, 0.5, -0.5, 1.5, 2.5, -2.5, 8388609.0, -8388611.0, INF)
START = Arg((), "int64", -1, 3)

VALUES = [
    *(Case("pow", f"integer exponents of {dtype}", lambda x: jnp.power(x, jnp.arange(6) % 4),
           (Arg((BATCH, 6), dtype),), tolerance=tolerance)
      for dtype, tolerance in (("float32", 1e-5), ("bfloat16", 1e-2))),
    Case("round", "halves and beyond", lambda x: lax.round(x) / jnp.maximum(jnp.abs(x), 1),
         (Arg((BATCH, 10), values=HALVES),), tolerance=1e-8),
    Case("cbrt", "large", lambda x: lax.cbrt(x), (Arg((BATCH, 6), "bfloat16", 1e20, 1e30),),
         tolerance=1e-2),
    Case("conj", "of real numbers", lax.conj, (F,)),
    Case("eigh", "Hermitian", lambda x: jnp.linalg.eigvalsh(x + jnp.conj(jnp.swapaxes(x, 1, 2))),
         (Arg((BATCH, 3, 3), "complex64"),)),
    *(Case("convert_element_type", f"known floats beyond {dtype}", lambda x, d=dtype: (
        x, jnp.asarray([NAN, INF, -INF, 3e20, -5.7, 7.9]).astype(d)), (F,), x64="64" in dtype)
      for dtype in ("int32", "uint8", "int64")),
    Case("select_n", "three known", lambda x: x + lax.select_n(
        jnp.arange(6) % 3, jnp.zeros(6), jnp.ones(6), jnp.full(6, 2.0)), (F,)),
    Case("select_n", "switch in a scan", lambda x: lax.scan(lambda c, i: (lax.switch(
        i % 3, [lambda: 1.0, lambda: 2.0, lambda: 3.0]) + c * 0.5, None), x, jnp.arange(4))[0],
        (F,)),
]

SHAPES = [
    Case("dot_general", "einsum whole", lambda x, y: jnp.einsum("ij,ij->", x, y),
         (Arg((4, 4)), Arg((4, 4)))),
    Case("dot_general", "einsum batched whole", lambda x, y: jnp.einsum("bij,bij->b", x, y),
         (X, X)),
    Case("dot_general", "einsum of no sums", lambda x, y: jnp.einsum("bij,bkl->bijkl", x, y),
         (X, Arg((BATCH, 2, 3)))),
    Case("dot_general", "tensordot of no sums", lambda x, y: jnp.tensordot(x, y, 0),
         (F, Arg((3, 3)))),
    Case("reshape", "Fortran, as it was", lambda x: jnp.reshape(x, (4, 4), order="F"),
         (Arg((4, 4)),)),
    Case("reshape", "Fortran, batch", lambda x: jnp.reshape(x, (-1, 2, 3), order="F"), (F,)),
    Case("reshape", "other order", lambda x: lax.reshape(x, (4, 4), (1, 0)), (Arg((4, 4)),)),
    Case("reshape", "Fortran, variable", lambda v, x: x @ jnp.reshape(v["w"], (6, 2), order="F"),
         (F,), variables={"w": np.arange(12, dtype=np.float32).reshape(3, 4)}),
    Case("reduce_max", "of nothing", lambda x: x + jnp.max(jnp.zeros((0, 6)), 0, initial=1.0),
         (F,)),
    Case("pad", "interior of nothing", lambda x: lax.pad(x[:, :0], 7.0, ((0, 0, 0), (2, 3, 1))),
         (F,)),
    Case("scan", "of no steps", lambda x: lax.map(lambda r: jnp.cumsum(r, 0), x),
         (Arg((BATCH, BATCH, 3)),)),
    Case("reduce_window_sum", "steps everywhere", lambda x: lax.reduce_window(
        x, 0.0, lax.add, (1, 2, 2, 1), (2, 2, 2, 2), "VALID") / 4.0, (Arg((4, 4, 4, 4)),)),
    Case("dynamic_slice", "int64", lambda x, i: lax.dynamic_slice_in_dim(x, i, 2, 1), (F, START),
         x64=True),
    Case("dynamic_update_slice", "int64", lambda x, i: lax.dynamic_update_slice_in_dim(
        x, jnp.ones((x.shape[0], 2), x.dtype), i, 1), (F, START), x64=True),
    Case("dynamic_slice", "uint32", lambda x, i: lax.dynamic_slice(x, (i, i), (2, 2)),
         (Arg((4, 4)), Arg((), "uint32", 0, 4))),
    Case("cond", "within a cond", lambda x, p: lax.cond(p > 0, lambda y: lax.cond(
        y.sum() > 0, lambda z: lax.while_loop(lambda c: c.sum() > 0, lambda c: c - p, z),
        lambda z: z, y), lambda y: y, x), (F, Arg((), low=1.0)), batches=(3, 1)),
]

GAPS = [
    Case("reduce_window_max", "nan", lambda x: lax.reduce_window(
        x, -jnp.inf, lax.max, (1, 2), (1, 1), "VALID"),
        (Arg((BATCH, 4), values=(1.0, 2.0, NAN, -INF)),),
        limitation="TensorFlow's MaxPool passes NaN by, and finds no less than the least finite "
                   "number"),
    Case("top_k", "nan", lambda x: lax.top_k(x, 2),
         (Arg((BATCH, 4), values=(1.0, 2.0, 3.0, NAN)),),
         limitation="TensorFlow's TopKV2 may leave NaN out; JAX chooses it first"),
    Case("lu", "singular", lambda x: lax.linalg.lu(x * 0)[0], (X,), batches=(1,),
         limitation="TensorFlow's Lu raises; so do det of 4 × 4 and more, inv, solve and slogdet"),
    Case("cumlogsumexp", "batch", lambda x: lax.cumlogsumexp(x, axis=0), (F,),
         limitation="running sums of exponentials along a dimension of unknown size"),
    Case("nextafter", "float16", lax.nextafter, (Arg((BATCH, 6), "float16"),) * 2,
         limitation="half precision"),
    Case("reduce_and", "int32", lambda x: jnp.bitwise_and.reduce(x, axis=1),
         (Arg((BATCH, 6), "int32"),)),
    Case("max", "complex64", lax.max, (Arg((BATCH, 6), "complex64"),) * 2,
         limitation="TensorFlow does not order complex numbers"),
    Case("conv_general_dilated", "complex64", jax.vmap(jnp.convolve),
         (Arg((BATCH, 6), "complex64"),) * 2, limitation="TensorFlow's Conv2D is of reals"),
]

CASES = [*VALUES, *SHAPES, *GAPS]
