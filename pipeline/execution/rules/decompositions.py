"""Decompositions and functions of matrices as TensorFlow's kernels define them.

A symmetric matrix is read from its lower triangle alone. Sources: tensorflow/core/kernels/linalg/,
tensorflow/python/ops/linalg_grad.py (`_CholeskyGrad`, `_SelfAdjointEigV2Grad`,
`_MatrixSquareRootGrad`).
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg as linalg
from jax import lax

from pipeline.execution.registry import Node, rule
from pipeline.execution.values import jax_dtype, to_jax


def _adjoint(x: Any) -> Any:
    return jnp.conj(jnp.swapaxes(x, -1, -2))


def _from_lower(x: Any) -> Any:
    """The symmetric matrix that has the lower triangle of `x`."""
    below = jnp.tril(x, -1)
    diagonal = jnp.where(jnp.eye(x.shape[-1], dtype=bool), jnp.real(x).astype(x.dtype), 0)
    return below + _adjoint(below) + diagonal


@rule("Cholesky", "BatchCholesky")
def _cholesky(node: Node, x: Any) -> Any:
    """The gradient goes to both triangles in halves, though one of them is not read."""
    x = to_jax(x)
    mean = (x + _adjoint(x)) / 2
    read = mean + lax.stop_gradient(_from_lower(x) - mean)
    return jnp.linalg.cholesky(read, symmetrize_input=False)


@rule("SelfAdjointEigV2", "BatchSelfAdjointEigV2", attrs="compute_v")
def _self_adjoint_eig(node: Node, x: Any) -> Any:
    """The gradient goes to the lower triangle alone."""
    x = _from_lower(to_jax(x))
    values, vectors = jnp.linalg.eigh(x, symmetrize_input=False)
    return values.astype(x.dtype), vectors if node["compute_v"] else jnp.zeros((), x.dtype)


@rule("Eig", attrs="compute_v Tout")
def _eig(node: Node, x: Any) -> Any:
    """In LAPACK's order, which need not be Eigen's."""
    x, wanted = to_jax(x), jax_dtype(node["Tout"])
    if not node["compute_v"]:
        return jnp.linalg.eigvals(x).astype(wanted), jnp.zeros((), wanted)
    values, vectors = jnp.linalg.eig(x)
    return values.astype(wanted), vectors.astype(wanted)


def _over_batch(function: Any, x: Any) -> Any:
    return jax.vmap(function)(x.reshape(-1, *x.shape[-2:])).reshape(x.shape)


@jax.custom_jvp
def _square_root(x: Any) -> Any:
    found = linalg.sqrtm(x)
    if jnp.iscomplexobj(x):
        return found.astype(x.dtype)
    real = jnp.abs(found.imag).max() <= 1e-3 * jnp.abs(found.real).max()
    return jnp.where(real, found.real, jnp.nan).astype(x.dtype)


@_square_root.defjvp
def _square_root_tangent(primals: Any, tangents: Any) -> Any:
    """X dX + dX X = dA."""
    (x,), (dx,) = primals, tangents
    root, unit = _square_root(x), jnp.eye(x.shape[-1], dtype=x.dtype)
    both = jnp.kron(unit, root) + jnp.kron(root.T, unit)
    return root, jnp.linalg.solve(both, dx.T.ravel()).reshape(x.shape).T


@rule("MatrixSquareRoot")
def _matrix_square_root(node: Node, x: Any) -> Any:
    """NaN where no real root exists."""
    return _over_batch(_square_root, to_jax(x))


@rule("MatrixLogarithm")
def _matrix_logarithm(node: Node, x: Any) -> Any:
    """Of a complex matrix, by its eigenvectors."""
    x = to_jax(x)
    values, vectors = jnp.linalg.eig(x)
    return (jnp.linalg.solve(_transposed(vectors), _transposed(vectors * jnp.log(
        values)[..., None, :]))).swapaxes(-1, -2).astype(x.dtype)


def _transposed(x: Any) -> Any:
    return jnp.swapaxes(x, -1, -2)


@rule("BandedTriangularSolve", attrs="lower adjoint")
def _banded_solve(node: Node, bands: Any, right: Any) -> Any:
    """Bands [..., k, n]: the main diagonal first and those below it, or those above and it last."""
    bands, right = to_jax(bands), to_jax(right)
    count, size = bands.shape[-2:]
    rows = jnp.arange(size)
    matrix = jnp.zeros((*bands.shape[:-2], size, size), bands.dtype)
    for band in range(count):
        place = band if node["lower"] else count - 1 - band
        columns = rows - band if node["lower"] else rows + band
        inside = (columns >= 0) & (columns < size)
        matrix = matrix.at[..., rows, jnp.where(inside, columns, size)].add(
            bands[..., place, :], mode="drop")
    batch = jnp.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    return lax.linalg.triangular_solve(
        jnp.broadcast_to(matrix, batch + matrix.shape[-2:]),
        jnp.broadcast_to(right, batch + right.shape[-2:]), left_side=True, lower=node["lower"],
        transpose_a=node["adjoint"], conjugate_a=node["adjoint"])
