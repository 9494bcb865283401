"""The optimizer that `conf/optimizer` names, on optax."""

from __future__ import annotations

import optax

from pipeline.config.optimizers import Optimizer


def build_optimizer(config: Optimizer, schedule: optax.Schedule) -> optax.GradientTransformation:
    """An optax transformation; the gradient is clipped by its global norm first, if asked for."""
    optimizer = config.build(schedule)
    if config.clip_norm is None:
        return optimizer
    return optax.chain(optax.clip_by_global_norm(config.clip_norm), optimizer)
