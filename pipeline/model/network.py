"""A network: a pure function of its variables, whatever it was built from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from pipeline import scopes
from pipeline.config import ConfigError

Variables: TypeAlias = dict[str, Array]


@dataclass(frozen=True, eq=False)   # compared and hashed as the object it is
class Network:
    """Images in, logits out; variables by their TF1 names.

    Attributes:
        name: of the model.
        input_shape: of one example as `apply` takes it: (784,) or (28, 28, 1).
        num_classes: the width of the logits.
        specs: what each variable is, in the order of creation.
    """

    name: str
    input_shape: tuple[int, ...]
    num_classes: int
    specs: dict[str, scopes.VariableSpec]
    scoped: scopes.Transformed[Array]

    def init(self, seed: ArrayLike) -> Variables:
        """Initial values; each depends on the seed and its own name alone."""
        return self.scoped.init(seed, example(self.input_shape), training=False).values()

    def apply(
        self,
        variables: Mapping[str, ArrayLike],
        images: ArrayLike,
        *,
        training: bool = False,
        key: Array | None = None,
    ) -> tuple[Array, Variables]:
        """(logits [batch, num_classes], the variables that training moved); pure.

        Args:
            variables: by name.
            images: float [batch, *input_shape].
            training: normalize by the batch, drop activations, move the moving averages.
            key: of dropout; needed only by a network that drops, while training.

        Raises:
            ScopeError: a variable is missing or has another shape; images of another shape; no key.
        """
        images = jnp.asarray(images)
        if images.shape[1:] != self.input_shape:
            raise scopes.ScopeError(f"{self.name}: images have shape {images.shape}, expected "
                                    f"[batch, {', '.join(map(str, self.input_shape))}]")
        return self.scoped.apply(variables, images, training=training, key=key)

    def regularization_loss(self, variables: Mapping[str, ArrayLike]) -> Array:
        """The sum of all penalties: a scalar."""
        return scopes.regularization_loss(self.specs, variables)


def example(input_shape: Sequence[int]) -> jax.ShapeDtypeStruct:
    """One image without a value, for running a network abstractly."""
    return jax.ShapeDtypeStruct((1, *input_shape), jnp.float32)


def normalise(pixels: Array) -> Array:
    """Bytes 0..255 as float32 0..1, by TF1's own multiplication; floats as they are."""
    if pixels.dtype != jnp.uint8:
        return pixels.astype(jnp.float32)
    return pixels.astype(jnp.float32) * (1.0 / 255.0)


def to_input(network: Network, pixels: ArrayLike) -> Array:
    """What a network and its exported graph take: float32 [n, *input_shape] of examples.

    uint8 becomes 0..1, floating point stays as it is.

    Raises:
        ConfigError: an image has more or fewer pixels than the network takes.
    """
    images = jnp.asarray(pixels)
    if math.prod(images.shape[1:]) != math.prod(network.input_shape):
        raise ConfigError(f"model.input_shape={list(network.input_shape)} does not hold images of "
                          f"{images.shape[1:]} pixels")
    return normalise(images).reshape(images.shape[0], *network.input_shape)
