"""A training state of 0.1 goes on: its recipe said more of optimizers, and less of the trainer."""

from __future__ import annotations

from pipeline.train.snapshot import as_of_today

NOW = {"seed": 0, "optimizer": {"name": "sgd", "learning_rate": 0.1},
       "schedule": {"name": "constant"}, "trainer": {"batch_size": 10, "loss": None}}
THEN = NOW | {"optimizer": {"name": "sgd", "learning_rate": 0.1, "beta1": 0.9},
              "schedule": {"name": "constant", "decay_rate": 0.99},
              "trainer": {"batch_size": 10}}


def test_a_recipe_of_0_1_is_the_same_recipe() -> None:
    assert as_of_today(THEN, NOW) == NOW


def test_another_value_stays_another() -> None:
    slower = NOW | {"optimizer": {"name": "sgd", "learning_rate": 0.2}}
    losing = NOW | {"trainer": {"batch_size": 10, "loss": "package.focal"}}
    assert as_of_today(THEN, slower) != slower
    assert as_of_today(THEN, losing) != losing
