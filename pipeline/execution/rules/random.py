"""Random ops. Without a key they draw TensorFlow's own stream from the seeds in the graph."""

from __future__ import annotations

import zlib
from typing import Any

import jax
import jax.numpy as jnp

from pipeline.execution import philox
from pipeline.execution.program import Run
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import ints, jax_dtype, to_jax


def stream(node: Node, run: Run) -> tuple[Any, Any]:
    """Philox key and counter of a stateful op.

    With a key of the caller's they come from it and the node's name, else from the node's seeds;
    where those are 0 (TensorFlow then draws one) from the name alone.
    """
    name = zlib.crc32(node.name.encode())
    if run.key is not None:
        words = jax.random.bits(jax.random.fold_in(run.key, name), (6,), jnp.uint32)
        return words[:2], words[2:]
    if not node["seed"] and not node["seed2"]:
        return philox.seeded(name, 1)
    return philox.seeded(node["seed"], node["seed2"])


def jax_key(node: Node, run: Run) -> Any:
    """A JAX key for the distributions that are not drawn as TensorFlow draws them."""
    return jax.random.wrap_key_data(philox.bits(*stream(node, run), 2), impl="threefry2x32")


_SEEDS = "seed seed2"


@rule("RandomUniform", static=(0,), attrs=f"{_SEEDS} dtype", takes_run=True)
def _random_uniform(node: Node, run: Run, shape: Any) -> Any:
    return philox.uniform(*stream(node, run), ints(shape), jax_dtype(node["dtype"]))


@rule("RandomStandardNormal", static=(0,), attrs=f"{_SEEDS} dtype", takes_run=True)
def _random_normal(node: Node, run: Run, shape: Any) -> Any:
    return philox.normal(*stream(node, run), ints(shape), jax_dtype(node["dtype"]))


@rule("RandomUniformInt", static=(0,), attrs=_SEEDS, takes_run=True)
def _random_integers(node: Node, run: Run, shape: Any, low: Any, high: Any) -> Any:
    return philox.integers(*stream(node, run), ints(shape), to_jax(low), to_jax(high))


@rule("TruncatedNormal", static=(0,), attrs=f"{_SEEDS} dtype", takes_run=True)
def _truncated_normal(node: Node, run: Run, shape: Any) -> Any:
    """Within two standard deviations; TensorFlow's distribution, not its numbers."""
    return jax.random.truncated_normal(
        jax_key(node, run), -2, 2, ints(shape), jax_dtype(node["dtype"]))


@rule("RandomShuffle", attrs=_SEEDS, takes_run=True)
def _random_shuffle(node: Node, run: Run, x: Any) -> Any:
    return jax.random.permutation(jax_key(node, run), to_jax(x))


@rule("Multinomial", static=(1,), attrs=f"{_SEEDS} output_dtype", takes_run=True)
def _multinomial(node: Node, run: Run, logits: Any, count: Any) -> Any:
    logits = to_jax(logits)
    drawn = jax.random.categorical(
        jax_key(node, run), logits[:, None], shape=(logits.shape[0], ints(count)[0]))
    return drawn.astype(jax_dtype(node["output_dtype"]))


@rule("StatelessRandomUniform", static=(0,), attrs="dtype")
def _stateless_uniform(node: Node, shape: Any, seed: Any) -> Any:
    return philox.uniform(*philox.stateless(seed), ints(shape), jax_dtype(node["dtype"]))


@rule("StatelessRandomNormal", static=(0,), attrs="dtype")
def _stateless_normal(node: Node, shape: Any, seed: Any) -> Any:
    return philox.normal(*philox.stateless(seed), ints(shape), jax_dtype(node["dtype"]))


@rule("StatelessRandomUniformInt", static=(0,), attrs="dtype")
def _stateless_integers(node: Node, shape: Any, seed: Any, low: Any, high: Any) -> Any:
    return philox.integers(*philox.stateless(seed), ints(shape), to_jax(low), to_jax(high))


@rule("StatelessTruncatedNormal", static=(0,), attrs="dtype")
def _stateless_truncated_normal(node: Node, shape: Any, seed: Any) -> Any:
    """Within two standard deviations; TensorFlow's distribution, not its numbers."""
    key = jax.random.wrap_key_data(philox.stateless(seed)[0], impl="threefry2x32")
    return jax.random.truncated_normal(key, -2, 2, ints(shape), jax_dtype(node["dtype"]))
