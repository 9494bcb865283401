"""The learning rate as a function of the step, on optax."""

from __future__ import annotations

import jax.numpy as jnp
import optax

from pipeline.config.schema import ScheduleConfig


def build_schedule(
    config: ScheduleConfig, learning_rate: float, total_steps: int
) -> optax.Schedule:
    """The schedule that `conf/schedule` names, starting from `learning_rate` at step 0.

    `exponential_decay` is TF1's: `learning_rate · decay_rate ** (step / decay_steps)`, the exponent
    rounded down with `staircase`. `cosine` grows linearly over `warmup_steps`, then falls to
    `end_factor · learning_rate` at `decay_steps`, by default the last step.
    """
    if config.name == "constant":
        return optax.constant_schedule(learning_rate)
    decay_steps = config.decay_steps or total_steps
    if config.name == "cosine":
        # Not optax.warmup_cosine_decay_schedule: it asks whether the learning rate is 0, which a
        # traced one cannot answer.
        warmup = config.warmup_steps
        falling = optax.cosine_decay_schedule(
            learning_rate, max(decay_steps - warmup, 1), alpha=config.end_factor
        )
        rising = optax.linear_schedule(0.0, learning_rate, warmup)
        return optax.join_schedules([rising, falling], [warmup]) if warmup else falling
    return exponential_decay(learning_rate, decay_steps, config.decay_rate, config.staircase)


def exponential_decay(
    learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
) -> optax.Schedule:
    """TF1's `tf.train.exponential_decay` as a function of the step."""

    def schedule(step: optax.ScalarOrSchedule) -> jnp.ndarray:
        exponent = jnp.asarray(step, jnp.float32) / decay_steps
        return learning_rate * decay_rate ** (jnp.floor(exponent) if staircase else exponent)

    return schedule
