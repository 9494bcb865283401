"""Matrix products and biases."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import jax_dtype, to_jax


@rule("MatMul", attrs="transpose_a transpose_b grad_a grad_b")
def _mat_mul(node: Node, a: Any, b: Any) -> Any:
    a, b = to_jax(a), to_jax(b)
    if a.ndim != 2 or b.ndim != 2:
        raise ExecutionError(f"matrices of shapes {a.shape} and {b.shape}; expected two axes")
    return jnp.matmul(a.T if node["transpose_a"] else a, b.T if node["transpose_b"] else b)


@rule("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", attrs="adj_x adj_y grad_x grad_y Tout")
def _batch_mat_mul(node: Node, x: Any, y: Any) -> Any:
    x, y = to_jax(x), to_jax(y)
    x = jnp.conj(jnp.swapaxes(x, -1, -2)) if node["adj_x"] else x
    y = jnp.conj(jnp.swapaxes(y, -1, -2)) if node["adj_y"] else y
    if "Tout" in node.attrs:
        return jnp.matmul(x, y, preferred_element_type=jax_dtype(node["Tout"]))
    return jnp.matmul(x, y)


@rule("BiasAdd", attrs="data_format")
def _bias_add(node: Node, x: Any, bias: Any) -> Any:
    x, bias = to_jax(x), to_jax(bias)
    first = node["data_format"] == "NCHW" and x.ndim > 2
    if x.ndim < 2 or bias.shape != (x.shape[1 if first else -1],):
        raise ExecutionError(f"bias of shape {bias.shape} for an array of shape {x.shape}; "
                             "expected one for each channel")
    if first:
        bias = bias.reshape(bias.shape + (1,) * (x.ndim - 2))
    return x + bias


@rule("BiasAddV1")
def _bias_add_v1(node: Node, x: Any, bias: Any) -> Any:
    return to_jax(x) + to_jax(bias)


@rule("Einsum", attrs="equation")
def _einsum(node: Node, *values: Any) -> Any:
    return jnp.einsum(node["equation"], *map(to_jax, values))
