"""`import jaxfrost`: names that load when they are used, and types that agree with them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import jaxfrost


@pytest.mark.parametrize("name", jaxfrost.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(jaxfrost, name) is not None
    assert name in dir(jaxfrost)


def test_a_checker_and_python_find_the_same() -> None:
    tree = ast.parse(Path(jaxfrost.__file__).read_text())
    [typed] = [node for node in tree.body if isinstance(node, ast.If)]
    imported = {each.asname: (node.module, each.name) for node in typed.body
                if isinstance(node, ast.ImportFrom) for each in node.names}
    named = {name: (f"pipeline.{room}", name) for room, names in jaxfrost.NAMES.items()
             for name in names if name not in jaxfrost.RENAMED}
    rooms = {room: ("pipeline", room) for room in jaxfrost.ROOMS}
    assert imported == named | rooms
    [renamed] = [node for node in typed.body if isinstance(node, ast.Assign)]
    assert ast.unparse(renamed) == "load_saved_model = execution.import_saved_model"
    assert jaxfrost.load_saved_model is jaxfrost.execution.import_saved_model


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Sessions'"):
        _ = jaxfrost.Sessions


def test_the_door_alone_imports_nothing() -> None:
    program = ("import sys, jaxfrost; dir(jaxfrost); "
               "print(sorted({'jax', 'numpy', 'yaml', 'hydra'} & set(sys.modules)))")
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=True, cwd=Path(jaxfrost.__file__).parents[1]).stdout
    assert told == "[]\n"
