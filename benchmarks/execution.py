"""Imported graphs against a TensorFlow session and native flax, on the same weights in one run.

    python benchmarks/execution.py [--rounds 15] [--models mlp lenet resnet50] [--batch 32]

Prints the seconds of a batch, the median by the clock and the least of processor time, and both
kinds of ratio; below 1.05 the imported graph is not slower. The three take turns in random order,
so that other work on the machine meets all alike; a ratio of processor times hardly sees it.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import jax
import numpy as np
from flax import nnx

from pipeline import execution, lowering

INPUTS = {"mlp": (128, 784), "lenet": (128, 28, 28, 1), "resnet50": (4, 224, 224, 3)}


class Mlp(nnx.Module):
    """784-500-10."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.Linear(784, 500, rngs=rngs)
        self.logits = nnx.Linear(500, 10, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Logits [batch, 10] of images [batch, 784]."""
        return self.logits(nnx.relu(self.hidden(x)))


class LeNet(nnx.Module):
    """Two convolutions with pooling, two dense layers."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv1 = nnx.Conv(1, 32, (5, 5), rngs=rngs)
        self.conv2 = nnx.Conv(32, 64, (5, 5), rngs=rngs)
        self.dense = nnx.Linear(7 * 7 * 64, 512, rngs=rngs)
        self.logits = nnx.Linear(512, 10, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Logits [batch, 10] of images [batch, 28, 28, 1]."""
        for conv in (self.conv1, self.conv2):
            x = nnx.max_pool(nnx.relu(conv(x)), (2, 2), strides=(2, 2))
        return self.logits(nnx.relu(self.dense(x.reshape(-1, 7 * 7 * 64))))


class Bottleneck(nnx.Module):
    """1×1, 3×3, 1×1 with a shortcut."""

    def __init__(self, channels: int, width: int, stride: int, rngs: nnx.Rngs) -> None:
        sizes = ((channels, width, 1, 1), (width, width, 3, stride), (width, 4 * width, 1, 1))
        self.convs = nnx.List([_conv(*size, rngs) for size in sizes])
        self.norms = nnx.List([_norm(size[1], rngs) for size in sizes])
        self.project = (_conv(channels, 4 * width, 1, stride, rngs)
                        if stride > 1 or channels != 4 * width else None)

    def __call__(self, x: jax.Array) -> jax.Array:
        """The block's output, of `4 · width` channels."""
        y = x
        for place, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            y = norm(conv(y))
            y = nnx.relu(y) if place < 2 else y
        return nnx.relu(y + (x if self.project is None else self.project(x)))


class ResNet50(nnx.Module):
    """The 50-layer residual network, logits of 1000 classes."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.stem, self.norm = _conv(3, 64, 7, 2, rngs), _norm(64, rngs)
        blocks, channels = [], 64
        for stage, count in enumerate((3, 4, 6, 3)):
            for place in range(count):
                width = 64 << stage
                blocks.append(Bottleneck(channels, width, 2 if stage and not place else 1, rngs))
                channels = 4 * width
        self.blocks = nnx.List(blocks)
        self.logits = nnx.Linear(2048, 1000, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Logits [batch, 1000] of pictures [batch, 224, 224, 3]."""
        x = nnx.relu(self.norm(self.stem(x)))
        x = nnx.max_pool(x, (3, 3), strides=(2, 2), padding="SAME")
        for block in self.blocks:
            x = block(x)
        return self.logits(x.mean((1, 2)))


def _conv(channels: int, filters: int, size: int, stride: int, rngs: nnx.Rngs) -> nnx.Conv:
    return nnx.Conv(channels, filters, (size, size), strides=stride, use_bias=False, rngs=rngs)


def _norm(channels: int, rngs: nnx.Rngs) -> nnx.BatchNorm:
    return nnx.BatchNorm(channels, use_running_average=True, rngs=rngs)


MODELS = {"mlp": Mlp, "lenet": LeNet, "resnet50": ResNet50}


def build_runners(name: str, batch: int) -> dict[str, Callable[[], Any]]:
    """One call per rival, each ending with the logits as an array that is ready."""
    import tensorflow as tf

    module = MODELS[name](nnx.Rngs(0))
    split, state = nnx.split(module)
    images = np.random.default_rng(0).random((batch, *INPUTS[name][1:]), np.float32)

    def call(state: Any, images: jax.Array) -> jax.Array:
        return nnx.merge(split, state)(images)

    spec = jax.ShapeDtypeStruct(images.shape, "float32")
    graph_def = lowering.freeze(call, state, {"input": spec}, outputs=["logits"])
    imported = execution.function(graph_def, ["input"], ["logits"])
    native = jax.jit(call)
    held = jax.device_put(images)

    tf1 = tf.compat.v1
    graph = tf1.Graph()
    with graph.as_default():
        tf1.import_graph_def(tf1.GraphDef.FromString(graph_def.SerializeToString()), name="")
    session = tf1.Session(graph=graph)
    runners = {
        "imported": lambda: imported(held)[0].block_until_ready(),
        "flax": lambda: native(state, held).block_until_ready(),
        "tensorflow": lambda: session.run("logits:0", {"input:0": images}),
    }
    results = {rival: np.asarray(run()) for rival, run in runners.items()}
    scale = np.abs(results["flax"]).max()
    for rival, result in results.items():
        error = np.abs(result - results["flax"]).max() / scale
        assert error < 1e-4, f"{name}: {rival} differs from flax by {error}"
    return runners


class Seconds(NamedTuple):
    """Of one call: the median by the clock, the least of processor time."""

    wall: float
    processor: float


def measure(runners: dict[str, Callable[[], Any]], rounds: int) -> dict[str, Seconds]:
    """What a call takes, the rivals in random order in every round."""
    shuffled = random.Random(0)
    times: dict[str, list[Seconds]] = {rival: [] for rival in runners}
    repeats = 1
    while _seconds(runners["flax"], repeats).wall * repeats < 0.1:
        repeats *= 2
    for _ in range(rounds):
        for rival in shuffled.sample(list(runners), len(runners)):
            times[rival].append(_seconds(runners[rival], repeats))
    return {rival: Seconds(statistics.median(each.wall for each in found),
                           min(each.processor for each in found))
            for rival, found in times.items()}


def _seconds(run: Callable[[], Any], repeats: int) -> Seconds:
    begin = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        run()
    return Seconds((time.perf_counter() - begin[0]) / repeats,
                   (time.process_time() - begin[1]) / repeats)


def main() -> None:
    """Measure the models asked for and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--models", nargs="+", choices=sorted(MODELS), default=list(MODELS))
    parser.add_argument("--batch", type=int, help="instead of each model's own")
    arguments = parser.parse_args()
    print(f"{'model':10} {'batch':>5} {'':9} {'imported':>10} {'flax':>10} {'tensorflow':>10}   "
          "imported/flax  imported/tensorflow")
    for name in arguments.models:
        batch = arguments.batch or INPUTS[name][0]
        found = measure(build_runners(name, batch), arguments.rounds)
        for kind in Seconds._fields:
            ours, flax, theirs = (getattr(found[rival], kind)
                                  for rival in ("imported", "flax", "tensorflow"))
            print(f"{name:10} {batch:5} {kind:9} {ours:9.5f}s {flax:9.5f}s {theirs:9.5f}s   "
                  f"{ours / flax:13.3f}  {ours / theirs:19.3f}")


if __name__ == "__main__":
    main()
