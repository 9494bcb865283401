"""Sparse tensors as TensorFlow passes them: indices [n, rank], values [n], a known shape."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.indexing import positions
from pipeline.execution.values import dimensions, is_static, to_jax


@rule("SparseToDense", static=(1,), attrs="validate_indices Tindices", folds=True)
def _sparse_to_dense(node: Node, indices: Any, shape: Any, values: Any, default: Any) -> Any:
    """Indices may be a scalar or a vector when the result has one axis."""
    size = dimensions(shape)
    rows = indices.reshape(-1, len(size)) if indices.ndim < 2 else indices
    if all(map(is_static, (indices, values, default))):
        filled = np.full(size, default, values.dtype)
        if ((rows < 0) | (rows >= np.array(size))).any():
            raise ExecutionError(f"indices reach outside the shape {list(size)}")
        filled[tuple(np.moveaxis(rows, -1, 0))] = values
        return filled
    dense = jnp.broadcast_to(to_jax(default), size)
    return dense.at[positions(rows, size)].set(to_jax(values), mode="drop")


@rule("SparseTensorDenseMatMul", static=(2,), attrs="adjoint_a adjoint_b Tindices")
def _sparse_dense_mat_mul(node: Node, indices: Any, values: Any, shape: Any, right: Any) -> Any:
    values, right = to_jax(values), to_jax(right)
    right = jnp.conj(right.T) if node["adjoint_b"] else right
    rows, columns = positions(indices, dimensions(shape))
    size, other = dimensions(shape)
    if node["adjoint_a"]:
        rows, columns, values, size, other = columns, rows, jnp.conj(values), other, size
    if right.shape[0] != other:
        raise ExecutionError(f"a matrix of shape {right.shape} for a product over {other}")
    products = values[:, None] * right[columns]
    return jnp.zeros((size, right.shape[1]), products.dtype).at[rows].add(products)


@rule("SparseMatMul", attrs="transpose_a transpose_b a_is_sparse b_is_sparse Ta Tb")
def _sparse_mat_mul(node: Node, a: Any, b: Any) -> Any:
    """Dense arrays with many zeros; always float32."""
    a, b = to_jax(a).astype(jnp.float32), to_jax(b).astype(jnp.float32)
    return jnp.matmul(a.T if node["transpose_a"] else a, b.T if node["transpose_b"] else b)
