"""One step of training, a pure function; and an interval of them, which `program` compiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from pipeline.config.schema import TrainerConfig
from pipeline.model import Network, Variables, normalise
from pipeline.scopes import ema_decay, ema_update
from pipeline.train.augment import augment
from pipeline.train.loss import build_loss
from pipeline.train.state import TrainState

Metrics: TypeAlias = dict[str, jax.Array]
Step: TypeAlias = Callable[[TrainState, jax.Array, jax.Array], tuple[TrainState, Metrics]]


def build_step(
    network: Network, optimizer: optax.GradientTransformation, trainer: TrainerConfig
) -> Step:
    """The step as a pure function of (state, examples [batch, …], labels [batch]).

    Returns the next state, and the batch's mean `loss` (regularization included) and `accuracy`.
    """
    loss_of = build_loss(trainer)

    def step(
        state: TrainState, pixels: jax.Array, digits: jax.Array
    ) -> tuple[TrainState, Metrics]:
        augment_key, model_key = jax.random.split(jax.random.fold_in(state.key, state.step))
        images = normalise(pixels)
        if trainer.augmentation is not None:
            images = augment(images, augment_key, trainer.augmentation)
        images = images.reshape(len(images), *network.input_shape)

        def objective(params: Variables) -> tuple[jax.Array, tuple[jax.Array, Variables]]:
            variables = {**params, **state.statistics}
            logits, updates = network.apply(variables, images, training=True, key=model_key)
            loss = loss_of(logits, digits)
            return loss + network.regularization_loss(variables), (logits, updates)

        (loss, (logits, updates)), gradient = jax.value_and_grad(objective, has_aux=True)(
            state.params
        )
        changes, opt_state = optimizer.update(gradient, state.opt_state, state.params)
        params = optax.apply_updates(state.params, changes)
        following = TrainState(
            step=state.step + 1,
            params=params,
            statistics={**state.statistics, **updates},
            opt_state=opt_state,
            ema=_averages(state, params, trainer),
            key=state.key,
        )
        accuracy = jnp.mean(jnp.argmax(logits, axis=-1) == digits, dtype=jnp.float32)
        return following, {"loss": loss, "accuracy": accuracy}

    return step


def _averages(state: TrainState, params: Variables, trainer: TrainerConfig) -> Variables:
    if trainer.ema is None:
        return {}
    decay = ema_decay(trainer.ema.decay, state.step if trainer.ema.num_updates else None)
    return {name: ema_update(state.ema[name], value, decay) for name, value in params.items()}


def run_steps(
    step: Step, state: TrainState, pixels: jax.Array, digits: jax.Array, indices: ArrayLike
) -> tuple[TrainState, Metrics]:
    """Many steps, to be compiled as one program: indices [steps, batch] of the examples.

    The data set stays on the device as uint8 and each step gathers its batch there, so that
    nothing crosses between host and device until the mean metrics are asked for.
    """

    def body(carry: TrainState, batch: jax.Array) -> tuple[TrainState, Metrics]:
        return step(carry, pixels[batch], digits[batch])

    state, metrics = jax.lax.scan(body, state, jnp.asarray(indices))
    return state, {name: jnp.mean(values) for name, values in metrics.items()}
