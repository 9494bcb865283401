"""What the border refuses, and in which words."""

from __future__ import annotations

from typing import Any

import pytest
from configured import composed, configured

from pipeline import tasks
from pipeline.config import Config, ConfigError, load


def refusal(key: str, value: Any, *words: str) -> str:
    """What the border says when `key` holds `value` in what `words` compose."""
    made = composed(*words)
    here = made
    *parents, leaf = key.split(".")
    for part in parents:
        here = here[part]
    here[leaf] = value
    with pytest.raises(ConfigError) as refused:
        load(tasks.part_of("train", made), Config)
    return str(refused.value)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("trainer.epohcs", 3, "trainer.epohcs: unknown key; did you mean 'epochs'?"),
        ("model.scopes.layer1.unit", 5, "model.scopes.layer1.unit: unknown key; did you mean"),
        ("trainer.augmentation", {"shfit": 1}, "trainer.augmentation.shfit: unknown key; did"),
        ("persistence.frozen_graph.fille", "x", "persistence.frozen_graph.fille: unknown key;"),
        ("trainer.epochs", "many", "trainer.epochs=many: input should be a valid number"),
        ("trainer.epochs", -1, "trainer.epochs=-1: input should be greater than 0"),
        ("trainer.batch_size", 0, "trainer.batch_size=0: input should be greater than 0"),
        ("trainer.batch_size", 2.5, "trainer.batch_size=2.5: input should be a valid integer"),
        ("trainer.batch_size", True, "trainer.batch_size=True: input should be a number"),
        ("model.input_shape", [True], "model.input_shape.0=True: input should be a number"),
        ("optimizer.learning_rate", 0.0, "optimizer.learning_rate=0.0: input should be greater"),
        ("optimizer.learning_rate", float("inf"), "optimizer.learning_rate=inf: input should be a"),
        ("optimizer.learning_rate", float("nan"), "optimizer.learning_rate=nan: input should be"),
        ("optimizer.name", "sdg", "optimizer.name=sdg: there is no such choice; did you mean "),
        ("trainer.ema", {"decay": 1.0}, "trainer.ema.decay=1.0: input should be less than 1"),
        ("trainer.ema", {}, "trainer.ema.decay: is required and was not given"),
        ("trainer.ema", 0.9, "trainer.ema=0.9: input should be a dictionary"),
        ("model.scopes.layer1", {"units": 3}, "model.scopes.layer1: needs a 'kind' that says what"),
        ("model.scopes.layer1.kind", "dens", "model.scopes.layer1.kind=dens: there is no such"),
        ("model.scopes.a/b", {"kind": "flatten"}, "model.scopes.a/b: 'a/b' is no name; string"),
        ("model", "mlp", "model=mlp: input should be a dictionary"),
        ("persistence.zip", {"kind": "zip"}, "persistence.zip.kind=zip: there is no such choice"),
        ("persistence.tf_checkpoint.prefix", "../x", "persistence.tf_checkpoint.prefix=../x: in"),
        ("persistence.frozen_graph.file", "/x.pb", "persistence.frozen_graph.file=/x.pb: input"),
        ("persistence.orbax.directory", "", "persistence.orbax.directory=: input should be a path"),
        ("seed", -1, "seed=-1: input should be greater than or equal to 0"),
        ("seed", 2**32, "seed=4294967296: input should be less than 4294967296"),
        ("restore", 3, "restore=3: input should be a valid string"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_names_key_value_and_what_was_expected(key: str, value: Any, text: str) -> None:
    assert refusal(key, value).startswith(text)


def test_keys_that_hydra_lets_through_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^typo: unknown key; valid here: .*dataset, .*trainer"):
        configured("+typo=1")
    with pytest.raises(ConfigError, match=r"^trainer\.epohcs: unknown key; did you mean 'epochs'"):
        configured("++trainer.epohcs=1")


def test_the_valid_keys_are_those_of_the_scope_s_own_kind() -> None:
    text = refusal("model.scopes.layer1.filter", 3)
    assert "filters" not in text
    assert "units" in text
    nested = {"kind": "scope", "scopes": {"deep": {"kind": "conv", "filters": 1, "unit": 3}}}
    text = refusal("model.scopes.outer", nested)
    assert text.startswith("model.scopes.outer.scopes.deep.unit: unknown key; valid here: ")
    assert "filters" in text


def test_every_complaint_is_told_at_once() -> None:
    lines = refusal("trainer", {"epohcs": 3, "batch_size": 0}).splitlines()
    assert len(lines) == 2
    with pytest.raises(ConfigError) as refused:
        load({}, Config)
    missing = str(refused.value).splitlines()
    assert "optimizer: is required and was not given" in missing
    assert len(missing) == 8


@pytest.mark.parametrize("values", [("30", "5"), ("null", "null")])
def test_exactly_one_of_epochs_and_steps(values: tuple[str, str]) -> None:
    with pytest.raises(ConfigError, match="exactly one of the two") as refused:
        configured(f"trainer.epochs={values[0]}", f"trainer.steps={values[1]}")
    assert str(refused.value).startswith("trainer.epochs=")
    assert configured("trainer.epochs=null", "trainer.steps=5").trainer.steps == 5


def test_exponential_decay_needs_its_steps() -> None:
    text = refusal("schedule.decay_steps", None, "schedule=exponential_decay")
    assert text == "schedule.decay_steps=None: input should be a valid integer"


def test_two_targets_never_write_the_same_file() -> None:
    text = refusal("persistence.modern", {"kind": "frozen_graph", "opset": "modern"})
    assert "file=frozen_graph.pb: persistence.frozen_graph writes there already" in text
    apart = {"kind": "frozen_graph", "opset": "modern", "file": "modern.pb"}
    assert len(configured("persistence=frozen_graph", persistence={"a": apart}).persistence) == 1
    same = {**apart, "file": "./modern.pb"}
    with pytest.raises(ConfigError, match=r"persistence\.b\.file=modern\.pb"):
        configured(persistence={"a": apart, "b": same})


def test_numbers_may_come_as_text_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAXFROST_TEST_SEED", "17")
    assert configured("seed=${oc.env:JAXFROST_TEST_SEED}").seed == 17


def test_below_the_border_there_are_only_dataclasses() -> None:
    def plain(value: Any) -> bool:
        if isinstance(value, dict):
            return all(plain(inner) for inner in value.values())
        if isinstance(value, list):
            return all(plain(inner) for inner in value)
        if hasattr(type(value), "__dataclass_fields__"):
            return all(plain(inner) for inner in vars(value).values())
        return value is None or type(value) in (int, float, str, bool)

    config = configured("model=cnn", "trainer.ema={decay: 0.9}")
    assert type(config) is Config
    assert plain(config)
