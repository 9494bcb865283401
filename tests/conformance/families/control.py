"""Loops and branches, and calls that are written out."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from case import BATCH, Arg, Case
from jax import lax
from jax.ad_checkpoint import checkpoint_name
from jax.custom_derivatives import linear_call

F = Arg((BATCH, 6))
SEQUENCE = Arg((BATCH, 5, 3))
N = Arg((), "int32", 0, 6)
LONG = 3000    # steps: too many to write out


def cumulate(c: Any, x: Any) -> Any:
    return c * 0.5 + x, c + 1.0


def loop(n: Any, x: Any) -> Any:
    return lax.while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] * 0.5 + x), (0, x))[1]


@jax.custom_vjp
def doubled(x: Any) -> Any:
    return x * 2


doubled.defvjp(lambda x: (x * 2, None), lambda _, g: (g * 2,))

@jax.custom_batching.custom_vmap
def twice(x: Any) -> Any:
    return x * 2


@twice.def_vmap
def _(size: int, batched: list[bool], x: Any) -> Any:
    return x * 2, batched[0]


CASES = [
    Case("scan", "carry and rows", lambda x: lax.scan(cumulate, jnp.zeros((x.shape[0], 3)),
                                                      x.transpose(1, 0, 2)), (SEQUENCE,)),
    Case("scan", "reverse", lambda x: lax.scan(cumulate, jnp.zeros((x.shape[0], 3)),
                                               x.transpose(1, 0, 2), reverse=True), (SEQUENCE,)),
    Case("scan", "over the batch", lambda x: lax.scan(cumulate, jnp.zeros(6), x), (F,)),
    Case("scan", "over the batch, reverse",
         lambda x: lax.scan(cumulate, jnp.zeros(6), x, reverse=True), (F,)),
    Case("scan", "over the batch, several", lambda x, y: lax.scan(
        lambda c, r: ((c[0] + r[0], c[1] * r[1][0]), {"a": c[0], "b": r[1] > 0}),
        (jnp.zeros(6), 1.0), (x, y)), (F, Arg((BATCH, 2)))),
    Case("scan", "long", lambda x: lax.scan(lambda c, _: (jnp.sin(c * 1.1) + jnp.cos(c), None), x,
                                            None, length=LONG)[0], (F,), tolerance=1e-3),
    Case("scan", "long with rows", lambda x: lax.scan(
        lambda c, r: (jnp.tanh(c + x) * 0.5 + r, c[:, 0]), x, jnp.linspace(0, 1, LONG)), (F,),
        tolerance=1e-4),
    Case("scan", "empty", lambda x: lax.scan(cumulate, x, jnp.zeros((0, 6))), (F,)),
    Case("scan", "constants", lambda x: lax.scan(lambda c, _: (c @ jnp.eye(6) * 0.5, None), x,
                                                 None, length=3)[0], (F,)),
    Case("scan", "map", lambda x: lax.map(lambda r: jnp.sort(r) * 2, x), (F,)),
    Case("scan", "nested", lambda x: lax.map(lambda r: lax.scan(cumulate, 0.0, r)[0], x), (F,)),
    Case("scan", "associative", lambda x: lax.associative_scan(jnp.add, x, axis=1), (F,)),
    Case("scan", "fori", lambda x: lax.fori_loop(0, 5, lambda i, c: c * 0.5 + i, x), (F,)),
    Case("while", "counted", loop, (N, F)),
    Case("while", "fori", lambda n, x: lax.fori_loop(0, n, lambda i, c: c * 0.5 + i, x), (N, F)),
    Case("while", "never", lambda x: lax.while_loop(lambda c: False, lambda c: c + 1, x), (F,)),
    Case("while", "until", lambda x: lax.while_loop(
        lambda c: jnp.max(c) > 1.0, lambda c: c * 0.5, x), (F,), batches=(3, 1)),
    Case("while", "constants", lambda n, x: lax.while_loop(
        lambda c: c[0] < n + x.shape[0] * 0,
        lambda c: (c[0] + 1, c[1] @ jnp.eye(6) + x), (0, x))[1], (N, F)),
    Case("while", "size inside", lambda n, x: lax.fori_loop(
        0, n, lambda i, c: c + jnp.arange(x.shape[0])[:, None] / (x.shape[0] + 1), x), (N, F)),
    Case("while", "nested", lambda n, x: lax.fori_loop(0, n, lambda i, c: loop(n, c), x), (N, F)),
    Case("while", "batched", lambda n, x: jax.vmap(
        lambda k, r: lax.while_loop(lambda c: c[0] < k, lambda c: (c[0] + 1, c[1] + 1.0),
                                    (0, r))[1])(n, x), (Arg((BATCH,), "int32", 0, 4), F),
        batches=(3, 1)),
    Case("while", "integers", lambda n: lax.while_loop(
        lambda c: c[1] > 1, lambda c: (c[0] + 1, jnp.where(c[1] % 2 == 0, c[1] // 2, 3 * c[1] + 1)),
        (0, n + 2)), (N,)),
    Case("cond", "two", lambda x: lax.cond(x.sum() > 0, lambda y: y + 1, lambda y: y * 2, x), (F,)),
    Case("cond", "switch", lambda n, x: lax.switch(
        n, [lambda y: y, lambda y: y + 1, lambda y: y * y], x), (N, F)),
    Case("cond", "known", lambda x: lax.cond(True, lambda y: y + 1, lambda y: y * 2, x), (F,)),
    Case("cond", "several results", lambda x: lax.cond(
        x.sum() > 0, lambda y: (y, y > 0), lambda y: (y * 2, y < 0), x), (F,)),
    Case("cond", "gather beyond", lambda n, x: lax.cond(
        n < 6, lambda y: y[:, n], lambda y: y[:, 0], x), (N, F)),
    Case("cond", "with a loop", lambda n, x: lax.cond(
        n > 3, lambda y: lax.while_loop(lambda c: jnp.sum(c) > 1e9, lambda c: c + n, y),
        lambda y: loop(n, y), x), (N, F)),
    Case("cond", "switch with loops", lambda n, x: lax.switch(
        n, [lambda y: y, lambda y: loop(3, y), lambda y: loop(n, y) + y.shape[0]], x), (N, F)),
    Case("cond", "in a loop", lambda n, x: lax.fori_loop(0, n, lambda i, c: lax.cond(
        i % 2 == 0, lambda y: y + 1, lambda y: y * 0.5, c), x), (N, F)),
    Case("jit", "nested", jax.jit(lambda x: jax.jit(jnp.sin)(x) * 2), (F,)),
    Case("custom_jvp_call", "relu", jax.nn.relu, (F,)),
    Case("custom_vjp_call", "doubled", doubled, (F,)),
    Case("remat2", "checkpoint", jax.checkpoint(lambda x: jnp.sin(jnp.cos(x))), (F,)),
    Case("vmap", "rows", jax.vmap(lambda r: r @ r), (F,)),
    Case("vmap", "matrix", jax.vmap(lambda r: jnp.outer(r, r).sum(0)), (F,)),
    Case("grad", "of a sum", lambda x: jax.grad(lambda y: jnp.sum(jnp.tanh(y) ** 2))(x), (F,)),
    Case("jvp", "tangent", lambda x: jax.jvp(jnp.sin, (x,), (jnp.ones_like(x),)), (F,)),
    Case("platform_index", "default", lambda x: lax.platform_dependent(
        x, cpu=lambda y: y + 1, default=lambda y: 1 + y), (F,)),
    Case("platform_index", "cpu", lambda x: lax.platform_dependent(
        x, cuda=lambda y: y * 2, cpu=lambda y: y + 1), (F,)),
    Case("linear_call", "product", lambda x: linear_call(
        lambda r, v: v * r, lambda r, t: t * r, 2.0, x), (F,)),
    Case("custom_vmap_call", "doubled", twice, (F,)),
    Case("optimization_barrier", "two", lambda x: lax.optimization_barrier((x, x + 1)), (F,)),
    Case("device_put", "cpu", lambda x: jax.device_put(x, jax.devices("cpu")[0]) * 2, (F,)),
    Case("name", "checkpoint_name", lambda x: checkpoint_name(x, "here") * 2, (F,)),
    Case("jit", "partial", functools.partial(jnp.clip, min=-1, max=1), (F,)),
]
