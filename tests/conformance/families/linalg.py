"""Products and decompositions of matrices, Fourier transforms."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from case import BATCH, Arg, Case
from jax import lax

A, W = Arg((BATCH, 3, 4)), Arg((BATCH, 4, 5))
V = Arg((BATCH, 4))
SQUARE = Arg((BATCH, 3, 3))


def dots(name: str, fun: Any, *args: Arg) -> list[Case]:
    return [Case("dot_general", name, fun, args, tolerance=1e-5)]


DOT = [
    *(Case("dot_general", dtype, lambda x, w: x @ w,
           (Arg((BATCH, 4), dtype), Arg((4, 5), dtype)), x64="64" in dtype,
           tolerance={"bfloat16": 2e-2, "float16": 5e-3}.get(dtype, 1e-5))
      for dtype in ("float32", "float64", "float16", "bfloat16", "int32", "int8", "uint8", "int16",
                    "uint32", "complex64")),
    *dots("vector", lambda x, w: x @ w, V, Arg((4,))),
    *dots("vectors", lambda x, y: jnp.vdot(x, y), Arg((6,)), Arg((6,))),
    *dots("batched", lambda a, w: a @ w, A, W),
    *dots("batched 4d", lambda a, w: a @ w, Arg((BATCH, 2, 3, 4)), Arg((BATCH, 2, 4, 5))),
    *dots("broadcast", lambda a, w: a @ w, A, Arg((4, 5))),
    *dots("transposed right", lambda a, w: a @ w.T, V, Arg((5, 4))),
    *dots("transposed left", lambda a, w: a.T @ w, V, Arg((BATCH, 5))),
    *dots("einsum", lambda a, w: jnp.einsum("bij,bjk->bki", a, w), A, W),
    *dots("einsum heads", lambda q, k: jnp.einsum("bthd,bshd->bhts", q, k),
          Arg((BATCH, 3, 2, 4)), Arg((BATCH, 5, 2, 4))),
    *dots("einsum outer", lambda a, c: jnp.einsum("bi,bj->bij", a, c), V, Arg((BATCH, 5))),
    *dots("einsum two sums", lambda a, c: jnp.einsum("bij,ijk->bk", a, c), A, Arg((3, 4, 5))),
    *dots("einsum trace", lambda a: jnp.einsum("bii->b", a), SQUARE),
    *dots("einsum self", lambda a: jnp.einsum("bi,ci->bc", a, a), V),
    *dots("tensordot", lambda a, c: jnp.tensordot(a, c, axes=2), A, Arg((3, 4, 5))),
    *dots("outer", lambda a: jnp.outer(a, a), Arg((4,))),
    *dots("kron", lambda a: jnp.kron(a, jnp.eye(2)), Arg((3, 3))),
    Case("dot_general", "preferred", lambda x, w: lax.dot_general(
        x, w, (((1,), (0,)), ((), ())), preferred_element_type=jnp.float32),
        (Arg((BATCH, 4), "bfloat16"), Arg((4, 5), "bfloat16"))),
    Case("dot_general", "int to int32", lambda x, w: lax.dot_general(
        x, w, (((1,), (0,)), ((), ())), preferred_element_type=jnp.int32),
        (Arg((BATCH, 4), "int8", -100, 100), Arg((4, 5), "int8", -100, 100))),
    Case("dot_general", "bool", lambda x, w: lax.dot_general(
        x, w, (((1,), (0,)), ((), ()))), (Arg((BATCH, 4), "bool"), Arg((4, 5), "bool"))),
]


def positive(x: Any) -> Any:
    """A positive definite matrix from any."""
    return x @ x.swapaxes(-1, -2) + 3 * jnp.eye(x.shape[-1])


def triangle(x: Any, lower: bool = True) -> Any:
    """A well-conditioned triangular matrix from any."""
    part = jnp.tril(x, -1) if lower else jnp.triu(x, 1)
    return part + 4 * jnp.eye(x.shape[-1])


def solves() -> list[Case]:
    cases = []
    for left in (True, False):
        for lower in (True, False):
            for transposed in (True, False):
                def fun(a: Any, c: Any, left: bool = left, lower: bool = lower,
                        transposed: bool = transposed) -> Any:
                    return lax.linalg.triangular_solve(
                        triangle(a, lower), c, left_side=left, lower=lower, transpose_a=transposed)
                name = f"{'left' if left else 'right'} {'lower' if lower else 'upper'}"
                cases.append(Case("triangular_solve", f"{name}{' transposed' * transposed}", fun,
                                  (SQUARE, Arg((BATCH, 3, 3)))))
    return cases


DECOMPOSE = [
    Case("cholesky", "float32", lambda x: jnp.linalg.cholesky(positive(x)), (SQUARE,)),
    Case("cholesky", "float64", lambda x: jnp.linalg.cholesky(positive(x)),
         (Arg((BATCH, 3, 3), "float64"),), x64=True),
    Case("cholesky", "not symmetric", lambda x: lax.linalg.cholesky(positive(x) + x * 0.1),
         (SQUARE,)),
    *solves(),
    Case("triangular_solve", "unit diagonal", lambda a, c: lax.linalg.triangular_solve(
        a, c, left_side=True, lower=True, unit_diagonal=True), (SQUARE, Arg((BATCH, 3, 2)))),
    Case("lu", "factors", lambda x: lax.linalg.lu(positive(x)), (SQUARE,)),
    Case("lu", "exchanged", lambda x: lax.linalg.lu(x[:, ::-1] + 2 * jnp.eye(4)[::-1]),
         (Arg((BATCH, 4, 4)),)),
    Case("lu_pivots_to_permutation", "exchanged", lambda x: lax.linalg.lu_pivots_to_permutation(
        lax.linalg.lu(x)[1], 4), (Arg((BATCH, 4, 4)),)),
    Case("custom_linear_solve", "solve", lambda x, c: jnp.linalg.solve(positive(x), c),
         (SQUARE, Arg((BATCH, 3, 2)))),
    Case("custom_linear_solve", "inv", lambda x: jnp.linalg.inv(positive(x)), (SQUARE,)),
    Case("det", "float32", lambda x: jnp.linalg.det(x), (Arg((BATCH, 4, 4)),)),
    Case("slogdet", "float32", lambda x: jnp.linalg.slogdet(x), (Arg((BATCH, 4, 4)),)),
    Case("qr", "reduced", lambda x: jnp.matmul(*jnp.linalg.qr(x)), (Arg((BATCH, 4, 3)),)),
    Case("qr", "r", lambda x: jnp.abs(jnp.linalg.qr(x, mode="r")), (Arg((BATCH, 4, 3)),)),
    Case("qr", "complete", lambda x: jnp.matmul(*jnp.linalg.qr(x, mode="complete")),
         (Arg((BATCH, 4, 3)),)),
    Case("svd", "values", lambda x: jnp.linalg.svd(x, compute_uv=False), (A,)),
    Case("svd", "rebuilt", lambda x: (lambda u, s, v: (u * s[..., None, :]) @ v)(
        *jnp.linalg.svd(x, full_matrices=False)), (A,)),
    Case("svd", "pinv", lambda x: jnp.linalg.pinv(x), (A,), tolerance=1e-4),
    Case("eigh", "values", lambda x: jnp.linalg.eigvalsh(positive(x)), (SQUARE,)),
    Case("eigh", "rebuilt", lambda x: (lambda w, v: (v * w[..., None, :]) @ v.swapaxes(-1, -2))(
        *jnp.linalg.eigh(positive(x))), (SQUARE,)),
    Case("eigh", "upper", lambda x: jnp.linalg.eigvalsh(positive(x), UPLO="U"), (SQUARE,)),
    Case("matrix_power", "3", lambda x: jnp.linalg.matrix_power(x, 3), (SQUARE,)),
    Case("trace", "float32", lambda x: jnp.trace(x, axis1=1, axis2=2), (SQUARE,)),
    Case("cross", "float32", lambda x, y: jnp.cross(x, y), (Arg((BATCH, 3)), Arg((BATCH, 3)))),
]

FOURIER = [
    Case("fft", "fft", jnp.fft.fft, (Arg((BATCH, 8), "complex64"),)),
    Case("fft", "ifft", jnp.fft.ifft, (Arg((BATCH, 8), "complex64"),)),
    Case("fft", "rfft", jnp.fft.rfft, (Arg((BATCH, 8)),)),
    Case("fft", "rfft odd", jnp.fft.rfft, (Arg((BATCH, 7)),)),
    Case("fft", "irfft", jnp.fft.irfft, (Arg((BATCH, 5), "complex64"),)),
    Case("fft", "irfft odd", lambda x: jnp.fft.irfft(x, n=7), (Arg((BATCH, 4), "complex64"),)),
    Case("fft", "fft2", jnp.fft.fft2, (Arg((BATCH, 4, 6), "complex64"),)),
    Case("fft", "ifft2", jnp.fft.ifft2, (Arg((BATCH, 4, 6), "complex64"),)),
    Case("fft", "rfft2", jnp.fft.rfft2, (Arg((BATCH, 4, 6)),)),
    Case("fft", "irfft2", jnp.fft.irfft2, (Arg((BATCH, 4, 5), "complex64"),)),
    Case("fft", "fftn", lambda x: jnp.fft.fftn(x, axes=(1, 2, 3)),
         (Arg((BATCH, 2, 4, 3), "complex64"),)),
    Case("fft", "complex128", jnp.fft.fft, (Arg((BATCH, 8), "complex128"),), x64=True),
]

CASES = [*DOT, *DECOMPOSE, *FOURIER]
