"""One epoch of the same training, as this pipeline does it and as one would write it elsewhere.

784-500-10 with rectifiers, stochastic gradient descent, cross-entropy, float32. Each builder gets
the data and gives a function that trains one epoch and returns its mean loss, so that nobody is
timed who doesn't learn. All go through all examples in a new random order.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import optax
from hydra import compose, initialize_config_dir
from jax import lax
from numpy.typing import NDArray
from omegaconf import OmegaConf

from pipeline import config, model
from pipeline.data import DataSet, DataSets
from pipeline.model import layers
from pipeline.train.numbers import collect
from pipeline.train.program import build_program
from pipeline.train.session import Session

CONF = Path(__file__).resolve().parents[1] / "conf"
HIDDEN, CLASSES, RATE, BATCH = 500, 10, 0.1, 100

Epoch = Callable[[], float]


class MissingRivalError(RuntimeError):
    """A rival is not installed."""


@dataclass(frozen=True)
class Examples:
    """What is trained on: uint8 [n, 28, 28] and [n]; n is a multiple of the batch."""

    pixels: NDArray[np.uint8]
    digits: NDArray[np.uint8]

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return len(self.pixels) // BATCH

    @property
    def images(self) -> NDArray[np.float32]:
        """float32 [n, 784] in 0..1, which the rivals keep in memory."""
        return self.pixels.reshape(len(self.pixels), 784) * np.float32(1 / 255)

    def shuffled(self, random: np.random.RandomState) -> NDArray[np.int32]:
        """An epoch's batches: int32 [steps, batch]."""
        order = random.permutation(len(self.pixels)).astype(np.int32)
        return order.reshape(self.steps, BATCH)


def pipeline_epoch(examples: Examples, *words: str) -> Epoch:
    """Ours, through the session and the compiled program that `train.fit` uses."""
    chosen = _configured(
        f"trainer.batch_size={BATCH}", f"trainer.interval={examples.steps}",
        "trainer.epochs=1000", f"optimizer.learning_rate={RATE}", *words,
    )
    random = np.random.RandomState(0)
    train = DataSet(examples.pixels, examples.digits, random)
    empty = DataSet(examples.pixels[:0], examples.digits[:0], random)
    network = model.build(chosen.model)
    session = Session(network, DataSets(train, empty, empty, name="examples"), chosen)
    program = build_program(network, chosen, session.plan.steps)
    numbers = collect(chosen, network)
    pixels, digits = jax.device_put(examples.pixels), jax.device_put(examples.digits)

    def epoch() -> float:
        batches = session.next_batches()
        state, metrics = program(session.snapshot.state, numbers, pixels, digits, batches)
        return session.advance(state, metrics, 0.0).loss

    return epoch


def _configured(*words: str) -> config.Config:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = compose("config", overrides=["optimizer=sgd", *words])
    plain: Any = OmegaConf.to_container(composed, resolve=True)
    return config.load(plain)


def scan_epoch(examples: Examples) -> Epoch:
    """Plain JAX by hand: a `lax.scan` over the batches, the data on the device as uint8."""
    pixels, digits = jax.device_put(examples.pixels), jax.device_put(examples.digits)
    random = np.random.RandomState(0)

    def loss_of(params: Any, images: jax.Array, labels: jax.Array) -> Any:
        (w1, b1), (w2, b2) = params
        logits = jax.nn.relu(images @ w1 + b1) @ w2 + b2
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
        return losses.mean(), (logits.argmax(axis=1) == labels).mean()

    def step(params: Any, batch: jax.Array) -> Any:
        images = pixels[batch].reshape(BATCH, 784).astype(jnp.float32) * (1 / 255)
        (loss, accuracy), gradient = jax.value_and_grad(loss_of, has_aux=True)(
            params, images, digits[batch]
        )
        return jax.tree.map(lambda p, g: p - RATE * g, params, gradient), (loss, accuracy)

    def run(params: Any, batches: jax.Array) -> Any:
        params, metrics = lax.scan(step, params, batches)
        return params, jax.tree.map(jnp.mean, metrics)

    compiled = jax.jit(run, donate_argnums=0)
    state = {"params": jax.tree.map(jnp.asarray, _initial())}

    def epoch() -> float:
        state["params"], (loss, accuracy) = compiled(state["params"], examples.shuffled(random))
        return float(loss) if float(accuracy) >= 0 else 0.0

    return epoch


def _initial() -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    random = np.random.default_rng(0)
    return [
        (random.normal(size=(rows, columns), scale=0.1).astype(np.float32),
         np.zeros(columns, np.float32))
        for rows, columns in ((784, HIDDEN), (HIDDEN, CLASSES))
    ]


def nnx_epoch(examples: Examples) -> Epoch:
    """A plain flax loop: one `nnx.jit` step a batch, batches cut on the host."""
    from flax import nnx

    class Perceptron(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.hidden = nnx.Linear(784, HIDDEN, rngs=rngs)
            self.out = nnx.Linear(HIDDEN, CLASSES, rngs=rngs)

        def __call__(self, images: jax.Array) -> jax.Array:
            return self.out(nnx.relu(self.hidden(images)))

    @nnx.jit
    def step(network: Any, optimizer: Any, images: jax.Array, labels: jax.Array) -> jax.Array:
        def loss_of(network: Any) -> jax.Array:
            logits = network(images)
            return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

        loss, gradient = nnx.value_and_grad(loss_of)(network)
        optimizer.update(network, gradient)
        return loss

    network = Perceptron(nnx.Rngs(0))
    optimizer = nnx.Optimizer(network, optax.sgd(RATE), wrt=nnx.Param)
    images, labels = examples.images, examples.digits.astype(np.int32)
    random = np.random.RandomState(0)

    def epoch() -> float:
        losses = [
            step(network, optimizer, images[batch], labels[batch])
            for batch in examples.shuffled(random)
        ]
        return float(jnp.stack(losses).mean())

    return epoch


def torch_epoch(examples: Examples) -> Epoch:
    """PyTorch in eager mode on the CPU, batches cut out of one tensor."""
    torch = _import("torch")
    network = torch.nn.Sequential(
        torch.nn.Linear(784, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, CLASSES)
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    images = torch.from_numpy(examples.images)
    labels = torch.from_numpy(examples.digits.astype(np.int64))
    random = np.random.RandomState(0)

    def epoch() -> float:
        total = torch.zeros(())
        for batch in torch.from_numpy(examples.shuffled(random)):
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.cross_entropy(network(images[batch]), labels[batch])
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return float(total) / examples.steps

    return epoch


def keras_epoch(examples: Examples) -> Epoch:
    """`model.fit` of Keras on the backend that KERAS_BACKEND names, `jax` unless told otherwise."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = _import("keras")
    network = keras.Sequential([
        keras.Input((784,)), keras.layers.Dense(HIDDEN, activation="relu"),
        keras.layers.Dense(CLASSES),
    ])
    network.compile(
        keras.optimizers.SGD(RATE), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    images, labels = examples.images, examples.digits.astype(np.int32)

    def epoch() -> float:
        history = network.fit(images, labels, batch_size=BATCH, epochs=1, shuffle=True, verbose=0)
        return float(history.history["loss"][0])

    return epoch


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingRivalError(
            f"{name} is not installed ({error}): pip install -e '.[bench]', or leave it out of "
            "--rivals"
        ) from error


RIVALS: dict[str, Callable[[Examples], Epoch]] = {
    "scan": scan_epoch, "nnx": nnx_epoch, "torch": torch_epoch, "keras": keras_epoch,
}


@contextmanager
def convolution_of_jax() -> Iterator[None]:
    """Networks traced inside use JAX's own gradient of a convolution instead of ours."""

    def conv2d(images: Any, weights: Any, strides: Any, padding: str) -> jax.Array:
        dimensions = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(
            images, weights, strides, padding, dimension_numbers=dimensions
        )

    with mock.patch.object(layers, "conv2d", conv2d):
        yield
