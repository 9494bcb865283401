"""What Hydra refuses, told with the key that was meant."""

from __future__ import annotations

import pytest
from configured import composed
from hydra.errors import HydraException, MissingConfigException

from pipeline.config import composition


def refusal(*words: str) -> str:
    with pytest.raises(HydraException) as refused:
        composed(*words)
    return str(composition.explain(refused.value, list(words)))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["model=mpl"], "model=mpl: no such choice; did you mean 'mlp'?"),
        (["experiment=bok"], "experiment=bok: no such choice; did you mean 'book'?"),
        (["task=trian"], "task=trian: no such choice; did you mean 'train'?"),
        (["modle=mlp"], "modle=mlp: unknown key; did you mean 'model'?"),
        (["trainer.epohcs=3"], "trainer.epohcs=3: unknown key; did you mean 'epochs'?"),
        (["hydra.run.dri=x"], "hydra.run.dri=x: unknown key; did you mean 'dir'?"),
        (
            ["model.scopes.layr1.units=3"],
            "model.scopes.layr1.units=3: unknown key; did you mean 'layer1'?",
        ),
        (
            ["model=cnn", "~model.scopes.pol1"],
            "~model.scopes.pol1: unknown key; did you mean 'pool1'?",
        ),
        (
            ["~model.scopes.pool1"],
            "~model.scopes.pool1: unknown key; valid here: layer1, layer2",
        ),
        (
            ["trainer.ema.decay=0.9"],
            "trainer.ema.decay=0.9: trainer.ema is null; give it whole: trainer.ema='{decay: …}'",
        ),
        (
            ["model.scopes.layer1.units.x=3"],
            "model.scopes.layer1.units.x=3: model.scopes.layer1.units is 500, which has no parts",
        ),
        (
            ["model=module", "model.module=package.Net", "model.arguments.width=3"],
            "model.arguments.width=3: unknown key; to add it, write +model.arguments.width=…",
        ),
        (
            ["+experiment=book"],
            "experiment: is chosen already; to choose another, write experiment=CHOICE",
        ),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_names_what_was_probably_meant(words: list[str], text: str) -> None:
    assert refusal(*words) == text


@pytest.mark.parametrize("word", ["foo", "path=~/x", "path=dir with space/ü.pb"])
def test_what_cannot_be_read_is_told_with_how_it_is_written(word: str) -> None:
    told = refusal(word)
    assert word in told
    assert "\nexpected KEY=VALUE, and quotes that the shell leaves alone around a value" in told
    assert "hydra.cc" not in told


def test_names_the_launchers_that_are_installed() -> None:
    choices = refusal("hydra/launcher=nowhere").removeprefix(
        "hydra/launcher=nowhere: no such choice; valid here: ")
    assert "basic" in choices.split(", ")


def test_names_the_extra_of_a_launcher_that_is_not_installed() -> None:
    missing = MissingConfigException("", "hydra/launcher/submitit_local", ["basic"])
    assert str(composition.explain(missing, [])) == (
        "hydra/launcher=submitit_local: its package is not installed; "
        "pip install 'jaxfrost[submitit]'")


@pytest.mark.parametrize("word", ["seed", "trainer.epochs=[1", "+seed=3", "=3=", "~model=cnn"])
def test_whatever_else_hydra_refuses_keeps_its_own_words(word: str) -> None:
    assert refusal(word).strip()


def test_choices_of_other_groups_are_taken_into_account() -> None:
    assert "did you mean 'directory'" in refusal("dataset=mnist", "dataset.directry=x")
    assert "did you mean 'momentum'" in refusal("optimizer=momentum", "optimizer.momentun=0.5")
    assert "momentum" not in refusal("optimizer.momentun=0.5")
