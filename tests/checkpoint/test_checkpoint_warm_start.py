"""Warm starts and plans (tf1_semantics.md G3, G4; the probe `init_from_ckpt`), choice by name."""

from __future__ import annotations

import logging
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pipeline import scopes
from pipeline.checkpoint import (
    Fit,
    InvalidArgumentError,
    InvalidTypeError,
    NotFoundError,
    Saver,
    get_unique_variable,
    get_variables_by_name,
    get_variables_by_suffix,
    get_variables_to_restore,
    init_from_checkpoint,
    plan_restore,
)

OLD = {"old/a": np.float32([1, 2]), "old/b": np.float32([3, 4, 5]), "root": np.float32([6])}


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    return str(Saver(OLD).save(tmp_path / "m"))


@pytest.fixture
def store() -> scopes.VariableStore:
    store = scopes.VariableStore(seed=0)
    with store.as_default(), scopes.variable_scope("new"):
        scopes.get_variable("a", [2])
        scopes.get_variable("b", [3])
    return store


def loaded(store: scopes.VariableStore) -> tuple[bool, bool]:
    return (bool((store["new/a"].read() == OLD["old/a"]).all()),
            bool((store["new/b"].read() == OLD["old/b"]).all()))


@pytest.mark.parametrize(("assignment_map", "expected"), [
    ({"old/": "new/"}, (True, True)),
    ({"old/a": "new/a"}, (True, False)),
    ([("old/a", "new/a:0"), ("old/b", "new/b")], (True, True)),
    ({"old/": "new/", "old/b": "new/b"}, (True, True)),
])
def test_maps_that_load(
    prefix: str, store: scopes.VariableStore, assignment_map: Any, expected: tuple[bool, bool]
) -> None:
    init_from_checkpoint(prefix, assignment_map, store)
    assert loaded(store) == expected


def test_a_variable_itself_and_a_directory(
    prefix: str, tmp_path: Path, store: scopes.VariableStore
) -> None:
    init_from_checkpoint(tmp_path, {"old/a": store["new/a"]}, store)
    assert loaded(store) == (True, False)


@pytest.mark.parametrize(("assignment_map", "error", "text"), [
    ({"nope": "new/a"}, NotFoundError, "new/a ← nope: Key nope not found in checkpoint"),
    ({"old/b": "new/a"}, InvalidArgumentError,
     r"new/a ← old/b: checkpoint has \(3,\), model has \(2,\)"),
    ({"old": "new/"}, InvalidArgumentError, r"^Assignment map with scope only name new should map "
     r"to scope only old\. Should be 'scope/': 'other_scope/'\.$"),
    ({"old/": "new/a"}, InvalidArgumentError, "Assignment map with scope only name old should"),
    ({"/": "new/"}, NotFoundError, "Key a not found .* Key b not found"),
    ({"old/": "nothere/"}, NotFoundError, "scope nothere/ has no variables; the model has new/a"),
    ({"old/a": "new/zzz"}, NotFoundError, "variable new/zzz does not exist"),
    ({"old/": "/"}, NotFoundError, "Key old/new/a not found"),
    ({"old/a": 3}, InvalidTypeError, "pairs 'old/a' with 3"),
])
def test_maps_that_are_refused_change_nothing(
    prefix: str, store: scopes.VariableStore, assignment_map: Any, error: type[Exception], text: str
) -> None:
    before = store.values()
    with pytest.raises(error, match=text):
        init_from_checkpoint(prefix, assignment_map, store)
    assert all((store.values()[name] == value).all() for name, value in before.items())


def test_maps_load_what_tensorflow_loads(
    prefix: str, store: scopes.VariableStore, tf1_graph: ModuleType
) -> None:
    for assignment_map in ({"old/": "new/"}, {"old/a": "new/a"}):
        with tf1_graph.Graph().as_default(), tf1_graph.Session() as session:
            with tf1_graph.variable_scope("new"):
                variables = [tf1_graph.get_variable(name, [size]) for name, size in
                             (("a", 2), ("b", 3))]
            tf1_graph.train.init_from_checkpoint(prefix, assignment_map)
            session.run(tf1_graph.global_variables_initializer())
            theirs = [bool((session.run(variable) == OLD[f"old/{variable.op.name[4:]}"]).all())
                      for variable in variables]
        init_from_checkpoint(prefix, assignment_map, store)
        if assignment_map == {"old/": "new/"}:
            assert loaded(store) == tuple(theirs) == (True, True)
        else:
            assert theirs == [True, False]


def test_missing_tensors_may_be_left_out(
    prefix: str, store: scopes.VariableStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        init_from_checkpoint(prefix, {"old/a": "new/a", "gone": "new/b"}, store,
                             ignore_missing=True)
    assert loaded(store) == (True, False)
    assert f"Variable new/b missing in checkpoint {prefix}" in caplog.text


def test_a_plain_tree_comes_back_whole(prefix: str) -> None:
    tree = {"new": {"a": np.zeros(2, np.float32), "c": np.zeros(1)}}
    restored = init_from_checkpoint(prefix, {"old/a": "new/a"}, tree)
    assert restored["new"]["a"].tolist() == [1, 2]
    assert restored["new"]["c"] is tree["new"]["c"]


def test_a_plan_shows_everything_at_once(prefix: str) -> None:
    variables = {"old/a": np.zeros(2, np.float32), "old/b": np.zeros(4, np.float32),
                 "root": np.zeros(1, np.int32), "fresh": np.zeros(1)}
    plan = plan_restore(prefix, variables)
    assert [(row.variable, row.fit) for row in plan.rows] == [
        ("old/a", Fit.MATCHED), ("old/b", Fit.SHAPE), ("root", Fit.DTYPE), ("fresh", Fit.MISSING)]
    assert str(plan).splitlines() == [
        "matched      old/a", "missing      fresh  Key fresh not found in checkpoint",
        "shape clash  old/b  checkpoint has (3,), model has (4,)",
        "dtype clash  root   checkpoint has DT_FLOAT, model has DT_INT32",
        "1 matched, 1 missing, 2 clashing, 0 extra"]
    with pytest.raises(NotFoundError, match="Key fresh"):
        plan.require()


def test_a_plan_follows_a_map_and_names_what_nobody_asked_for(
    prefix: str, store: scopes.VariableStore
) -> None:
    plan = plan_restore(prefix, store, {"old/": "new/"})
    assert len(plan.matched) == 2
    assert plan.extra == ("root",)
    assert str(plan).splitlines()[:2] == [
        "matched      new/a  ← old/a", "matched      new/b  ← old/b"]
    clash = plan_restore(prefix, {"a": np.zeros(3, np.float32)}, {"old/a": "a"})
    assert str(clash).splitlines()[0] == (
        "shape clash  a  ← old/a: checkpoint has (2,), model has (3,)")
    plan.require()
    assert not any(loaded(store))


def test_variables_are_chosen_by_name(store: scopes.VariableStore) -> None:
    with store.as_default(), scopes.variable_scope("newer"):
        scopes.get_variable("a", [1])
    assert list(get_variables_to_restore(store)) == ["new/a", "new/b", "newer/a"]
    assert list(get_variables_to_restore(store, include=["new"])) == ["new/a", "new/b"]
    assert list(get_variables_to_restore(store, exclude=["new/a", "newer/"])) == ["new/b"]
    assert list(get_variables_by_name(store, "a")) == ["new/a", "newer/a"]
    assert list(get_variables_by_suffix(store, "/a", scope="new")) == ["new/a"]
    assert get_unique_variable(store, "new/a:0") is store["new/a"]
    with pytest.raises(InvalidArgumentError, match="Couldn't find variable nope"):
        get_unique_variable(store, "nope")
