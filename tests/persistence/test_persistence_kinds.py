"""The table of kinds is the only one, and whole."""

from __future__ import annotations

import typing
from collections.abc import Callable

from configured import CONF, ROOT
from persisted_cases import Persisted

from pipeline.config.persistence import TargetConfig
from pipeline.persistence import KINDS, find


def test_every_kind_has_options_a_file_and_a_choice() -> None:
    union, *_ = typing.get_args(TargetConfig)
    options = {typing.get_args(typing.get_type_hints(one)["kind"])[0]
               for one in typing.get_args(union)}
    folder = ROOT / "pipeline" / "persistence" / "kinds"
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "kind"}
    choices = {path.stem for path in (CONF / "persistence").glob("*.yaml")} - {"all", "none"}
    assert set(KINDS) == options == files == choices


def test_of_a_run_the_first_kind_in_the_table_is_restored(
    persisted: Callable[[str], Persisted]
) -> None:
    run = persisted("adam")
    assert find(run.directory).kind == next(iter(KINDS)) == "orbax"
