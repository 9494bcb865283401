"""The optimizer that `conf/optimizer` names, on optax."""

from __future__ import annotations

import optax

from pipeline.config.schema import OptimizerConfig


def build_optimizer(
    config: OptimizerConfig, schedule: optax.Schedule
) -> optax.GradientTransformation:
    """An optax transformation; the gradient is clipped by its global norm first, if asked for."""
    builders = {
        "sgd": lambda: optax.sgd(schedule),
        "momentum": lambda: optax.sgd(schedule, config.momentum, config.nesterov),
        "adam": lambda: optax.adam(schedule, config.beta1, config.beta2, config.epsilon),
        "adamw": lambda: optax.adamw(
            schedule, config.beta1, config.beta2, config.epsilon, weight_decay=config.weight_decay
        ),
    }
    optimizer = builders[config.name]()
    if config.clip_norm is None:
        return optimizer
    return optax.chain(optax.clip_by_global_norm(config.clip_norm), optimizer)
