"""What follows from the roles of fields: which runs are of one recipe, one program, one sweep."""

from __future__ import annotations

import dataclasses

import pytest
from configured import configured

from pipeline.config import Config, roles
from pipeline.config.roles import Role

BASE = ("schedule=exponential_decay", "trainer.ema={decay: 0.9}", "optimizer.clip_norm=1.0")
# override → same recipe, may be trained together, may go on as the same run, as the same sweep
CASES = [
    ("optimizer.learning_rate=0.5", False, True, False, False),
    ("optimizer.clip_norm=2.0", False, True, False, False),
    ("optimizer.clip_norm=null", False, False, False, False),
    ("optimizer.beta1=0.5", False, True, False, False),
    ("schedule.decay_rate=0.5", False, True, False, False),
    ("trainer.ema.decay=0.5", False, True, False, False),
    ("+model.regularizer.scale=0.5", False, True, False, False),
    ("trainer.batch_size=7", False, False, False, False),
    ("model.scopes.layer1.units=7", False, False, False, False),
    ("runtime.x64=true", False, False, True, False),
    ("trainer.epochs=7", False, False, True, False),
    ("trainer.early_stopping={}", False, False, True, False),
    ("seed=7", True, True, False, True),
    ("seeds=7", True, True, True, True),
    ("persistence=none", True, True, True, False),
    ("gate=none", True, True, True, False),
    ("verification.examples=7", True, True, True, False),
    ("trainer.checkpoint_every=1", True, True, True, True),
    ("notes=hello", True, True, True, True),
    ("sweep.on_failure=stop", True, True, True, True),
    ("dataset.directory=/elsewhere", True, False, True, True),
    ("runtime.platform=cpu", True, False, True, True),
    ("restore=auto", True, False, True, True),
    ("restore=/a/model.ckpt-1", False, False, True, True),
]


def loaded(*overrides: str) -> Config:
    return configured(*BASE, "+model.regularizer={kind: l2, scale: 0.1}", *overrides)


def state_recipe(config: Config) -> object:
    sections = (config.model, config.optimizer, config.schedule, config.trainer)
    return [config.seed, *map(roles.state_recipe_of, sections)]


@pytest.mark.parametrize(("override", "recipe", "together", "run", "sweep"), CASES,
                         ids=[case[0] for case in CASES])
def test_a_role_decides_what_must_be_equal(
    override: str, recipe: bool, together: bool, run: bool, sweep: bool
) -> None:
    first, second = loaded(), loaded(override.replace("+model", "model"))
    assert (roles.recipe_of(first) == roles.recipe_of(second)) == recipe
    assert roles.may_train_together(first, second) == together
    assert (state_recipe(first) == state_recipe(second)) == run
    key = override.lstrip("+").partition("=")[0]
    repetition = roles.role_of(key, Config) is Role.REPETITION
    assert roles.is_free(key, Config) == (sweep and not repetition)


def test_the_numbers_are_those_that_stand_at_fields() -> None:
    config = loaded()
    assert set(roles.numbers_of(config, Role.NUMBER)) == {
        "optimizer.learning_rate", "optimizer.clip_norm", "schedule.decay_rate",
        "trainer.ema.decay"}
    assert set(roles.numbers_of(config, Role.CONSTANT)) == {
        "optimizer.beta1", "optimizer.beta2", "optimizer.epsilon", "trainer.label_smoothing"}


@pytest.mark.parametrize(("key", "role"), [
    ("optimizer.learning_rate", Role.NUMBER), ("gate.metrics.test_accuracy.at_least", Role.PRODUCT),
    ("model.scopes.layer1.regularizer.scale", Role.NUMBER), ("model.scopes.a.scopes.b.units",
                                                            Role.RECIPE),
    ("persistence.orbax.directory", Role.PRODUCT), ("trainer.ema.decay", Role.NUMBER),
    ("sweep.resume", Role.CIRCUMSTANCE), ("no.such.key", Role.RECIPE), ("model@x", Role.RECIPE),
])
def test_a_key_of_a_command_line_has_its_field_s_role(key: str, role: Role) -> None:
    assert roles.role_of(key, Config) is role


def test_every_leaf_has_one_role() -> None:
    found = list(roles.fields_of(loaded()))
    assert len({one.path for one in found}) == len(found)
    assert {one.path[0] for one in found} == {one.name for one in dataclasses.fields(Config)}
