"""What is imported is declared, where it is needed, and what is declared is imported."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.extras import EXTRA_OF

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Declared for others, who import them and do not say so; see the comments in pyproject.toml.
FOR_OTHERS = {"array-record", "importlib-resources"}
OURS = {"pipeline", "jaxfrost", "hydra_plugins", "run"}
# Programs and plugins of the tests, which no file imports.
PROGRAMS = {"mypy", "ruff", "pytest-timeout", "hydra-joblib-launcher", "hydra-submitit-launcher",
            "mkdocs", "mkdocstrings", "pytest-xdist", "setuptools", "tf2onnx"}


@cache
def declared(extra: str | None) -> frozenset[str]:
    """The distributions that an extra brings, with those of the extras that it names."""
    lines = PROJECT["dependencies"] if extra is None \
        else PROJECT["optional-dependencies"][extra]
    found: set[str] = set()
    for requirement in map(Requirement, lines):
        if requirement.name == PROJECT["name"]:
            found.update(*(declared(each) for each in requirement.extras))
        else:
            found.add(canonicalize_name(requirement.name))
    return frozenset(found if extra is None else found | declared(None))


def imported(folder: str) -> Iterator[tuple[Path, str]]:
    """(file, dotted name) of every import that is neither Python's nor ours."""
    # Tests and benchmarks import one another by their bare names; the product never does.
    local = OURS if folder in OURS else OURS | {
        path.stem for place in ("tests", folder) for path in (ROOT / place).rglob("*")}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names | local:
                    yield path, name


@cache
def distributions_by_module() -> Mapping[str, list[str]]:
    """Top-level name → distributions; this reads every record of the environment."""
    return metadata.packages_distributions()


@cache
def prefixes(distribution: str) -> frozenset[str]:
    """`google/protobuf` and the like: where the files of a distribution lie, two steps deep."""
    return frozenset("/".join(file.parts[:2]).removesuffix(".py")
                     for file in metadata.files(distribution) or ())


@cache
def distributions(name: str) -> frozenset[str]:
    """What brings a module; of a namespace such as `google`, what brings this part of it."""
    top, *rest = name.split(".")
    found = set(distributions_by_module().get(top, [top]))
    if len(found) > 1 and rest:
        found = {each for each in found if f"{top}/{rest[0]}" in prefixes(each)}
    return frozenset(map(canonicalize_name, found))


@pytest.mark.parametrize("folder", ["pipeline", "hydra_plugins", "jaxfrost"])
def test_what_the_product_imports_is_declared(folder: str) -> None:
    for path, name in imported(folder):
        extra = next((EXTRA_OF[known] for known in EXTRA_OF
                      if f"{name}.".startswith(f"{known}.")), None)
        assert distributions(name) & declared(extra), (
            f"{path}: imports {name} of {sorted(distributions(name))}, which "
            f"{'the core' if extra is None else f'the extra {extra}'} does not declare; say in "
            "pipeline/extras.py which extra brings it, and in pyproject.toml what that needs")


@pytest.mark.parametrize(("folder", "extras"), [("tests", ["test"]),
                                                ("benchmarks", ["test", "bench"])])
def test_what_tests_and_benchmarks_import_is_declared(folder: str, extras: list[str]) -> None:
    known = frozenset().union(*(declared(each) for each in extras))
    for path, name in imported(folder):
        assert distributions(name) & known, f"{path}: imports {name}; declare it in {extras}"


def test_what_is_declared_is_imported() -> None:
    used = {each for folder in ("pipeline", "hydra_plugins")
            for _, name in imported(folder) for each in distributions(name)}
    idle = (declared("train") | declared("onnx") | declared("tflite")) - used - FOR_OTHERS
    assert not idle, "remove them from pyproject.toml, or say in FOR_OTHERS why they are there"
    for_tests = {each for _, name in imported("tests") for each in distributions(name)}
    idle = declared("test") - declared("train") - for_tests - PROGRAMS
    assert not idle


@pytest.mark.parametrize("extra", sorted(set(EXTRA_OF.values())))
def test_every_extra_that_is_recommended_exists(extra: str) -> None:
    assert extra in PROJECT["optional-dependencies"]
