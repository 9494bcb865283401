"""Random numbers: the same bits as JAX draws, from keys that are known or come in."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from case import BATCH, Arg, Case

X, SEED = Arg((BATCH, 4)), Arg((), "int32", 0, 2 ** 31 - 1)
RAW = Arg((2,), "uint32", 0, 2 ** 32 - 1)


def drawn(draw: Any) -> Any:
    return lambda seed: draw(jax.random.key(seed))


def noisy(x: Any) -> Any:
    key = jax.random.key(7)
    return x + jax.random.normal(key, (4,))


CASES = [
    Case("random_bits", "bits", drawn(lambda k: jax.random.bits(k, (3, 5))), (SEED,)),
    Case("random_bits", "8 bits", drawn(lambda k: jax.random.bits(k, (5,), jnp.uint8)), (SEED,)),
    Case("random_bits", "uniform", drawn(lambda k: jax.random.uniform(k, (3, 5))), (SEED,)),
    Case("random_bits", "normal", drawn(lambda k: jax.random.normal(k, (3, 5))), (SEED,),
         tolerance=1e-4),
    Case("random_bits", "bernoulli", drawn(lambda k: jax.random.bernoulli(k, 0.3, (9,))), (SEED,)),
    Case("random_bits", "randint", drawn(lambda k: jax.random.randint(k, (9,), -3, 8)), (SEED,)),
    Case("random_bits", "categorical", lambda x: jax.random.categorical(
        jax.random.key(1), jnp.broadcast_to(x[:1], (5, 4))), (X,), batches=(3, 1)),
    Case("random_bits", "truncated normal", drawn(
        lambda k: jax.random.truncated_normal(k, -2, 2, (9,))), (SEED,), tolerance=1e-4),
    Case("random_bits", "permutation", drawn(lambda k: jax.random.permutation(k, 9)), (SEED,)),
    Case("random_bits", "known key", noisy, (X,), tolerance=1e-4),
    Case("random_bits", "raw key", lambda k: jax.random.uniform(k, (4,)), (RAW,)),
    Case("random_seed", "data", drawn(jax.random.key_data), (SEED,)),
    Case("random_split", "two", drawn(lambda k: [
        jax.random.uniform(each, (2,)) for each in jax.random.split(k)]), (SEED,)),
    Case("random_split", "data", drawn(lambda k: jax.random.key_data(jax.random.split(k, 3))),
         (SEED,)),
    Case("random_split", "vmap", drawn(lambda k: jax.vmap(
        lambda each: jax.random.uniform(each, (2,)))(jax.random.split(k, 3))), (SEED,)),
    Case("random_fold_in", "data", drawn(
        lambda k: jax.random.key_data(jax.random.fold_in(k, 5))), (SEED,)),
    Case("random_bits", "unknown shape", lambda x: jax.random.uniform(jax.random.key(1), x.shape),
         (X,)),
]
