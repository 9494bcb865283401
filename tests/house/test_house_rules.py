"""The house rules that the code itself can be asked about."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "pipeline").rglob("*.py"), ROOT / "run.py"])
IDS = [str(path.relative_to(ROOT)) for path in SOURCES]

# Rooms that a room may import besides itself; a few are for all.
BASE = {"errors", "files", "dtypes", "budget", "reading"}
FOR_ALL = BASE | {"runs", "clock", "config", "context", "extras", "invocation", "logs", "signals",
                  "terminal"}
FORMATS = {"graph", "checkpoint", "lowering", "execution", "tfjs", "tflite"}
FLOW = ["scopes", "model", "train", "evaluate", "persistence", "verification", "report", "gate"]
MAY_IMPORT: dict[str, set[str]] = {
    "config": {"runs", "errors", "files", "invocation", "budget", "reading"},
    "budget": {"errors"},
    "reading": {"budget"},
    "clock": set(),
    "context": {"clock", "train"},
    "errors": set(),
    "runs": {"errors", "reading"},
    "extras": {"errors"},
    "invocation": set(),
    "signals": set(),
    "files": set(),
    "dtypes": set(),
    "logs": set(),
    "terminal": set(),
    "usage": {"config", "invocation"},
    "data": FOR_ALL,
    "graph": BASE | {"checkpoint"},
    "output": set(),
    "checkpoint": BASE | {"output"},
    "lowering": BASE | {"graph"},
    "execution": BASE | {"graph", "checkpoint"},
    "tfjs": BASE | {"graph"},
    "tflite": BASE | {"graph"},
    "scopes": BASE,
    "model": FOR_ALL | {"data", "scopes", "graph", "execution"},
    "train": FOR_ALL | {"scopes", "model", "data", "checkpoint"},
    "evaluate": FOR_ALL | {"scopes", "model", "data", "train"},
    "persistence": FOR_ALL | FORMATS | {"scopes", "model", "data", "train", "evaluate"},
    "verification": FOR_ALL | FORMATS | {*FLOW[:5], "data"},
    "report": FOR_ALL | FORMATS | {*FLOW[:6], "data", "gate"},
    "gate": FOR_ALL | FORMATS | {*FLOW[:6], "data"},
    "flow": FOR_ALL | FORMATS | {*FLOW, "data"},
    "sweep": FOR_ALL | FORMATS | {*FLOW, "data"},
    # beside `gate`
    "inspection": FOR_ALL | {"checkpoint", "data", "execution", "gate", "graph", "model",
                             "persistence", "report", "drawing", "tfjs", "tflite"},
    "prediction": FOR_ALL | {"data", "evaluate", "gate", "model", "persistence"},
    # beside `gate`: above report and persistence
    "drawing": FOR_ALL | FORMATS | {"model", "report"},
    "serve": FOR_ALL | FORMATS | {*FLOW, "data", "drawing"},
    "tasks": FOR_ALL | {*FLOW, "checkpoint", "data", "flow", "inspection", "prediction", "serve",
                        "sweep"},
    "start": FOR_ALL | {"gate", "sweep", "tasks"},
    "main": {"clock", "config", "extras", "inspection", "invocation", "output", "start", "sweep",
             "usage"},
    "__main__": {"main"},
}
# A library must be usable without paying for what it does not need.
FORBIDDEN = {
    "graph": {"jax", "flax", "optax", "orbax"},
    "tflite": {"jax", "flax", "optax", "orbax", "hydra", "omegaconf"},
    "tfjs": {"jax", "flax", "optax", "orbax", "hydra", "omegaconf"},
    "checkpoint": {"jax", "flax", "optax", "orbax", "tensorboard", "google.protobuf"},
    "scopes": {"hydra", "omegaconf"},
    "lowering": {"hydra", "omegaconf"},
    "execution": {"hydra", "omegaconf"},
}


def imports(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += names if node.module == "pipeline" else [node.module]
    return found


def room(path: Path) -> str:
    return path.relative_to(ROOT / "pipeline").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_no_tensorflow(path: Path) -> None:
    guilty = [name for name in imports(path) if name.split(".")[0] in ("tensorflow", "tf_keras")]
    assert not guilty, f"{path}: TensorFlow is only a judge in the tests"


ROOMS = [path for path in SOURCES if path.name not in ("run.py", "__init__.py")]


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    here = room(path)
    for name in imports(path):
        if name.startswith("pipeline."):
            there = name.split(".")[1]
            assert there in {here, *MAY_IMPORT[here]}, f"{path}: {here} may not import {there}"
        forbidden = [each for each in FORBIDDEN.get(here, ()) if f"{name}.".startswith(f"{each}.")]
        assert not forbidden, f"{path}: {here} may not import {forbidden}"


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_files(path: Path, modules: set[str]) -> set[str]:
    """The modules that a file names in its imports, those for type checkers and late ones too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & modules or {node.module}
    return (found & modules) - {module_name(path)}


def test_files_import_one_another_one_way() -> None:
    modules = {module_name(path): path for path in SOURCES}
    following = {name: imported_files(path, set(modules)) for name, path in modules.items()}
    left = dict(following)
    while free := [name for name, taken in left.items() if taken.isdisjoint(left)]:
        for name in free:
            del left[name]
    circle = {name: sorted(taken & left.keys()) for name, taken in left.items()}
    assert not circle, f"circles of files: move what both need to a third: {circle}"


def is_table(path: Path) -> bool:
    """Most of the file is one literal, such as a table of op definitions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    longest = max((node.end_lineno or 0) - node.lineno for node in tree.body)
    literal = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    longest_literal = max(((node.end_lineno or 0) - node.lineno for node in literal), default=0)
    return longest == longest_literal > 150


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    assert lines < 300 or is_table(path), f"{path}: {lines} lines; one concept a file, below 300"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            first = node.body[1] if documented and len(node.body) > 1 else node.body[0]
            length = (node.end_lineno or 0) - first.lineno + 1
            assert length < 40, f"{path}:{node.lineno} {node.name}: {length} lines, below 40 wanted"


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_no_vague_names(path: Path) -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not vague & set(path.relative_to(ROOT).with_suffix("").parts)


def test_ruff_and_mypy_pass() -> None:
    for command in (["ruff", "check", "."], ["mypy"]):
        finished = subprocess.run(
            [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("pipeline.checkpoint", ["jax", "google.protobuf", "tensorboard", "tensorflow"]),
        ("pipeline.graph", ["jax", "tensorflow"]),
        ("pipeline.execution", ["hydra", "tensorflow"]),
        ("pipeline.scopes", ["hydra", "tensorflow"]),
        ("run", ["jax", "tensorflow"]),
    ],
)
def test_what_an_import_costs(module: str, unwanted: list[str]) -> None:
    program = f"import sys, {module}; print([n for n in {unwanted} if n in sys.modules])"
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == "[]"


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")),
                         ids=lambda path: path.name)
def test_workflows_pin_their_actions_and_say_what_they_may(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"]
            if "uses" in step]
    loose = [one for one in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one)]
    assert not loose, "a tag can be moved: name the commit, and the tag in a comment"
