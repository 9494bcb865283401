"""Random ops. Without a key they draw TensorFlow's own stream from the seeds in the graph."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pipeline.execution import philox
from pipeline.execution.errors import ExecutionError
from pipeline.execution.program import Run
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import dimensions, jax_dtype, scalar, to_jax


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
    return philox.uniform(*stream(node, run), dimensions(shape), jax_dtype(node["dtype"]))


@rule("RandomStandardNormal", static=(0,), attrs=f"{_SEEDS} dtype", takes_run=True)
def _random_normal(node: Node, run: Run, shape: Any) -> Any:
    return philox.normal(*stream(node, run), dimensions(shape), jax_dtype(node["dtype"]))


@rule("RandomUniformInt", static=(0,), attrs=_SEEDS, takes_run=True)
def _random_integers(node: Node, run: Run, shape: Any, low: Any, high: Any) -> Any:
    return philox.integers(*stream(node, run), dimensions(shape), to_jax(low), to_jax(high))


@rule("TruncatedNormal", static=(0,), attrs=f"{_SEEDS} dtype", takes_run=True)
def _truncated_normal(node: Node, run: Run, shape: Any) -> Any:
    return philox.truncated_normal(*stream(node, run), dimensions(shape), jax_dtype(node["dtype"]))


@rule("RandomGamma", static=(0,), attrs=f"{_SEEDS} S", takes_run=True)
def _random_gamma(node: Node, run: Run, shape: Any, alpha: Any) -> Any:
    """TensorFlow's distribution, not its numbers."""
    alpha = to_jax(alpha)
    sizes = (*dimensions(shape), *alpha.shape)
    return jax.random.gamma(jax_key(node, run), alpha, sizes, alpha.dtype)


@rule("RandomPoissonV2", static=(0,), attrs=f"{_SEEDS} S R dtype", takes_run=True)
def _random_poisson(node: Node, run: Run, shape: Any, rate: Any) -> Any:
    """TensorFlow's distribution, not its numbers."""
    rate = to_jax(rate)
    drawn = jax.random.poisson(jax_key(node, run), rate, (*dimensions(shape), *rate.shape))
    return drawn.astype(jax_dtype(node["dtype"]))


@rule("RandomShuffle", attrs=_SEEDS, takes_run=True)
def _random_shuffle(node: Node, run: Run, x: Any) -> Any:
    return jax.random.permutation(jax_key(node, run), to_jax(x))


@rule("Multinomial", static=(1,), attrs=f"{_SEEDS} output_dtype", takes_run=True)
def _multinomial(node: Node, run: Run, logits: Any, count: Any) -> Any:
    logits = to_jax(logits)
    drawn = jax.random.categorical(
        jax_key(node, run), logits[:, None], shape=(logits.shape[0], scalar(count)))
    return drawn.astype(jax_dtype(node["output_dtype"]))


def _stateless(
    op: str, draw: Callable[..., Any], *, attrs: str = "dtype", bounds: bool = False
) -> None:
    """An op seeded by a pair of integers, and its second form with key, counter and algorithm."""
    def first(node: Node, shape: Any, seed: Any, *limits: Any) -> Any:
        return _drawn(node, philox.stateless(seed), shape, limits)

    def second(node: Node, shape: Any, key: Any, counter: Any, algorithm: Any, *limits: Any) -> Any:
        if int(algorithm) not in _PHILOX:
            raise ExecutionError(f"alg={int(algorithm)}; expected Philox (1) or any (3)")
        return _drawn(node, philox.words_of(key, counter), shape, limits)

    def _drawn(node: Node, source: Any, shape: Any, limits: Any) -> Any:
        if bounds:
            return draw(*source, dimensions(shape), *map(to_jax, limits))
        return draw(*source, dimensions(shape), jax_dtype(node["dtype"]))

    rule(op, static=(0,), attrs=attrs)(first)
    rule(f"{op}V2", static=(0, 3), attrs=attrs)(second)


_PHILOX = (1, 3)   # tensorflow/core/framework/rng_alg.h; 3 lets the device choose
_stateless("StatelessRandomUniform", philox.uniform)
_stateless("StatelessRandomNormal", philox.normal)
_stateless("StatelessTruncatedNormal", philox.truncated_normal)
_stateless("StatelessRandomUniformInt", philox.integers, bounds=True)
_stateless("StatelessRandomUniformFullInt", philox.full_range)


@rule("StatelessRandomGetKeyCounter")
def _get_key_counter(node: Node, seed: Any) -> Any:
    """As words of 32 bits, which the ops here take too."""
    return philox.stateless(seed)


@rule("StatelessRandomGetKeyCounterAlg")
def _get_key_counter_alg(node: Node, seed: Any) -> Any:
    return (*philox.stateless(seed), np.array(_PHILOX[0], np.int32))


@rule("StatelessRandomGetAlg", folds=True)
def _get_alg(node: Node) -> Any:
    return np.array(_PHILOX[0], np.int32)


@rule("StatelessMultinomial", static=(1,), attrs="output_dtype")
def _stateless_multinomial(node: Node, logits: Any, count: Any, seed: Any) -> Any:
    """TensorFlow's distribution, not its numbers."""
    logits = to_jax(logits)
    key = jax.random.wrap_key_data(philox.stateless(seed)[0], impl="threefry2x32")
    drawn = jax.random.categorical(key, logits[:, None], shape=(len(logits), scalar(count)))
    return drawn.astype(jax_dtype(node["output_dtype"]))
